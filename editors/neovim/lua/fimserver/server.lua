--- Turn the options into a running language server, one for each workspace.

local M = {}

M.NAME = "fimserver"

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
  vim.lsp.enable(M.NAME, false)
  vim.lsp.enable(M.NAME, true)
end

function M.enable(options)
  vim.lsp.config(M.NAME, {
    cmd = options.cmd,
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    init_options = options.settings,
    settings = { fimserver = options.settings },
    capabilities = M.capabilities(options.ghost_text),
    handlers = { ["fimserver/didChangeStatus"] = require("fimserver.status").heard },
  })
  vim.lsp.enable(M.NAME)
  if options.ghost_text then
    require("fimserver.accept").watch()
    vim.lsp.inline_completion.enable(true)
  else
    M.complete_in_menu()
  end
end

--- Return what we can beyond what Neovim says. The server offers its menu to clients without ghost text only.
function M.capabilities(ghost_text)
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  capabilities.experimental = { fimserver = { status = true } }
  if not ghost_text then
    capabilities.textDocument.inlineCompletion = nil
  end
  return capabilities
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
