--- Turn what the server says of itself into a few words for the status line.

local M = {}

--- By client number: what it said last, { kind, busy, message }.
local said = {}

local MARKS = { Normal = "", Warning = " !", Error = " ✗", Inactive = " -" }

--- The handler of fimserver/didChangeStatus.
function M.heard(_, status, context)
  said[context.client_id] = status
  vim.cmd.redrawstatus()
end

--- Return what the server of the current buffer said last, or nil.
function M.last()
  local client = require("fimserver.server").client()
  return client and said[client.id]
end

function M.line()
  local client = require("fimserver.server").client()
  if not client then
    return ""
  end
  local off = require("fimserver.switches").why_off(vim.bo.filetype)
  if off then
    return "fim off"
  end
  local status = said[client.id]
  return "fim" .. (status and (status.busy and " …" or MARKS[status.kind]) or "")
end

return M
