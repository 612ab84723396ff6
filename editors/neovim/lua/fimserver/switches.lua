--- Switch suggestions off and on: everywhere, for one file type, or for some minutes.

local M = {}

local off = false
local off_filetypes = {}
--- @type uv.uv_timer_t?
local snoozing

--- Return why nothing is suggested for a file type: a few words, or nil.
function M.why_off(filetype)
  if snoozing then
    return "silent for some minutes"
  end
  if off then
    return "switched off"
  end
  return off_filetypes[filetype] and ("switched off for " .. filetype) or nil
end

function M.toggle()
  off = not off
  M.apply()
end

function M.toggle_filetype(filetype)
  off_filetypes[filetype] = not off_filetypes[filetype] or nil
  M.apply()
end

--- Be silent for some minutes; asked for again, speak at once.
function M.snooze(minutes)
  if snoozing then
    M.wake()
    return
  end
  snoozing = vim.defer_fn(M.wake, minutes * 60000)
  M.apply()
end

function M.wake()
  if snoozing then
    snoozing:stop()
    snoozing = nil
  end
  M.apply()
end

--- Let Neovim ask, or not, in every loaded buffer.
function M.apply()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.lsp.inline_completion then
      vim.lsp.inline_completion.enable(M.why_off(vim.bo[buffer].filetype) == nil, { bufnr = buffer })
    end
  end
  vim.cmd.redrawstatus()
end

--- New buffers follow the switches too.
vim.api.nvim_create_autocmd("LspAttach", {
  group = vim.api.nvim_create_augroup("fimserver.switches", {}),
  callback = function(event)
    if M.why_off(vim.bo[event.buf].filetype) then
      M.apply()
    end
  end,
})

return M
