--- Turn the options into a running language server, one for each workspace.

local M = {}

M.NAME = "fimserver"

--- So many ends within so many milliseconds are a server that cannot live.
local TOO_MANY, WITHIN_MS = 5, 3 * 60 * 1000
local crashes = {}

--- Return the client that serves a buffer, if there is one.
--- @param buffer integer? default: the current one
function M.client(buffer)
  return vim.lsp.get_clients({ name = M.NAME, bufnr = buffer or 0 })[1]
end

--- Ask the server of this buffer to carry out one of its commands.
--- @param command string
--- @param arguments table
--- @param answered fun(result: any)
function M.ask(command, arguments, answered)
  local client = M.client()
  if not client then
    vim.notify("fimserver does not run in this buffer. :checkhealth fimserver says why.", vim.log.levels.WARN)
    return
  end
  local request = { command = command, arguments = arguments }
  client:request("workspace/executeCommand", request, function(failure, result)
    if failure then
      vim.notify("fimserver: " .. failure.message, vim.log.levels.ERROR)
    else
      answered(result)
    end
  end, 0)
end

--- Tell the server something, where it runs. @see docs/protocol.md
function M.tell(method, parameters)
  local client = M.client()
  if client then
    client:notify(method, parameters)
  end
end

--- Stop the server and start it again for the buffers it served.
function M.restart()
  crashes = {}
  vim.lsp.enable(M.NAME, false)
  vim.lsp.enable(M.NAME, true)
end

--- Start the server again when it ended by itself: at once, because a change that Neovim 0.12 sees while a buffer has no
--- server ends its watching of that buffer, and a later server would be told of no change.
function M.ended(code, signal)
  if code == 0 and (signal == 0 or signal == 15) then
    return -- it was asked to
  end
  local now = vim.uv.now()
  crashes = vim.tbl_filter(function(time)
    return now - time < WITHIN_MS
  end, crashes)
  table.insert(crashes, now)
  vim.schedule(function()
    if #crashes < TOO_MANY then
      vim.lsp.enable(M.NAME, true)
    else
      vim.notify("fimserver ended five times within three minutes and stays stopped. :FimLog", vim.log.levels.ERROR)
    end
  end)
end

function M.enable(options)
  local settings = M.settings(options)
  vim.lsp.config(M.NAME, {
    cmd = options.cmd,
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    init_options = settings,
    settings = { fimserver = settings },
    capabilities = { experimental = { fimserver = { status = true, markdown = true } } },
    on_exit = M.ended,
    handlers = { ["fimserver/didChangeStatus"] = require("fimserver.status").heard },
  })
  vim.lsp.enable(M.NAME)
  require("fimserver.rest").watch()
  if options.ghost_text then
    require("fimserver.accept").watch()
    require("fimserver.dedent").watch()
    vim.lsp.inline_completion.enable(true)
  else
    M.complete_in_menu()
  end
end

--- Return the server's settings. Without ghost text the suggestions go into the menu, whatever this Neovim could draw.
function M.settings(options)
  local settings = vim.deepcopy(options.settings)
  if not options.ghost_text then
    settings.completion = vim.tbl_extend("keep", settings.completion or {}, { menu = "always" })
  end
  -- In JSON an empty table of Lua is a list, which the server would take for a mistake.
  return next(settings) and settings or vim.empty_dict()
end

function M.complete_in_menu()
  vim.api.nvim_create_autocmd("LspAttach", {
    group = vim.api.nvim_create_augroup("fimserver.menu", {}),
    callback = function(event)
      local client = assert(vim.lsp.get_client_by_id(event.data.client_id))
      if client.name == M.NAME then
        vim.lsp.completion.enable(true, client.id, event.buf, { autotrigger = true })
      end
    end,
  })
end

return M
