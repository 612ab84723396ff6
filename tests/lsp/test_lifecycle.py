"""A server ends when its client is done with it, soon and with the right exit code, whatever it is doing."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fimserver.lsp.parent import is_running
from tests.lsp.raw_client import PATIENCE_S, STAND_IN, RawClient, frame
from tests.lsp.test_protocol import WAIT

# What the protocol's table allows; the test's own limit leaves room for a busy machine.
GONE_S = 2.0


def leave(client: RawClient, *steps: str) -> None:
    for step in steps:
        match step:
            case "initialize":
                client.initialize()
            case "ask":
                client.open("wait")
                client.send({"id": 5, "method": "textDocument/inlineCompletion", "params": WAIT})
            case "block":
                # The stand-in sleeps in the event loop: nothing but another thread can end the process.
                client.open("block 600")
                place = {"line": 0, "character": 9}
                client.send({"id": 5, "method": "textDocument/inlineCompletion", "params": {**WAIT, "position": place}})
            case "shutdown":
                client.request(1, "shutdown")
            case "shutdown unanswered":
                client.send({"id": 1, "method": "shutdown"})
            case "exit":
                client.send({"method": "exit"})
            case "half a frame":
                client.send_bytes(frame(b"{}", 100))
            case "end":
                client.close_input()


WAYS = {
    "shutdown and exit": (("initialize", "shutdown", "exit"), 0),
    "shutdown and exit without waiting": (("initialize", "shutdown unanswered", "exit"), 0),
    "shutdown and exit while a request is live": (("initialize", "ask", "shutdown", "exit"), 0),
    "shutdown and the end of input": (("initialize", "shutdown", "end"), 0),
    "P21 exit without shutdown": (("initialize", "exit"), 1),
    "P21 exit while a request is live": (("initialize", "ask", "exit"), 1),
    "exit before initialize": (("exit",), 1),
    "the end of input before initialize": (("end",), 1),
    "the end of input": (("initialize", "end"), 1),
    "the end of input while a request is live": (("initialize", "ask", "end"), 1),
    "P7 the end of input within a frame": (("initialize", "half a frame", "end"), 1),
    "P7 the end of input within the first frame": (("half a frame", "end"), 1),
    "P23 the end of input while the event loop is blocked": (("initialize", "block", "end"), 1),
}


@pytest.mark.parametrize(("steps", "code"), WAYS.values(), ids=WAYS)
def test_it_ends_with_the_right_code(raw: RawClient, steps: tuple[str, ...], code: int) -> None:
    leave(raw, *steps)
    assert raw.process.wait(GONE_S + PATIENCE_S) == code


@pytest.mark.skipif(sys.platform == "win32", reason="starts `sleep`")
def test_p24_it_ends_when_the_editors_process_does(raw: RawClient) -> None:
    with subprocess.Popen(["sleep", "600"]) as editor:
        raw.initialize(processId=editor.pid)
        raw.request(1, "workspace/executeCommand", {"command": "fimserver.why"})  # the watch has begun by now
        editor.kill()
    assert raw.process.wait(GONE_S + PATIENCE_S) == 1


def test_p24_a_process_that_cannot_be_seen_is_not_watched(raw: RawClient) -> None:
    raw.initialize(processId=2**70)
    assert "error" not in raw.request(1, "workspace/executeCommand", {"command": "fimserver.why"})


@pytest.mark.parametrize(
    ("pid", "running"), [pytest.param(os.getpid(), True, id="this one"), (2**22 + 1, False), (0, False), (-1, False)]
)
def test_p24_which_processes_run(pid: int, running: bool) -> None:
    assert is_running(pid) is running


def test_it_serves_one_client_over_tcp_on_the_loopback_interface(tmp_path: Path) -> None:
    with subprocess.Popen([*STAND_IN, "0"], stderr=subprocess.PIPE, env=_environment(tmp_path)) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[-1].decode()
        assert address.startswith("127.0.0.1:")
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection:
            connection.sendall(frame({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}))
            assert connection.recv(16) == b"Content-Length: "
            connection.sendall(frame({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}))
            connection.sendall(frame({"jsonrpc": "2.0", "method": "exit"}))
            assert server.wait(PATIENCE_S) == 0


# Rows P31 … P34: what else goes on in the process does not harm the stream.


@pytest.fixture(scope="module", params=[{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def stream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """A server whose Python buffers what is printed, and one whose does not."""
    with RawClient(tmp_path_factory.mktemp("home"), environment=request.param) as client:
        client.initialize()
        yield client


def test_p34_nothing_but_frames_goes_to_the_client(stream: RawClient) -> None:
    stream.open("print", uri="file:///print.py")
    place = {"textDocument": {"uri": "file:///print.py"}, "position": {"line": 0, "character": 5}}
    answer = stream.request("printed", "textDocument/inlineCompletion", {**WAIT, **place})
    assert answer["result"]["items"][0]["insertText"] == "<print>"
    assert all(word in stream.stderr for word in ("print", "os.write", "puts", "child"))


def test_p33_300_answers_of_100_kb_arrive_whole(stream: RawClient) -> None:
    line = "x" * 100_000
    stream.open(line)
    asked = {**WAIT, "position": {"line": 0, "character": len(line)}}
    stream.send(
        *({"id": number, "method": "textDocument/inlineCompletion", "params": asked} for number in range(1, 301))
    )
    found = stream.answers(300)
    assert [message["id"] for message in found] == list(range(1, 301))
    assert {message["result"]["items"][0]["insertText"] for message in found} == {f"<{line}>"}


def test_p32_a_blocked_event_loop_does_not_stop_the_reading(tmp_path: Path) -> None:
    """5 MB are taken from the client while nothing can be handled: the reader has a thread of its own."""
    with RawClient(tmp_path) as client:
        client.initialize()
        client.open("block 0.5")
        place = {"line": 0, "character": 9}
        client.send({"id": 1, "method": "textDocument/inlineCompletion", "params": {**WAIT, "position": place}})
        client.open("y" * 5_000_000, uri="file:///large.py")
        client.send({"id": 2, "method": "$/nothing"})
        assert {answer["id"] for answer in client.answers(2)} == {1, 2}


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_in_the_editors_terminal_does_not_end_it(session: RawClient) -> None:
    session.process.send_signal(signal.SIGINT)
    assert "result" in session.request(1, "workspace/executeCommand", {"command": "fimserver.why"})


def test_it_starts_with_standard_error_closed(tmp_path: Path) -> None:
    command = ("sh", "-c", 'exec "$@" 2>&-', "sh", *STAND_IN)
    with RawClient(tmp_path, command) as client:
        assert client.initialize()["result"]["serverInfo"]["name"] == "fimserver"


def test_p31_a_client_that_does_not_read_is_still_read_and_gets_all_answers_later(tmp_path: Path) -> None:
    """10 MB of answers wait in the server; what the client sends meanwhile is taken."""
    count, line = 200, "x" * 50_000
    reading = threading.Event()
    with _SlowReader(tmp_path, reading.wait) as client:
        client.send({"id": 0, "method": "initialize", "params": {"capabilities": {}}})
        client.open(line)
        place = {"line": 0, "character": len(line)}
        client.send(
            *(
                {"id": number, "method": "textDocument/inlineCompletion", "params": {**WAIT, "position": place}}
                for number in range(1, count + 1)
            )
        )
        client.open("y" * 5_000_000, uri="file:///large.py")  # much more than a pipe holds: the server is reading
        reading.set()
        found = client.answers(count + 1)
        assert [message["id"] for message in found] == list(range(count + 1))
        assert {len(message["result"]["items"][0]["insertText"]) for message in found[1:]} == {len(line) + 2}


class _SlowReader(RawClient):
    """A client that reads nothing until it is told to."""

    def __init__(self, home: Path, until: Callable[[], object]) -> None:
        self._until = until
        super().__init__(home)

    def _read(self) -> None:
        self._until()
        super()._read()


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "FIMSERVER_HOME": str(home)}
