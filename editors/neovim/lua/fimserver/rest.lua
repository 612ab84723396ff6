--- Tell the server where the cursor has come to rest, so that it prepares for the first key there.

local M = {}

local REST_MS = 100

local timer = assert(vim.uv.new_timer())

local function tell()
  local buffer = vim.api.nvim_get_current_buf()
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = buffer, name = require("fimserver.server").NAME })) do
    client:notify("fimserver/didFocus", vim.lsp.util.make_position_params(0, client.offset_encoding))
  end
end

--- Do so wherever the cursor is moved without typing.
function M.watch()
  vim.api.nvim_create_autocmd({ "CursorMoved", "BufEnter" }, {
    group = vim.api.nvim_create_augroup("fimserver.rest", {}),
    callback = function()
      timer:start(REST_MS, 0, vim.schedule_wrap(tell))
    end,
  })
end

return M
