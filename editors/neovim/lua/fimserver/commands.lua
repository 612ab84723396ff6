--- The commands of the command line, as a table.

local M = {}

local function show(answer)
  local text = type(answer) == "string" and answer or vim.inspect(answer)
  vim.api.nvim_echo({ { text } }, true, {})
end

local COMMANDS = {
  FimStatus = {
    function()
      require("fimserver.server").ask("fimserver.status", {}, show)
    end,
    { desc = "Show the state of fimserver" },
  },
  FimWhy = {
    function()
      require("fimserver.server").ask("fimserver.why", {}, show)
    end,
    { desc = "Say why the last suggestion was shown or not" },
  },
  FimToggle = {
    function(command)
      if command.args == "" then
        require("fimserver").toggle()
      else
        require("fimserver").toggle_filetype(command.args)
      end
    end,
    { nargs = "?", complete = "filetype", desc = "Switch suggestions off or on, everywhere or for a file type" },
  },
  FimSnooze = {
    function(command)
      require("fimserver").snooze(tonumber(command.args))
    end,
    { nargs = "?", desc = "Be silent for 5 minutes, or as many as given; again: speak" },
  },
  FimRestart = {
    function()
      require("fimserver.server").restart()
    end,
    { desc = "Stop the language server and start it again" },
  },
  FimLog = {
    function()
      vim.cmd.edit(vim.lsp.log.get_filename())
    end,
    { desc = "Open the log of language servers" },
  },
}

function M.create()
  for name, command in pairs(COMMANDS) do
    vim.api.nvim_create_user_command(name, command[1], command[2])
  end
end

return M
