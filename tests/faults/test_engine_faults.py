"""Whatever becomes of the engine, every request is answered, the text is as it was, and the user hears of it once."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import Figure
from tests.faults.editor import ROGUE, SERVER, Editor, copy_of_the_model, engine_of
from tests.faults.forms import long_form
from tests.faults.rogue import ACTS, ANSWER

# How long after it was asked something the engine is killed: while it starts, loads, reads, writes, sends.
MOMENTS_S = (0.0, 0.005, 0.02, 0.05, 0.1, 0.3, 0.6)


@pytest.mark.parametrize("kills", long_form(100, 1200))
def test_killing_the_engine_at_any_moment_costs_one_suggestion(home: Path, kills: int, figure: Figure) -> None:
    chance, waited_s = random.Random(kills), []
    with Editor(home, model={"completion": str(copy_of_the_model(home))}) as editor:
        assert editor.suggestion_at_last()
        for number in range(kills):
            editor.edit(chance)
            waiting = editor.ask()
            editor.wait(chance.choice(MOMENTS_S))
            killed_at = time.monotonic()
            if (process := engine_of(home)) is not None:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            assert "error" not in editor.answer_to(waiting)
            waited_s.append(time.monotonic() - killed_at)
            editor.edit(chance)
            if number % 5 == 2:
                editor.type(f"\n\ndef mul{number}(a, b):\n")  # behind a header the model always has something to say
                assert editor.suggestion_at_last()
            assert editor.text_there() == editor.text
        assert len(editor.told) <= 1, editor.told
    figure("kills", kills)
    figure("ms to the answer at most", max(waited_s) * 1000)


def test_an_engine_that_errs_is_replaced_and_the_user_told_once(home: Path, figure: Figure) -> None:
    model = copy_of_the_model(home)
    wrong, slow = Path(f"{model}.mode"), Path(f"{model}.slow")
    slow.touch()
    with Editor(home, (*SERVER, ROGUE), model={"completion": str(model)}) as editor:
        assert [editor.suggestion() for _ in range(3)] == [""] * 3, "an engine that loads slowly is not waited for"
        slow.unlink()
        assert editor.suggestion_at_last() == ANSWER
        assert editor.told == []
        for number, mode in enumerate(ACTS):
            wrong.write_text(mode)
            editor.type(f"y{number} = ")
            assert "error" not in editor.answer_to(editor.ask())
            wrong.unlink()
            editor.type(f"z{number} + ")
            assert editor.suggestion_at_last() == ANSWER
            assert editor.text_there() == editor.text
        assert len(editor.told) <= 1, editor.told
    figure("kinds of fault", 1 + len(ACTS))


@pytest.mark.soak
def test_an_engine_without_memory_says_so_and_the_next_one_is_well(home: Path, figure: Figure) -> None:
    model = copy_of_the_model(home)
    wrong = Path(f"{model}.mode")
    wrong.write_text("no memory")
    settings = {"model": {"completion": str(model)}, "engine": {"idle_s": 1, "context_tokens": 200_000}}
    with Editor(home, (*SERVER, ROGUE), **settings) as editor:
        while not editor.told:
            assert editor.suggestion() == ""
        wrong.unlink()
        assert editor.suggestion_at_last() == ANSWER
        assert len(editor.told) == 1
        assert "memory" in editor.told[0]
    figure("kinds of fault", 1)


@pytest.mark.soak
def test_saved_states_that_are_corrupt_and_a_socket_that_is_gone_cost_nothing(home: Path) -> None:
    """Whatever of an engine's files is damaged between two engines, the next one starts and answers the same."""
    settings = {"model": {"completion": str(copy_of_the_model(home))}}
    with Editor(home, **settings) as editor:
        editor.type("# a longer text, so that its state is worth a file\n" * 12 + "x = ")
        assert editor.suggestion_at_last()
        assert "error" not in editor.request("r", "workspace/executeCommand", {"command": "fimserver.restartEngine"})
        for path in (home / "cache" / "kv").iterdir():
            path.write_bytes(path.read_bytes()[:-9] + b"\xff" * 9)
        for path in (*(home / "run").glob("*.sock"), *(home / "run").glob("*.door")):
            path.unlink()
        assert editor.suggestion_at_last()
        assert editor.told == []
