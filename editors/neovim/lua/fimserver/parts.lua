--- Cut a suggestion into what one key accepts. Pure functions on text; lengths are bytes.

local M = {}

--- Blanks, then a word, or else a run of other signs. Bytes above 127 belong to words in any script.
local WORD = { "^%s*[%w_\128-\255]+", "^%s*[^%w_%s\128-\255]+", "^%s+" }

--- Return the beginning of `whole` that stands in the buffer once `part` is accepted after `typed`.
---   accepted("add(a, b)", "add(", "word")  →  "add(a"
--- @param part "all"|"word"|"line"
function M.accepted(whole, typed, part)
  local rest = whole:sub(#typed + 1)
  return typed .. (M[part](rest))
end

function M.all(rest)
  return rest
end

function M.word(rest)
  for _, pattern in ipairs(WORD) do
    local word = rest:match(pattern)
    if word then
      return word
    end
  end
  return rest
end

--- The rest of this line, or, at its end, the next one.
function M.line(rest)
  return rest:match("^\n?[^\n]*")
end

--- Return the end of `tail` that still belongs behind the cursor while `rest` is not accepted yet.
--- A bracket that the editor closed stays until the suggestion's own has been accepted.
---   kept_tail(", b):", ")")  →  ")"        kept_tail("", ")")  →  ""
function M.kept_tail(rest, tail)
  local line = rest:match("^[^\n]*")
  while tail ~= "" and not M.holds_in_order(line, tail) do
    tail = tail:sub(2)
  end
  return tail
end

--- Tell whether all characters of `wanted` stand in `line`, in their order.
function M.holds_in_order(line, wanted)
  local from = 1
  for character in wanted:gmatch(".") do
    local found = line:find(character, from, true)
    if not found then
      return false
    end
    from = found + 1
  end
  return true
end

return M
