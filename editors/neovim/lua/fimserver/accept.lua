--- Put a suggestion, or its next word or line, into the buffer.
---
--- Neovim 0.12 can do the whole by itself, but replaces the range as it was when it asked: a character typed since then
--- survives behind the inserted text (neovim#36529). So we remember where the cursor stood when it asked, and replace
--- what stands there now.

local parts = require("fimserver.parts")
local server = require("fimserver.server")

local M = {}

--- By buffer: the place of the request that was answered last.
local answered = {}
--- By request number: the place of a request under way.
local waiting = {}

--- Remember where each suggestion was asked for.
function M.watch()
  vim.api.nvim_create_autocmd("LspRequest", {
    group = vim.api.nvim_create_augroup("fimserver.requests", {}),
    callback = function(event)
      local id, request = event.data.request_id, event.data.request
      if request.method ~= "textDocument/inlineCompletion" then
        return
      end
      if request.type == "pending" then
        waiting[id] = M.here()
      else
        answered[event.buf] = request.type == "complete" and waiting[id] or answered[event.buf]
        waiting[id] = nil
      end
    end,
  })
end

--- Return the cursor's row and column (both from 0, the column in bytes) and the rest of its line.
function M.here()
  local cursor = vim.api.nvim_win_get_cursor(0)
  local line = vim.api.nvim_get_current_line()
  return { row = cursor[1] - 1, column = cursor[2], tail = line:sub(cursor[2] + 1) }
end

--- Accept a part of the suggestion that is shown: "all", "word" or "line". Return whether there is one.
function M.accept(part)
  if not vim.lsp.inline_completion then
    return false
  end
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      M.apply(item, part)
    end,
  })
end

--- @param item vim.lsp.inline_completion.Item
function M.apply(item, part)
  local typed, tail = M.fitted(item)
  if not typed then
    return -- the text has changed in another way than by typing along
  end
  local whole = item.insert_text
  local accepted = parts.accepted(whole, typed, part)
  local all = #accepted == #whole
  local start_row, start_column = item.range:to_extmark()
  local kept = all and "" or parts.kept_tail(whole:sub(#accepted + 1), tail)
  local last_column = M.here().column + #tail - #kept
  M.break_undo()
  local lines = vim.split(accepted, "\n", { plain = true })
  vim.api.nvim_buf_set_text(0, start_row, start_column, start_row, last_column, lines)
  local column = (#lines == 1 and start_column or 0) + #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { start_row + #lines, column })
  M.report(item, accepted, all)
end

--- Return what was typed of the suggestion, and the rest of the line that it replaces; nil where it no longer fits.
function M.fitted(item)
  local asked, now = answered[vim.api.nvim_get_current_buf()], M.here()
  local start_row, start_column, _, end_column = item.range:to_extmark()
  if not asked or now.row ~= start_row or now.tail ~= asked.tail or now.column < start_column then
    return nil
  end
  local tail = now.tail:sub(1, end_column - asked.column)
  local typed = vim.api.nvim_get_current_line():sub(start_column + 1, now.column)
  if vim.startswith(item.insert_text, typed) then
    return typed, tail
  end
  return not typed:find("%S") and "" or nil, tail -- blanks that a dedent takes away
end

--- Begin a new undo step, so that one `u` takes the suggestion away and leaves what was typed.
function M.break_undo()
  vim.bo.undolevels = vim.bo.undolevels
end

function M.report(item, accepted, all)
  local client = vim.lsp.get_client_by_id(item.client_id)
  if all and item.command and client then
    client:exec_cmd(item.command, { bufnr = 0 })
  elseif not all then
    server.tell("fimserver/didPartiallyAcceptCompletion", {
      item = { insertText = item.insert_text, command = item.command },
      acceptedLength = vim.str_utfindex(accepted, "utf-16"),
    })
  end
end

return M
