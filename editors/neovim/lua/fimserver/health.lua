--- `:checkhealth fimserver`: each line is fine or says what mends it.

local health = vim.health

local M = {}

local function check_neovim()
  if vim.fn.has("nvim-0.12") == 1 then
    health.ok("Neovim draws ghost text")
  elseif vim.fn.has("nvim-0.11") == 1 then
    health.warn("Neovim 0.11 shows suggestions in the menu only", "Ghost text needs Neovim 0.12")
  else
    health.error("Neovim is too old", "fimserver needs Neovim 0.11 or later")
  end
end

local function check_program()
  local config = vim.lsp.config["fimserver"]
  if not config then
    health.error("setup() was not called", 'Call require("fimserver").setup{} in your configuration')
    return
  end
  local program = config.cmd[1]
  if vim.fn.executable(program) == 0 then
    health.error(program .. " is not on PATH", 'Install it with: pip install "fimserver[llama]"; or name it in the option cmd')
    return
  end
  local version = vim.system({ program, "--version" }, { text = true }):wait(10000)
  health.ok(vim.trim(version.stdout or "") .. ", at " .. vim.fn.exepath(program))
end

local function check_clients()
  local clients = vim.lsp.get_clients({ name = "fimserver" })
  if #clients == 0 then
    health.info("No server runs yet: it starts with the first file")
  end
  for _, client in ipairs(clients) do
    local buffers = vim.tbl_count(client.attached_buffers)
    health.ok(("Server %d serves %d buffers of %s"):format(client.id, buffers, client.root_dir or "no folder"))
  end
end

local function check_keys()
  for _, map in ipairs(vim.api.nvim_get_keymap("i")) do
    if map.desc and vim.startswith(map.desc, "fimserver: ") then
      health.ok(("%s: %s"):format(map.lhs, map.desc:sub(#"fimserver: " + 1)))
    end
  end
end

function M.check()
  health.start("fimserver")
  check_neovim()
  check_program()
  check_clients()
  check_keys()
end

return M
