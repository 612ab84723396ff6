--- The commands of the command line, as a table.

local M = {}

local function show(answer)
  local text = type(answer) == "string" and answer or vim.inspect(answer)
  vim.api.nvim_echo({ { text } }, true, {})
end

local function complete(list)
  return function(begun)
    return vim.tbl_filter(function(word)
      return vim.startswith(word, begun)
    end, require("fimserver.selection")[list])
  end
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
  FimEdit = {
    function(command)
      require("fimserver.selection").edit(command)
    end,
    {
      nargs = "+",
      range = true,
      bang = true,
      complete = complete("ACTIONS"),
      desc = "Explain, fix, document, test, simplify or type the lines, or change them as you say",
    },
  },
  FimReview = {
    function(command)
      require("fimserver.selection").review(command)
    end,
    {
      nargs = "*",
      range = true,
      complete = complete("REVIEWS"),
      desc = "Review the lines, the file, or what changed",
    },
  },
  FimCommitMessage = {
    function()
      require("fimserver.selection").commit_message()
    end,
    { desc = "Write the message of what is staged" },
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
