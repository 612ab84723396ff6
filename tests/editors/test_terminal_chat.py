"""A real terminal: `fimserver chat` prompts, streams, survives Ctrl+C, keeps what was typed, and ends with Ctrl+D."""

import os
import stat
from pathlib import Path

import pytest

from tests.editors.servers import FIMSERVER

pytestmark = [pytest.mark.editors, pytest.mark.timeout(120)]


def test_a_conversation_in_a_terminal(tmp_path: Path, home: Path) -> None:
    import pexpect

    script = tmp_path / "replies.jsonl"
    script.write_text('{"text": "Because."}\n')
    arguments = ["--engine", f"scripted:{script}", "chat"]
    terminal = pexpect.spawn(
        str(FIMSERVER), arguments, env={**os.environ, "TERM": "xterm"}, encoding="utf-8", timeout=60
    )
    terminal.expect("> ")
    terminal.sendline("Why?")
    terminal.expect("Because.")
    terminal.expect("> ")
    terminal.sendintr()
    terminal.expect("> ")
    terminal.sendeof()
    terminal.expect(pexpect.EOF)
    terminal.close()
    history = home / "fimserver" / "state" / "chat-history"
    assert (terminal.exitstatus, history.read_text()) == (0, "Why?\n")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
