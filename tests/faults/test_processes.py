"""Whatever process is killed, however many windows there are: one engine, no orphans, no stale locks, no lost text."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.conftest import Figure
from tests.faults.editor import Editor, copy_of_the_model, engine_of, ours
from tests.faults.forms import long_form
from tests.lsp.raw_client import RawClient
from tests.lsp.test_lifecycle import WAYS, leave

# An engine that nobody needs goes after a minute at most, or its `idle_s`; it looks every two seconds.
GONE_S = 65.0


def settings_for(home: Path, **engine: Any) -> dict[str, Any]:
    return {"model": {"completion": str(copy_of_the_model(home))}, "engine": {"threads": 1, **engine}}


@pytest.mark.parametrize("kills", long_form(200, 1800))
def test_after_killing_anything_at_random_nothing_of_ours_is_left(home: Path, kills: int, figure: Figure) -> None:
    chance = random.Random(kills)
    for _ in range(kills):
        with Editor(home, **settings_for(home, idle_s=2)) as editor:
            editor.edit(chance)
            editor.ask()
            editor.wait(chance.choice((0.0, 0.02, 0.2, 0.6)))
            victim = chance.choice(("server", "engine", "client"))
            if victim == "client":
                editor.close_input()
                assert editor.process.wait(200) == 1
            elif victim == "engine" and (process := engine_of(home)) is not None:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
                assert editor.text_there() == editor.text
                assert len(editor.told) <= 1
    figure("kills", kills)
    figure("s until all were gone", until_all_are_gone(home))
    with Editor(home, **settings_for(home, idle_s=2)) as editor:  # what killed ones left stops nobody
        assert editor.suggestion_at_last()
    until_all_are_gone(home)
    left = [path.name for path in (home / "run").iterdir()]
    assert [name for name in left if not name.startswith("recent-")] == []  # who reads these removes them


def until_all_are_gone(home: Path) -> float:
    """Wait until no process of ours runs and return how long that took."""
    began = time.monotonic()
    while left := ours(home):
        assert time.monotonic() - began < GONE_S, [psutil.Process(process).cmdline() for process in left]
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.soak
@pytest.mark.timeout(120)
def test_an_engine_whose_windows_are_gone_leaves_within_a_minute(home: Path, figure: Figure) -> None:
    with Editor(home, **settings_for(home, idle_s=600)) as editor:
        editor.suggestion_at_last()
    figure("s until the engine was gone", until_all_are_gone(home))


@pytest.mark.parametrize("races", long_form(50, 1800))
def test_windows_that_open_at_once_get_one_engine(home: Path, races: int, figure: Figure) -> None:
    for race in range(races):
        with ExitStack() as windows:
            settings = settings_for(home, idle_s=30 + race)
            editors = [windows.enter_context(Editor(home, **settings)) for _ in range(4)]
            for editor in editors:
                editor.ask()
            assert all(editor.suggestion_at_last() for editor in editors)
            os.kill(engine_of(home) or 0, signal.SIGKILL)  # `engine_of` has seen that there is one only
        while engine_of(home) is not None:
            time.sleep(0.01)
    figure("races", races)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [20])
def test_many_windows_share_one_engine_fairly_and_do_not_need_each_other(
    home: Path, count: int, figure: Figure
) -> None:
    settings = settings_for(home)
    with ExitStack() as windows:
        editors = [windows.enter_context(Editor(home, **settings)) for _ in range(count)]
        assert editors[0].suggestion_at_last()
        alone = psutil.Process(engine_of(home) or 0).memory_info().rss
        served = served_together(editors, 20.0)
        figure("windows", count)
        figure("times as often served, the most to the least", max(served) / max(1, min(served)))
        together = psutil.Process(engine_of(home) or 0).memory_info().rss
        figure("times the engine's memory for one", together / alone)
        for editor in editors[:-1]:
            editor.process.kill()
        editors[-1].type("last = ")
        assert editors[-1].suggestion_at_last()
        assert min(served) > 0


def served_together(editors: list[Editor], seconds: float) -> list[int]:
    """Return how many requests of each window are answered while all ask at once."""
    served, until = [0] * len(editors), time.monotonic() + seconds
    start = threading.Barrier(len(editors))

    def type_on(number: int) -> None:
        editor, chance = editors[number], random.Random(number)
        start.wait()
        while time.monotonic() < until:
            editor.edit(chance)
            editor.suggestion()
            served[number] += 1

    threads = [threading.Thread(target=type_on, args=(number,)) for number in range(len(editors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return served


@pytest.mark.parametrize("kills", long_form(20, 300))
def test_a_server_that_is_killed_is_back_with_its_text_within_seconds(home: Path, kills: int, figure: Figure) -> None:
    """What an editor does then: it starts the server again, and opens its documents."""
    slowest_s = 0.0
    for _ in range(kills):
        with Editor(home, **settings_for(home)) as editor:
            editor.suggestion_at_last()
            editor.process.kill()
        began = time.monotonic()
        with Editor(home, **settings_for(home)) as editor:
            assert editor.text_there() == editor.text
            slowest_s = max(slowest_s, time.monotonic() - began)
    figure("restarts", kills)
    figure("s until it was back at most", slowest_s)


@pytest.mark.soak
@pytest.mark.parametrize(("steps", "code"), WAYS.values(), ids=WAYS)
def test_it_is_gone_within_two_seconds(home: Path, steps: tuple[str, ...], code: int, figure: Figure) -> None:
    with RawClient(home) as client:
        for step in steps[:-1]:
            leave(client, step)
            if step == "initialize":
                client.request("started", "$/nothing")  # what a busy machine takes to load it is not what is measured
        began = time.monotonic()
        leave(client, steps[-1])
        assert client.process.wait(200) == code
        gone_s = time.monotonic() - began
    figure("ways", 1)
    figure("s until it was gone at most", gone_s)


@pytest.mark.soak
@pytest.mark.skipif(sys.platform == "win32", reason="starts `sleep`")
def test_it_is_gone_soon_after_its_editors_process(home: Path, figure: Figure) -> None:
    with RawClient(home) as client, subprocess.Popen(["sleep", "600"]) as editor:
        client.initialize(processId=editor.pid)
        client.request(1, "workspace/executeCommand", {"command": "fimserver.why"})
        editor.kill()
        editor.wait()
        began = time.monotonic()
        assert client.process.wait(200) == 1
    figure("ways", 1)
    figure("s until it was gone after its editor's process", time.monotonic() - began)
