--- Turn what the user passes to setup() into complete options.

local M = {}

--- `false` for a key leaves it alone.
local DEFAULTS = {
  cmd = { "fimserver", "serve" },
  filetypes = nil, -- all of them
  root_markers = { ".git" },
  settings = {}, -- as in fimserver's settings.toml: { completion = { max_lines = 4 } }
  ghost_text = vim.lsp.inline_completion ~= nil,
  keys = {
    accept = "<Tab>",
    accept_word = "<C-Right>",
    accept_line = "<C-Down>",
    next = "<M-]>",
    previous = "<M-[>",
  },
}

--- @param options table?
function M.read(options)
  options = options or {}
  for name, value in pairs(options) do
    if DEFAULTS[name] == nil and name ~= "filetypes" then
      error(("fimserver: there is no option %q; see :help fimserver-options"):format(name), 3)
    elseif DEFAULTS[name] ~= nil and type(value) ~= type(DEFAULTS[name]) then
      error(("fimserver: the option %q must be a %s"):format(name, type(DEFAULTS[name])), 3)
    end
  end
  return vim.tbl_deep_extend("force", DEFAULTS, options)
end

return M
