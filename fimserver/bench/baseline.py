"""Replay the same traces against a llama-server, with the requests its own Vim client sends, and count the same things.

The request is llama.vim's: 256 lines before the cursor, 64 after it, the current line up to the cursor as `prompt`, one
slot, `cache_prompt`, top-k 40, top-p 0.90, its `infill` sampler, at most 128 tokens and 250 ms for the first answer at
a place (llama.vim a1c8e6e). Like that client it answers from memory while an earlier answer is typed along.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fimserver.bench.traces import Key, Move, Pause, Trace, event_offset
from fimserver.bench.typing import Pressed, Replayed, Tokens
from fimserver.errors import FimError

_PREFIX_LINES = 256
_SUFFIX_LINES = 64
_FIRST_ANSWER_MS = 250
_LOADING_S = 180.0
_ANSWER_S = 600.0


def replay_baseline(
    server: str,
    model: Path,
    traces: Sequence[Trace],
    *,
    threads: int,
    gap_ms: float,
    on_trace: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Replay traces against `server`: its address, or the program to start with the model. Raises FimError."""
    with _running(server, model, threads) as address:
        connection = http.client.HTTPConnection(address, timeout=_ANSWER_S)
        keys: list[Pressed] = []
        tokens: dict[str, Tokens] = {}
        for trace in traces:
            on_trace(f"llama-server: {trace.name}")
            pressed = list(_replay_one(connection, trace, gap_ms))
            keys += pressed
            read = sum(key.evaluated_tokens for key in pressed)
            tokens[trace.name] = Tokens(read + sum(key.generated_tokens for key in pressed), read)
        return Replayed(keys, tokens)


def _replay_one(connection: http.client.HTTPConnection, trace: Trace, gap_ms: float) -> Iterator[Pressed]:
    texts = dict(trace.files)
    remembered: list[tuple[str, str]] = []  # text before the cursor, and what was answered there
    for event in trace.events:
        if isinstance(event, Pause):
            time.sleep(event.pause_ms / 1_000)
            continue
        if isinstance(event, Move):
            continue  # its client asks when a key is pressed
        began = time.perf_counter()
        text, caret = _after(texts[event.file], event)
        texts[event.file] = text
        yield _press(connection, trace.name, text[:caret], text[caret:], remembered)
        time.sleep(max(0.0, gap_ms / 1_000 - (time.perf_counter() - began)))


def _press(
    connection: http.client.HTTPConnection, trace: str, before: str, after: str, remembered: list[tuple[str, str]]
) -> Pressed:
    began = time.perf_counter()
    if any(_goes_on(earlier, answer, before) for earlier, answer in remembered):
        return _pressed(trace, {}, time.perf_counter() - began, cached=True)
    reply = _infill(connection, before, after)
    remembered.append((before, reply["content"]))
    return _pressed(trace, reply["timings"], time.perf_counter() - began, cached=False)


def _goes_on(earlier: str, answer: str, before: str) -> bool:
    """Say whether the user has typed along an earlier answer and something of it is left."""
    typed = before[len(earlier) :]
    return before.startswith(earlier) and len(typed) < len(answer) and answer.startswith(typed)


def _pressed(trace: str, timings: dict[str, Any], seconds: float, *, cached: bool) -> Pressed:
    evaluated, written = int(timings.get("prompt_n", 0)), int(timings.get("predicted_n", 0))
    return Pressed(
        trace=trace,
        evaluated_tokens=evaluated,
        generated_tokens=written,
        shown=cached or written > 0,
        cached=cached,
        asked=not cached,
        reason=None,
        first_token_ms=None if cached else float(timings.get("prompt_ms", 0.0)),
        answer_ms=seconds * 1_000,
    )


def _infill(connection: http.client.HTTPConnection, before: str, after: str) -> dict[str, Any]:
    lines = before.split("\n")
    rest_of_line, _, below = after.partition("\n")
    body = {
        "id_slot": 0,
        "input_prefix": "".join(f"{line}\n" for line in lines[:-1][-_PREFIX_LINES:]),
        "prompt": lines[-1],
        "input_suffix": "\n".join([rest_of_line, *below.split("\n")[:_SUFFIX_LINES]]) + "\n",
        "input_extra": [],
        "n_predict": 128,
        "n_indent": len(lines[-1]) - len(lines[-1].lstrip()),
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": _FIRST_ANSWER_MS,
    }
    connection.request("POST", "/infill", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    reply: dict[str, Any] = json.loads(response.read())
    if response.status != http.HTTPStatus.OK:
        raise FimError(f"llama-server answered {response.status}: {reply.get('error', {}).get('message', reply)}")
    return reply


def _after(text: str, key: Key) -> tuple[str, int]:
    start = event_offset(text, key)
    return text[:start] + key.insert + key.then + text[start + key.remove :], start + len(key.insert)


@contextmanager
def _running(server: str, model: Path, threads: int) -> Iterator[str]:
    """Yield the address of a llama-server: the one named, or one started for as long as it is needed."""
    if server.startswith("http://"):
        yield urlsplit(server).netloc
        return
    if not os.access(server, os.X_OK):
        raise FimError(f"{server} is neither an http:// address nor a program that can be run.")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [server, "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-t", str(threads), "-c", "4096"]
    # Repacked weights crash llama.cpp on processors with AMX (docs/benchmarks.md); our engine goes without there, too.
    # What `--fim-qwen-1.5b-default` sets beside the model: its batch sizes and its reuse of the cache.
    command += ["-b", "1024", "-ub", "1024", "--cache-reuse", "256", "-np", "1", "--no-webui", "--no-repack"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_healthy(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_until_healthy(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _LOADING_S
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise FimError("llama-server did not become ready; start it by hand to see why, and name its address instead.")
