"""Drive a real Neovim through its own remote interface: keys in, buffer and ghost text out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.editors.waiting import until

PLUGIN = Path(__file__).parents[2] / "editors" / "neovim"

# Ghost text is the virtual text of one namespace: its first line within the line, more lines below.
GHOST = """
local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
if not namespace then return "" end
local lines = {}
for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
  for _, chunks in ipairs({ mark[4].virt_text or {}, unpack(mark[4].virt_lines or {}) }) do
    local line = ""
    for _, chunk in ipairs(chunks) do line = line .. chunk[1] end
    table.insert(lines, line)
  end
end
return table.concat(lines, "\\n")
"""

# A server that has been initialized is attached to the buffer a moment later, and ghost text begins to follow the keys
# another moment later: keys before that ask for nothing.
READY = """
local client = vim.lsp.get_clients({ name = "fimserver", bufnr = 0 })[1]
if not (client and client.initialized) then return false end
if not vim.lsp.inline_completion.is_enabled({ bufnr = 0 }) then return true end
return vim.iter(vim.api.nvim_get_autocmds({ event = "CursorMovedI", buffer = 0 })):any(function(one)
  return (one.group_name or ""):find("inline_completion") ~= nil
end)
"""


class Neovim:
    """One Neovim with the plug-in, set up as a user does."""

    def __init__(self, programs: Path, folder: Path, command: Sequence[str], **options: Any) -> None:
        import pynvim

        init = folder / "init.lua"
        setup = json.dumps({"cmd": [*command], **options})
        init.write_text(
            f"vim.opt.runtimepath:prepend({str(PLUGIN)!r})\n"
            f"require('fimserver').setup(vim.json.decode({_lua_string(setup)}))\n",
            "utf-8",
        )
        program = str(programs / "nvim")
        arguments = [program, "--embed", "--headless", "--clean", "-u", str(init), "-i", "NONE", "-n"]
        self._nvim = pynvim.attach("child", argv=arguments)

    def open(self, file: Path) -> None:
        """Open a file and wait for the server."""
        self._nvim.command(f"edit {file}")
        self.wait_for_server()

    def wait_for_server(self) -> None:
        """Wait until a server has been started for this buffer."""
        until(lambda: self.lua(READY), "the server", self.messages)

    def keys(self, keys: str) -> None:
        """Press keys, in Neovim's notation."""
        self._nvim.input(keys)

    def leave_insert(self) -> None:
        """Press Escape, and wait: the keys that follow would be taken for one sequence with it."""
        self.keys("<Esc>")
        until(lambda: self._nvim.api.get_mode()["mode"] == "n", "normal mode")

    def text(self) -> str:
        """Return the buffer."""
        return "\n".join(self._nvim.current.buffer[:])

    def wait_for_text(self, text: str) -> None:
        """Wait until the buffer is this."""
        until(lambda: self.text() == text, f"the text {text!r}", self.text)

    def ghost(self) -> str:
        """Return the ghost text."""
        return str(self.lua(GHOST))

    def wait_for_ghost(self, text: str) -> None:
        """Wait until the ghost text is this."""
        until(lambda: self.ghost() == text, f"the ghost text {text!r}", lambda: (self.ghost(), self.text()))

    def saved(self, file: Path) -> str:
        """Write the buffer and return the file, line ends and all."""
        self._nvim.command("silent write")
        return file.read_bytes().decode()

    def lua(self, code: str, *arguments: Any) -> Any:
        """Run Lua and return its result."""
        return self._nvim.exec_lua(code, *arguments)

    def command(self, command: str) -> None:
        """Run a command of the command line."""
        self._nvim.command(command)

    def messages(self) -> str:
        """Return what Neovim has told its user."""
        return str(self._nvim.command_output("messages"))

    def complaints(self) -> list[str]:
        """Return what it has told its user of the server's troubles."""
        return [line for line in self.messages().splitlines() if line.startswith(("fimserver", "LSP[fimserver]"))]

    def forget(self) -> None:
        """Leave all files, saved or not, and forget what was told: the next test finds it as this one did."""
        self.leave_insert()
        self._nvim.command("silent %bwipeout!")
        self._nvim.command("messages clear")

    def close(self) -> None:
        """End it, whatever is not saved."""
        import contextlib

        with contextlib.suppress(OSError, EOFError):  # the answer does not come: Neovim is gone
            self._nvim.command("qall!")
        self._nvim.close()


def _lua_string(text: str) -> str:
    return f"[==[{text}]==]"
