--- A source for blink.cmp: sources.providers.fimserver = { name = "fimserver", module = "fimserver.blink", async = true }

local M = {}

function M.new()
  return setmetatable({}, { __index = M })
end

function M:enabled()
  return require("fimserver.server").client() ~= nil
end

function M:get_completions(_, callback)
  return require("fimserver.menu").ask(function(items)
    callback({ items = items, is_incomplete_forward = true, is_incomplete_backward = true })
  end)
end

--- blink.cmp calls this to put an item into the buffer.
function M:execute(_, item, callback, default_implementation)
  default_implementation()
  local client = require("fimserver.server").client()
  if client and item.command then
    client:exec_cmd(item.command, { bufnr = 0 })
  end
  callback()
end

return M
