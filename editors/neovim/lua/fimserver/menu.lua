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

--- Return an inline suggestion as an item of the menu.
--- Menus compare `filterText` with the word before the cursor, or with what the item replaces: it begins like both.
function M.completion_item(item, line, encoding)
  local first_line = item.insertText:match("^[^\n]*")
  local start = vim.str_byteindex(line, encoding, item.range.start.character, false)
  return {
    label = vim.trim(first_line),
    kind = vim.lsp.protocol.CompletionItemKind.Text,
    filterText = vim.fn.matchstr(line:sub(1, start), [[\k*$]]) .. first_line,
    textEdit = { range = item.range, newText = item.insertText },
    documentation = { kind = "plaintext", value = item.insertText },
    command = item.command,
  }
end

return M
