"""The documents' blocks for editors, read by the editors themselves."""

import subprocess
from pathlib import Path

import pytest

from tests.docs.blocks import Block, every_block

pytestmark = pytest.mark.editors

# Each reads the file that is named last, and fails where it cannot.
READ_LUA = "assert(loadfile(arg[1]))"
SOURCE_VIM = "vim.cmd.source(arg[1])"
READ_ELISP = """
(with-temp-buffer
  (insert-file-contents (pop command-line-args-left))
  (emacs-lisp-mode)
  (while (progn (forward-comment (buffer-size)) (not (eobp)))
    (read (current-buffer))))
"""

BLOCKS = [block for block in every_block() if block.language in ("lua", "vim", "elisp")]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.name} {block.language}")
def test_a_block_is_read_by_its_editor(block: Block, programs: Path, tmp_path: Path) -> None:
    given, reader = tmp_path / "given", tmp_path / "reader"
    # A plug-in manager's table is a value, not a program.
    given.write_text(f"return {block.text}" if block.text.startswith("{") else block.text, "utf-8")
    reader.write_text({"lua": READ_LUA, "vim": SOURCE_VIM, "elisp": READ_ELISP}[block.language], "utf-8")
    neovim = [programs / "nvim", "--clean", "-l", reader, given]
    emacs = [programs / "emacs", "--batch", "-Q", "-l", reader, given]
    ran = subprocess.run(emacs if block.language == "elisp" else neovim, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
