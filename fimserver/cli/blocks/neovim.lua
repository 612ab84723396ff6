vim.opt.runtimepath:prepend("~/src/fimserver/editors/neovim")
require("fimserver").setup{}
