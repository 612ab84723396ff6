--- Bind the keys of insert mode. A key with nothing to do is typed as it is.

local M = {}

local ACTIONS = {
  accept = { "accept", "Accept the suggestion" },
  accept_word = { "accept_word", "Accept the suggestion's next word" },
  accept_line = { "accept_line", "Accept the suggestion's next line" },
}

local CYCLES = {
  next = { 1, "Show the next suggestion" },
  previous = { -1, "Show the previous suggestion" },
}

--- @param keys table<string, string|false>
function M.bind(keys)
  for name, action in pairs(ACTIONS) do
    M.map(keys[name], action[2], function(fallback)
      return require("fimserver")[action[1]]() and "" or fallback()
    end)
  end
  for name, cycle in pairs(CYCLES) do
    M.map(keys[name], cycle[2], function()
      vim.schedule(function()
        require("fimserver").cycle(cycle[1])
      end)
      return ""
    end)
  end
end

--- Map a key so that what it did before still happens where we have nothing to accept.
function M.map(key, description, run)
  if not key or not vim.lsp.inline_completion then
    return
  end
  local before = vim.fn.maparg(key, "i", false, true)
  vim.keymap.set("i", key, function()
    return run(function()
      return M.typed(key, before)
    end)
  end, { expr = true, replace_keycodes = false, desc = "fimserver: " .. description })
end

--- Return what a key types without us: what its earlier mapping says, or the key itself.
function M.typed(key, before)
  if vim.tbl_isempty(before) then
    return vim.keycode(key)
  end
  local text = before.rhs
  if before.callback then
    text = before.callback()
    text = before.expr == 1 and text or ""
  elseif before.expr == 1 then
    text = vim.api.nvim_eval(before.rhs)
  end
  return (before.expr == 0 or before.replace_keycodes == 1) and vim.keycode(text or "") or text or ""
end

return M
