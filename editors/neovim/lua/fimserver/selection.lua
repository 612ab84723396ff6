--- The commands on a selection: edit it, review it, explain it, and write a commit message.

local M = {}

--- The actions of :FimEdit; any other words are an instruction.
M.ACTIONS = { "docstring", "explain", "fix", "simplify", "tests", "types" }

--- What :FimReview can review beside a range.
M.REVIEWS = { "base", "changes", "file", "function", "staged" }

--- Return the lines of a command's range, or the cursor where it had none: then the definition around it is meant.
local function range_of(command)
  if command.range > 0 then
    return { start = { line = command.line1 - 1, character = 0 }, ["end"] = { line = command.line2, character = 0 } }
  end
  local line = vim.api.nvim_win_get_cursor(0)[1] - 1
  return { start = { line = line, character = 0 }, ["end"] = { line = line, character = 0 } }
end

--- Return what other servers and linters say of the lines.
local function complaints(range)
  local last = math.max(range.start.line, range["end"].line - 1)
  local found = {}
  for _, one in ipairs(vim.diagnostic.get(0)) do
    if one.lnum >= range.start.line and one.lnum <= last and one.source ~= "fimserver" then
      local place = { line = one.lnum, character = one.col }
      table.insert(found, { message = one.message, range = { start = place, ["end"] = place } })
    end
  end
  return found
end

--- Show a text in a window of its own; some packages of Neovim come without what draws Markdown.
local function show(markdown)
  local lines = vim.split(markdown, "\n", { plain = true, trimempty = true })
  local found, draws = pcall(vim.treesitter.language.add, "markdown")
  local options = { border = "rounded", max_width = 90, focusable = true }
  vim.lsp.util.open_floating_preview(lines, found and draws and "markdown" or "", options)
end

--- :[range]FimEdit[!] {action or instruction}
function M.edit(command)
  local range = range_of(command)
  local known = vim.list_contains(M.ACTIONS, command.args)
  local options = {
    force = command.bang,
    instruction = known and "" or command.args,
    diagnostics = command.args == "fix" and complaints(range) or {},
  }
  local action = known and command.args or "instruct"
  require("fimserver.server").ask("fimserver." .. action, { vim.uri_from_bufnr(0), range, options }, function(result)
    if type(result) == "table" and result.markdown then
      show(result.markdown)
    end
  end)
end

--- :[range]FimReview [what]
function M.review(command)
  local what = command.fargs[1] or (command.range > 0 and "selection" or "file")
  local arguments = { what, vim.uri_from_bufnr(0), range_of(command), command.fargs[2] }
  require("fimserver.server").ask("fimserver.review", arguments, function(result)
    vim.notify(("fimserver: %d findings"):format(result.findings))
  end)
end

--- :FimCommitMessage puts the message before the first line of a buffer that is no commit message's, too.
function M.commit_message()
  local buffer = vim.api.nvim_get_current_buf()
  require("fimserver.server").ask("fimserver.commitMessage", { vim.uri_from_bufnr(buffer) }, function(result)
    if vim.bo[buffer].filetype ~= "gitcommit" then
      vim.api.nvim_buf_set_lines(buffer, 0, 0, false, vim.split(result.message, "\n", { plain = true }))
    end
  end)
end

return M
