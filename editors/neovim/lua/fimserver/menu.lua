--- Turn the server's suggestions into items for a completion menu. nvim-cmp and blink.cmp share this.

local server = require("fimserver.server")

local M = {}

--- Ask for suggestions at the cursor.
--- @param answered fun(items: lsp.CompletionItem[])
--- @return fun() cancel
function M.ask(answered)
  local client = server.client()
  if not client then
    answered({})
    return function() end
  end
  local parameters = vim.lsp.util.make_position_params(0, client.offset_encoding)
  parameters.context = { triggerKind = 2 } -- automatic
  local line, buffer = vim.api.nvim_get_current_line(), vim.api.nvim_get_current_buf()
  local _, number = client:request("textDocument/inlineCompletion", parameters, function(_, result)
    local items = result and (result.items or result) or {}
    answered(vim.tbl_map(function(item)
      return M.completion_item(item, line, client.offset_encoding)
    end, items))
  end, buffer)
  return function()
    client:cancel_request(number)
  end
end

--- Return an inline suggestion as an item of the menu. The text that it replaces is what the menu filters by.
function M.completion_item(item, line, encoding)
  local function byte(column)
    return vim.str_byteindex(line, encoding, column, false)
  end
  local replaced = line:sub(byte(item.range.start.character) + 1, byte(item.range["end"].character))
  return {
    label = vim.trim(item.insertText:match("^%s*([^\n]*)")),
    kind = vim.lsp.protocol.CompletionItemKind.Text,
    filterText = replaced,
    textEdit = { range = item.range, newText = item.insertText },
    documentation = { kind = "plaintext", value = item.insertText },
    command = item.command,
  }
end

return M
