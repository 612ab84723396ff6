--- Draw a suggestion that takes indentation away where it will stand.
---
--- Neovim 0.12 leaves out as many characters of a suggestion as stand before the cursor, which is right where they are
--- the same. Before an `else:` that goes back to column 0 they are blanks, and only `:` would be seen.

local M = {}

local namespace = vim.api.nvim_create_namespace("nvim.lsp.inline_completion")

--- Return the suggestion that is shown. Neovim keeps it to itself; where it keeps it elsewhere, its own drawing stands.
local function current(buffer)
  local found, capability = pcall(require, "vim.lsp._capability")
  local completion = found and capability.all and capability.all.inline_completion
  local completor = completion and completion.active and completion.active[buffer]
  return completor and completor.current
end

--- Draw the current suggestion anew if it replaces nothing but blanks with something else.
function M.redraw()
  local buffer = vim.api.nvim_get_current_buf()
  local item = current(buffer)
  local mark = vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, { details = true })[1]
  if not item or not item.range or not mark then
    return
  end
  local row, start_column = item.range:to_extmark()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local typed = vim.api.nvim_get_current_line():sub(start_column + 1, cursor[2])
  if cursor[1] - 1 ~= row or vim.startswith(item.insert_text, typed) or typed:find("%S") then
    return
  end
  vim.api.nvim_buf_set_extmark(buffer, namespace, row, start_column, {
    id = mark[1],
    virt_text = { { item.insert_text:match("^[^\n]*"), "ComplHint" } },
    virt_lines = mark[4].virt_lines,
    virt_text_pos = "overlay",
    hl_mode = "combine",
  })
end

--- Do so after every drawing of Neovim's own.
function M.watch()
  local group = vim.api.nvim_create_augroup("fimserver.dedent", {})
  local function soon()
    vim.schedule(M.redraw)
  end
  vim.api.nvim_create_autocmd({ "CursorMovedI", "InsertEnter" }, { group = group, callback = soon })
  vim.api.nvim_create_autocmd("LspRequest", {
    group = group,
    callback = function(event)
      if event.data.request.method == "textDocument/inlineCompletion" and event.data.request.type == "complete" then
        soon()
      end
    end,
  })
end

return M
