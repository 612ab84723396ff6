"""However much is asked, typed and left unread, the server answers, stays small, and listens."""

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from fimserver.complete.allowed import is_too_large
from tests.faults.conftest import Figure
from tests.faults.editor import SERVER, Editor, copy_of_the_model
from tests.faults.forms import forms, long_form, percentile
from tests.lsp.raw_client import STAND_IN, RawClient
from tests.lsp.test_protocol import ASKED, CANCELLED, WAIT

MEGABYTE = 1024 * 1024

# Before that caches fill, and fewer edits say more of them than of what comes later.
WARM_EDITS = 5_000

QUICK_KEYS = 100


def memory(client: RawClient) -> int:
    return psutil.Process(client.process.pid).memory_info().rss


@pytest.mark.parametrize("edits", forms(2_000, 200_000, 1800))
def test_memory_does_not_grow_with_edits(home: Path, edits: int, figure: Figure) -> None:
    """A quarter of the edits, each with a completion at every fourth, is for warming up; then memory stays.

    What the quick form has of it is no measure: it only proves that nothing runs away.
    """
    chance = random.Random(edits)
    with Editor(home, STAND_IN) as editor:
        at_quarter = 0
        for number in range(edits):
            editor.edit(chance)
            if number % 4 == 0:
                editor.suggestion()
            if number == edits // 4:
                at_quarter = memory(editor)
        grown = memory(editor) - at_quarter
    figure("edits", edits)
    figure("completions", edits // 4)
    if edits // 4 >= WARM_EDITS:
        figure("bytes per edit", max(0, grown) / (edits * 3 / 4))
    assert grown < 20 * MEGABYTE


def test_the_texts_before_an_edit_are_let_go(home: Path) -> None:
    with Editor(home, STAND_IN) as editor:
        for _ in range(50):
            editor.type("a")
            assert editor.suggestion()
        editor.type("\ndocuments")
        assert int(editor.suggestion()) < 10


@pytest.mark.parametrize("cancels", forms(50, 1_000, 300))
def test_a_cancelled_request_is_answered_at_once_and_once(home: Path, cancels: int, figure: Figure) -> None:
    chance, waited_ms = random.Random(cancels), []
    with RawClient(home) as client:
        client.initialize()
        client.open("wait")
        for number in range(1, cancels + 1):
            client.send({"id": number, "method": "textDocument/inlineCompletion", "params": WAIT})
            time.sleep(chance.choice((0.0, 0.0, 0.001, 0.01)))
            began = time.monotonic()
            client.send({"method": "$/cancelRequest", "params": {"id": number}})
            assert client.answers(1) == [{**client_error(number), "jsonrpc": "2.0"}]
            waited_ms.append((time.monotonic() - began) * 1000)
    figure("cancels", cancels)
    figure("ms to the answer, 95th percentile", percentile(waited_ms, 0.95))


def client_error(number: int) -> dict[str, Any]:
    return {"id": number, "error": {"code": CANCELLED, "message": "The request was cancelled."}}


@pytest.mark.parametrize("keys", forms(QUICK_KEYS, 3_000, 200))
def test_typing_fast_gets_the_newest_request_its_answer(home: Path, keys: int, figure: Figure) -> None:
    """Every key asks; the older requests of the document make way, and something else is answered in between.

    The quick form types as fast as it can, which is more than the target's 50 keys a second: its times do not count.
    """
    pause_s = 0.001 if keys == QUICK_KEYS else 0.02
    with Editor(home, SERVER, model={"completion": str(copy_of_the_model(home))}, engine={"threads": 1}) as editor:
        editor.suggestion_at_last()
        asked, lag_ms = [], []
        for number in range(keys):
            editor.type("abcdefgh = \n"[number % 12])
            asked.append(editor.ask())
            if number % 10 == 9:
                began = time.monotonic()
                editor.send({"id": f"probe {number}", "method": "$/nothing"})
                seen = answers_until(editor, f"probe {number}")
                lag_ms.append((time.monotonic() - began) * 1000)
                asked = [one for one in asked if one not in seen]
            time.sleep(pause_s)
        last = asked[-1]
        while asked:
            message = editor.receive()
            if message.get("id") in asked:
                assert "error" not in message
                asked.remove(message["id"])
        assert last not in asked
        assert editor.text_there() == editor.text
    figure("keys", keys)
    if keys != QUICK_KEYS:
        figure("ms a message waits, 95th percentile", percentile(lag_ms, 0.95))


def answers_until(client: RawClient, probe: str) -> set[Any]:
    seen = set()
    while (message := client.receive()).get("id") != probe:
        assert "error" not in message, message
        seen.add(message.get("id"))
    return seen


@pytest.mark.parametrize("pending", forms(1_000, 10_000, 120))
def test_requests_that_wait_hold_up_nobody_and_are_all_answered(home: Path, pending: int, figure: Figure) -> None:
    with RawClient(home) as client:
        client.initialize()
        client.open("wait")
        client.request("started", "$/nothing")  # what a server loads after its greeting is not what waiting costs
        before, waited_ms = memory(client), []
        for number in range(pending):
            client.send({"id": number + 1, "method": "textDocument/inlineCompletion", "params": WAIT})
        for number in range(20):
            began = time.monotonic()
            client.request(f"other {number}", "$/nothing")
            waited_ms.append((time.monotonic() - began) * 1000)
        grown = memory(client) - before
        began = time.monotonic()
        client.send({"id": "end", "method": "shutdown"})
        answered = Counter(answer["id"] for answer in client.answers(pending))
        assert answered == Counter(range(1, pending + 1))
        figure("pending", pending)
        figure("s until all were answered", time.monotonic() - began)
        figure("MB more", grown / MEGABYTE)
        figure("ms another request takes at most", max(waited_ms[1:]))
        assert grown < 100 * MEGABYTE


@pytest.mark.parametrize("stopped_s", long_form(30.0, 120))
def test_a_client_that_does_not_read_costs_bounded_memory_and_gets_everything(
    home: Path, stopped_s: float, figure: Figure
) -> None:
    """40 MB of answers are due; while nobody reads them the server holds about 32 MB, and takes no more requests."""
    line, count, reading = "x" * 100_000, 400, threading.Event()
    params = {**ASKED, "position": {"line": 0, "character": len(line)}}
    with SlowReader(home, reading) as client:
        client.send({"id": 0, "method": "initialize", "params": {"capabilities": {}}})
        client.open(line)
        before = memory(client)
        asks = [{"id": number, "method": "textDocument/inlineCompletion", "params": params} for number in range(1, 401)]
        sending = threading.Thread(target=client.send, args=asks)
        sending.start()
        time.sleep(stopped_s)
        grown = memory(client) - before
        reading.set()
        sending.join()
        assert [answer["id"] for answer in client.answers(count + 1)] == list(range(count + 1))
        assert "result" in client.request("after", "workspace/executeCommand", {"command": "fimserver.why"})
    figure("s without reading", int(stopped_s))
    figure("MB more", grown / MEGABYTE)
    assert grown < 100 * MEGABYTE


class SlowReader(RawClient):
    """A client that reads nothing until it is told to."""

    def __init__(self, home: Path, until: threading.Event) -> None:
        self._until = until
        super().__init__(home)

    def _read(self) -> None:
        self._until.wait()
        super()._read()


ODD_FILES = {
    "50 MB": "x = 1\n" * 8_000_000,
    "a line of 10 MB": "x" * 10_000_000,
    "a million lines": "\n" * 1_000_000,
    "2 MB": "value = compute(1, 2)\n" * 90_000,
    "binary": "\0\x01\x02" * 50_000,
    "100,000 brackets": "x = " + "[" * 100_000,
    "100,000 brackets that close": "[" * 50_000 + "]" * 50_000,
    "10,000 blocks in one another": "".join(" " * min(depth, 200) + "if x:\n" for depth in range(10_000)),
    "half a character": "x = '\ud800\udfff'\n",
    "nothing": "",
}


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", ODD_FILES.values(), ids=ODD_FILES)
def test_an_odd_file_is_answered_or_declined_soon(home: Path, text: str, figure: Figure) -> None:
    with Editor(home, SERVER, model={"completion": str(copy_of_the_model(home))}) as editor:
        editor.suggestion_at_last()
        before = memory(editor)
        editor.uri, editor.text = "file:///odd.py", text
        editor.open(text, editor.uri)
        editor.request("parsed", "$/nothing")
        editor.suggestion()
        grown = memory(editor) - before
        waited_ms = []
        for _ in range(5):
            editor.type("a")
            end, began = editor.end, time.monotonic()
            assert "error" not in editor.answer_to(editor.ask(end))
            waited_ms.append((time.monotonic() - began) * 1000)
        kept = not is_too_large(len(editor.text), editor.text.count("\n") + 1) and "\ud800" not in text
        assert not kept or editor.text_there() == editor.text
    figure("files", 1)
    figure("ms for an answer at most", max(waited_ms))
    figure("MB more at most", grown / MEGABYTE)
    assert grown < 200 * MEGABYTE
