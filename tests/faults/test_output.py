"""Whatever a model writes, nothing that steers a terminal or hides from the reader is shown."""

import json
import random
import sys
import unicodedata
from pathlib import Path

import pytest

from fimserver.cli.output import harmless
from fimserver.complete.filters import refine
from fimserver.values import Rejection
from tests.cli.commands import run, script
from tests.faults.conftest import Figure
from tests.faults.forms import forms
from tests.lsp.conftest import RawClient
from tests.unit.complete.landings import looked
from tests.unit.complete.test_output_safety import HIDDEN, PLACES, is_hidden

WORDS = (
    "return a",
    "x = 1",
    "\n",
    "\n    ",
    "if a:",
    "(",
    ")",
    "```",
    "\x1b[31m",
    "\x1b]52;c;eA==\x07",
    "\u202e",
    "é",
    "漢",
)
TRICKS = "a\x1b[2Jb\x1b]52;c;eA==\x07c\x9b31md\u202ee\u200bf\x00g\x08h\r\U000e0041i\u2066j"

# No character that moves the cursor of a terminal or reorders its line, whatever else text may hold.
STEERING = frozenset(
    "\x00\x07\x08\x0b\x0c\x1b\x7f\x9b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff"
)


@pytest.mark.parametrize("outputs", forms(1_000, 1_000_000, 3600))
def test_no_output_shows_what_cannot_be_seen(outputs: int, figure: Figure) -> None:
    chance = random.Random(outputs)
    contexts = [looked(at, language) for language, at in PLACES]
    allowed = [set(context.document.text) for context in contexts]
    shown = 0
    for number in range(outputs):
        place = number % len(PLACES)
        text, _ = refine(_output(chance), contexts[place])
        if not isinstance(text, Rejection):
            shown += 1
            assert {character for character in text if is_hidden(character)} <= allowed[place]
    figure("outputs", outputs)
    figure("of these shown", shown)
    assert shown > outputs // 10


def _output(chance: random.Random) -> str:
    pieces = chance.choices((*WORDS, None, None, ""), k=chance.randrange(1, 9))
    return "".join(_character(chance) if piece is None else piece for piece in pieces)


def _character(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(HIDDEN)
    character = chr(chance.randrange(0x11_0000))
    return "x" if unicodedata.category(character) == "Cs" else character


@pytest.mark.parametrize("character", sorted(STEERING), ids=lambda character: f"U+{ord(character):04X}")
def test_a_terminal_is_never_steered(character: str) -> None:
    assert character not in harmless(f"a{character}b")


@pytest.mark.parametrize(("command", "form"), [("complete", ()), ("why", ()), ("why", ("--json",))])
def test_commands_print_no_control_character(tmp_path: Path, command: str, form: tuple[str, ...]) -> None:
    source = tmp_path / "evil\x1b[31m.py"
    source.write_text("value = \nother = 2\n")
    engine = script(tmp_path, {"text": f"'{TRICKS}'\n"})
    ran = run("--engine", engine, command, f"{source}:1:9", *form)
    assert STEERING.isdisjoint(ran.out + ran.err), ran.out + ran.err


def test_an_editor_gets_no_control_character(tmp_path: Path, figure: Figure) -> None:
    engine = script(tmp_path, {"text": f"'{TRICKS}'\n"})
    server = (sys.executable, "-m", "fimserver", "--engine", engine, "serve")
    with RawClient(tmp_path, server) as client:
        client.initialize(initializationOptions={"completion": {"confidence": "off"}})
        client.open("value = ")
        place = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 8}}
        answer = client.request(1, "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}})
        assert STEERING.isdisjoint(json.dumps(answer["result"], ensure_ascii=False))
    figure("outputs", 1)
