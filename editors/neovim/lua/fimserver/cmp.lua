--- A source for nvim-cmp: require("cmp").register_source("fimserver", require("fimserver.cmp").new())

local M = {}

function M.new()
  return setmetatable({}, { __index = M })
end

function M:is_available()
  return require("fimserver.server").client() ~= nil
end

function M:get_keyword_pattern()
  return ".*" -- a suggestion may begin anywhere in the line
end

function M:complete(_, callback)
  require("fimserver.menu").ask(function(items)
    callback({ items = items, isIncomplete = true })
  end)
end

--- nvim-cmp calls this once an item is in the buffer.
function M:execute(item, callback)
  local client = require("fimserver.server").client()
  if client and item.command then
    client:exec_cmd(item.command, { bufnr = 0 })
  end
  callback(item)
end

return M
