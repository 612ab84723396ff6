"""Whatever bytes a client sends, the server lives, and each well-formed request is answered exactly once."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.faults.conftest import Figure
from tests.faults.forms import forms
from tests.lsp.fuzz import Session, Step
from tests.lsp.raw_client import RawClient, frame
from tests.lsp.test_protocol import ASKED, WAIT

# Frames between two requests whose answer is waited for: so a hang is noticed, and answers do not pile up here.
BATCH = 200

# More of the server's own time for a batch is a hang; one that takes no time and has no end is noticed by the client.
HANG_S = 1.0


@pytest.mark.parametrize("frames", forms(50_000, 1_000_000, 1800))
def test_frames_of_every_kind_cost_no_answer_and_no_life(session: RawClient, frames: int, figure: Figure) -> None:
    slowest_s = exchange(session, Session(frames).steps(frames))
    figure("frames", frames)
    figure("ms of processor for the slowest batch", slowest_s * 1000)
    assert slowest_s < HANG_S


@pytest.mark.parametrize("requests", forms(5_000, 100_000, 900))
def test_requests_that_are_cancelled_doubled_and_wrong_are_answered_once(
    session: RawClient, requests: int, figure: Figure
) -> None:
    session.open("abc")
    session.open("wait", uri="file:///wait.py")
    exchange(session, mixed_requests(requests))
    figure("requests", requests)


def exchange(client: RawClient, steps: Iterator[Step]) -> float:
    """Send all steps, in pieces of any size, and check the answers; return the most processor time of a batch."""
    expected: Counter[Any] = Counter()
    answered: Counter[Any] = Counter()
    cuts, slowest_s = random.Random(1), 0.0
    client.request("started", "$/nothing")
    for number, batch in enumerate(batched(steps), 1):
        expected.update(message_id for step in batch for message_id in step.ids)
        probe = f"probe {number}"
        before_s = processor_s(client)
        send_in_pieces(client, b"".join(step.data for step in batch), cuts)
        client.send_bytes(b"\r\n" + frame({"jsonrpc": "2.0", "id": probe, "method": "$/nothing"}))
        while (message := client.receive()).get("id") != probe:
            if "method" not in message:
                answered[message["id"]] += 1
        slowest_s = max(slowest_s, processor_s(client) - before_s)
    client.send({"id": "last", "method": "shutdown"})  # it cancels, and answers, whatever is live still
    while (message := client.receive()).get("id") != "last":
        if "method" not in message:
            answered[message["id"]] += 1
    assert {number: answered[number] for number in expected} == expected
    return slowest_s


def processor_s(client: RawClient) -> float:
    times = psutil.Process(client.process.pid).cpu_times()
    return times.user + times.system


def mixed_requests(count: int) -> Iterator[Step]:
    """Yield requests that are answered, that wait until they are cancelled, that repeat a live id, or are wrong."""
    chance = random.Random(count)
    waiting: list[str] = []
    for number in range(count):
        ask = {"jsonrpc": "2.0", "id": f"r{number}", "method": "textDocument/inlineCompletion"}
        kind = chance.choice(("sound", "sound", "wrong", "wait", "double", "unknown"))
        if kind == "double" and waiting:
            ask |= {"id": chance.choice(waiting), "params": ASKED}
        elif kind == "wait":
            waiting.append(f"r{number}")
            ask |= {"params": {**WAIT, "textDocument": {"uri": "file:///wait.py"}}}
        elif kind == "unknown":
            ask |= {"method": "textDocument/hover"}
        else:
            ask |= {"params": ASKED if kind == "sound" else {"position": number}}
        yield Step(frame(ask), (ask["id"],))
        if len(waiting) > 50 or (waiting and chance.random() < 0.2):
            gone = waiting.pop(chance.randrange(len(waiting)))
            yield Step(frame({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": gone}}))


def batched(steps: Iterator[Step]) -> Iterator[list[Step]]:
    while batch := list(itertools.islice(steps, BATCH)):
        yield batch


def send_in_pieces(client: RawClient, data: bytes, cuts: random.Random) -> None:
    """Write bytes in a few pieces whose borders have nothing to do with those of frames."""
    borders = sorted(cuts.randrange(len(data) + 1) for _ in range(3)) if data else []
    for start, end in itertools.pairwise((0, *borders, len(data))):
        client.send_bytes(data[start:end])
