--- fimserver for Neovim: start the language server, show what it suggests, bind the keys.
---
--- Neovim ≥ 0.12 draws ghost text itself (vim.lsp.inline_completion). Neovim 0.11 shows the same suggestions in the
--- menu of completions.

local M = {}

--- Set everything up. The options and their defaults are in fimserver/options.lua and in |fimserver-options|.
--- @param options table?
function M.setup(options)
  local chosen = require("fimserver.options").read(options)
  require("fimserver.server").enable(chosen)
  require("fimserver.keys").bind(chosen.keys)
  require("fimserver.commands").create()
end

--- Accept all of the suggestion, its next word, or its next line.
--- Each returns false where there is nothing to accept, so that a mapping can type its key instead.
function M.accept()
  return require("fimserver.accept").accept("all")
end

function M.accept_word()
  return require("fimserver.accept").accept("word")
end

function M.accept_line()
  return require("fimserver.accept").accept("line")
end

--- Show another of the suggestions.
--- @param count integer 1 for the next, -1 for the previous
function M.cycle(count)
  vim.lsp.inline_completion.select({ count = count })
end

--- Switch suggestions off or on: everywhere, for one file type, or for some minutes.
function M.toggle()
  require("fimserver.switches").toggle()
end

function M.toggle_filetype(filetype)
  require("fimserver.switches").toggle_filetype(filetype or vim.bo.filetype)
end

function M.snooze(minutes)
  require("fimserver.switches").snooze(minutes or 5)
end

--- Return a word or two for the status line; empty in buffers without the server.
function M.statusline()
  return require("fimserver.status").line()
end

return M
