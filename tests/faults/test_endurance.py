"""Hours of editing change nothing: not the time of an answer, nor memory, file descriptors and threads."""

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Figure
from tests.faults.editor import SERVER, Editor, copy_of_the_model
from tests.faults.forms import long_form, percentile

# The whole is 480; a run says how many of them it had. Keys come as fast as they are answered, so that a minute here
# is many of somebody's who types.
MINUTES = float(os.environ.get("FIMSERVER_ENDURANCE_MINUTES", "10"))


@dataclass(frozen=True)
class Sample:
    """What the language server holds at a moment, after so many edits."""

    edits: int
    memory: int
    descriptors: int
    threads: int


@pytest.mark.parametrize("minutes", long_form(MINUTES, MINUTES * 60 + 120))
def test_nothing_grows_while_somebody_edits(home: Path, minutes: float, figure: Figure) -> None:
    chance, waited_ms = random.Random(1), list[float]()
    with Editor(home, SERVER, model={"completion": str(copy_of_the_model(home))}, engine={"threads": 1}) as editor:
        editor.suggestion_at_last()
        began = time.monotonic()
        seconds, early = minutes * 60, None
        while (spent := time.monotonic() - began) < seconds:
            editor.edit(chance)
            asked = time.monotonic()
            editor.suggestion()
            waited_ms.append((time.monotonic() - asked) * 1000)
            if early is None and spent > seconds / 5:
                early = sample(editor, len(waited_ms))
        late = sample(editor, len(waited_ms))
        assert editor.text_there() == editor.text
        assert editor.told == []
    assert early is not None
    fifth = len(waited_ms) // 5
    slower = percentile(waited_ms[-fifth:], 0.95) / percentile(waited_ms[:fifth], 0.95)
    bytes_per_edit = max(0, late.memory - early.memory) / (late.edits - early.edits)
    figure("minutes", int(minutes))
    figure("edits with a suggestion asked for", late.edits)
    figure("times the 95th percentile of the beginning at the end", slower)
    figure("bytes per edit", bytes_per_edit)
    assert abs(late.descriptors - early.descriptors) <= 2
    assert abs(late.threads - early.threads) <= 2


def sample(editor: Editor, edits: int) -> Sample:
    process = psutil.Process(editor.process.pid)
    return Sample(edits, process.memory_info().rss, process.num_fds(), process.num_threads())
