"""The commands on a selection with the embedded model: by filling in, and as the chat model that it is not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import commands
from tests.cli.in_process import run_here
from tests.lsp.editing_window import CAPABILITIES, EditingWindow
from tests.lsp.raw_client import RawClient

TILL = '''def change(paid, price):
    """Return what is given back."""
    return paid - price


«def total(prices):
    return sum(prices)»
'''


def test_a_comment_is_filled_in_and_other_commands_say_at_once_what_they_need(window: EditingWindow) -> None:
    place = {"start": {"line": 5, "character": 0}, "end": {"line": 5, "character": 1}}
    for action in ("explain", "fix", "tests", "simplify", "types", "instruct"):
        answer = window.run(
            f"fimserver.{action}", instruction="Shorter.", diagnostics=[{"message": "", "range": place}]
        )
        assert "fimserver pull qwen2.5-coder-7b-instruct" in answer["error"]["message"], action
    head, body = window.text.split("    return sum")
    assert window.run("fimserver.docstring")["result"] == {"applied": True}
    assert window.text.startswith(f'{head}    """')
    assert window.text.endswith(f'"""\n    return sum{body}')
    assert window.steps == 1


def test_a_real_model_that_cannot_chat_is_asked_and_harms_nothing(home: Path) -> None:
    path = commands.file(home, TILL.replace("«", "").replace("»", ""))
    before = path.read_text()
    for action in ("explain", "simplify"):
        ran = run_here("edit", action, f"{path}:6", "--write", "--model", "embedded")
        assert (ran.code, bool(ran.err)) in ((0, False), (2, True)), ran
    assert path.read_text().startswith(before[: before.index("def total")])


@pytest.fixture
def window(home: Path) -> Iterator[EditingWindow]:
    with RawClient(home, (sys.executable, "-m", "fimserver", "serve")) as client:
        client.initialize(capabilities=CAPABILITIES)
        yield EditingWindow(client, TILL)
