"""The engine process seen from its socket: who gets in, what it answers, what it survives, when it ends."""

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from fimserver.engine.launch import find, stop
from fimserver.engine.place import Door, place_of, read_door
from fimserver.engine.wire import MAX_FRAME_BYTES, PROTOCOL_VERSION, EngineOptions, Frame, encode, encode_frame
from tests.engine.rig import Raw, engine_process, gone, home_for_engines, options_for, raw_line, ready
from tests.engine.standin import COMMAND, request


@pytest.fixture
async def raw(options: EngineOptions) -> AsyncIterator[Raw]:
    async with raw_line(options) as raw:
        await ready(raw)
        yield raw


@pytest.fixture(scope="module")
def lasting_home() -> Iterator[Path]:
    with home_for_engines() as home:
        yield home


@pytest.fixture
def shared(lasting_home: Path, monkeypatch: pytest.MonkeyPatch) -> EngineOptions:
    """One engine for all tests that neither end it nor leave anything behind in it."""
    monkeypatch.setenv("FIMSERVER_HOME", str(lasting_home))
    return options_for(lasting_home)


@pytest.fixture
async def visitor(shared: EngineOptions) -> AsyncIterator[Raw]:
    async with raw_line(shared) as visitor:
        await ready(visitor)
        yield visitor


def generate(raw: Raw, number: int, text: str) -> None:
    raw.say("generate", id=number, request=encode(request(text)))


async def until(raw: Raw, state: str) -> Frame:
    """Return the status that says that the engine has reached a state."""
    while (status := (await raw.hear("status"))["status"])["state"] != state:
        pass
    return cast("Frame", status)


async def still_serves(options: EngineOptions) -> bool:
    """Return whether the engine answers somebody new."""
    async with raw_line(options, "not-to-be-started") as other:
        generate(other, 1, "say well")
        return (await other.hear("chunk"))["chunk"]["text"] == "well"


async def found(options: EngineOptions) -> bool:
    """Return whether an engine lets us in."""
    line = await find(options)
    if line is not None:
        line.writer.close()
    return line is not None


def door(options: EngineOptions) -> Door:
    found = read_door(place_of(options))
    assert found is not None
    return found


async def answer_to(options: EngineOptions, *packets: bytes) -> bytes:
    """Connect without a hello, send packets, and return all that is answered until the engine closes the line."""
    reader, writer = await asyncio.open_unix_connection(place_of(options).socket)
    for packet in packets:
        writer.write(packet)
    answer = await reader.read()
    writer.close()
    return answer


HELLO = {"type": "hello", "version": PROTOCOL_VERSION, "token": ""}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"token": "wrong"}, id="with a wrong token"),
        pytest.param({"token": "é"}, id="with a token that is not ASCII"),
        pytest.param({"token": "\ud800"}, id="with a token that is no text"),
        pytest.param({"token": None}, id="without a token"),
        pytest.param({"version": PROTOCOL_VERSION + 1}, id="of another version"),
        pytest.param({"version": None}, id="without a version"),
        pytest.param({"type": "generate"}, id="that is another request"),
    ],
)
async def test_a_hello_is_turned_away(visitor: Raw, shared: EngineOptions, change: dict[str, Any]) -> None:
    right = {**HELLO, "token": door(shared).token}
    assert await answer_to(shared, encode_frame({**right, **change})) == b""
    assert await still_serves(shared)


@pytest.mark.parametrize(
    "first", [b"\n", b"\x00" * 4096, b"GET / HTTP/1.1\r\n\r\n", b"{" * 5000, b'{"type":"hello"}\n']
)
async def test_what_is_no_hello_is_turned_away(visitor: Raw, shared: EngineOptions, first: bytes) -> None:
    assert await answer_to(shared, first) == b""
    assert await still_serves(shared)


async def test_a_hello_may_come_in_pieces(visitor: Raw, shared: EngineOptions) -> None:
    reader, writer = await asyncio.open_unix_connection(place_of(shared).socket)
    for byte in encode_frame({**HELLO, "token": door(shared).token}):
        writer.write(bytes([byte]))
        await writer.drain()
    assert json.loads(await reader.readline())["type"] == "welcome"
    writer.close()


async def test_the_welcome_says_how_the_engine_is(options: EngineOptions) -> None:
    async with raw_line(options) as raw:
        assert raw.line.status.pid == engine_process(options)
        assert raw.line.status.clients == 1


async def test_socket_folder_and_token_are_for_this_user_only(raw: Raw, options: EngineOptions) -> None:
    place = place_of(options)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.socket.parent.iterdir()}
    assert modes == {place.socket.name: 0o600, place.lock.name: 0o600, place.door.name: 0o600}
    assert stat.S_IMODE(place.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.last_words.stat().st_mode) == 0o600
    assert len(door(options).token) == 64


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_is_turned_away_even_with_the_token(raw: Raw, options: EngineOptions, home: Path) -> None:
    path, run = place_of(options).socket, home / "run"
    home.chmod(0o755)  # noqa: ASYNC240
    path.chmod(0o666)
    hello = encode_frame({**HELLO, "token": door(options).token})
    foreign = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
try:
    line.sendall(sys.stdin.buffer.read())
    print(line.recv(8))
except OSError:
    print(b"")
"""
    for user, turned_away in ((65534, True), (0, False)):
        run.chmod(0o755)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-S", "-c", foreign, str(path), str(user)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        said, _ = await process.communicate(hello)
        assert said == (b"b''\n" if turned_away else b"b'{\"type\":'\n")


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"garbage\n", id="no JSON"),
        pytest.param(b"\xff\x00\n", id="no text"),
        pytest.param(b"[1]\n", id="no object"),
        pytest.param(b'{"type": "ping"}\n', id="a request without a number"),
        pytest.param(b'{"type": "ping", "id": "one"}\n', id="a number that is a text"),
        pytest.param(b"[" * 100_000 + b"\n", id="brackets without end"),
        pytest.param(b"x" * (MAX_FRAME_BYTES + 70_000), id="a frame without end"),
    ],
)
async def test_who_sends_what_is_no_frame_is_dropped_alone(visitor: Raw, shared: EngineOptions, garbage: bytes) -> None:
    visitor.send(garbage)
    assert await visitor.closed()
    assert await still_serves(shared)


async def test_half_a_frame_and_silence_hurt_nobody(visitor: Raw, shared: EngineOptions) -> None:
    visitor.send(encode_frame({"type": "generate", "id": 1, "request": encode(request("say x"))})[:-20])
    assert await still_serves(shared)


async def test_who_leaves_in_the_middle_of_a_frame_is_forgotten(visitor: Raw, shared: EngineOptions) -> None:
    async with raw_line(shared) as other:
        other.send(b'{"type": "gen')
        other.line.writer.write_eof()
        assert await other.closed()
    assert await still_serves(shared)


async def test_a_frame_of_megabytes_is_read(visitor: Raw) -> None:
    generate(visitor, 1, "say " + "e" * 1_000_000)
    assert len((await visitor.hear("chunk"))["chunk"]["text"]) == 1_000_000


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param({"type": "dance", "id": 1}, id="an unknown request"),
        pytest.param({"type": "generate", "id": 1}, id="a request without its fields"),
        pytest.param({"type": "generate", "id": 1, "request": {}}, id="an empty one"),
        pytest.param(
            {"type": "generate", "id": 1, "request": {**encode(request("x")), "max_tokens": -1}}, id="below 0"
        ),
        pytest.param(
            {"type": "generate", "id": 1, "request": {**encode(request("x")), "priority": 77}}, id="no priority"
        ),
        pytest.param({"type": "describe", "id": 1}, id="a describe that does not say whether to wait"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_and_the_line_stays(visitor: Raw, frame: dict[str, Any]) -> None:
    visitor.say(**{"kind": frame["type"], **{k: v for k, v in frame.items() if k != "type"}})
    answer = await visitor.hear("error")
    assert (answer["id"], answer["error"]["kind"]) == (1, "engine-refused")
    visitor.say("ping", id=2)
    assert (await visitor.hear("pong"))["id"] == 2


async def test_two_requests_of_one_number_are_refused(visitor: Raw) -> None:
    generate(visitor, 1, "hold")
    generate(visitor, 1, "hold")
    assert (await visitor.hear("error"))["error"]["kind"] == "engine-refused"


async def test_nobody_has_more_requests_in_flight_than_anyone_needs(raw: Raw, options: EngineOptions) -> None:
    for number in range(257):
        generate(raw, number, "hold")
    refused = await raw.hear("error")
    assert refused["id"] == 256
    assert "Too many requests of this client" in refused["error"]["message"]
    assert await still_serves(options)


async def test_nothing_comes_for_a_request_after_its_cancel(raw: Raw) -> None:
    generate(raw, 1, "hold")
    assert (await raw.hear("chunk"))["id"] == 1
    raw.say("cancel", id=1)
    generate(raw, 2, "cancelled_jobs 1")
    assert (await raw.hear("chunk"))["id"] == 2


async def test_cancels_may_come_in_any_order_twice_and_for_nobody(raw: Raw) -> None:
    for number in range(5):
        generate(raw, number, "hold")
    for number in (3, 3, 0, 99, 4, 1, 2, 0):
        raw.say("cancel", id=number)
    generate(raw, 5, "cancelled_jobs 5")
    while (frame := await raw.hear("chunk"))["id"] != 5:
        assert frame["chunk"]["text"] == "holding", "what was under way before its cancel"


async def test_a_number_may_be_used_again_after_its_answer(visitor: Raw) -> None:
    for _ in range(2):
        generate(visitor, 1, "say x")
        assert (await visitor.hear("chunk"))["chunk"]["text"] == "x"
        assert (await visitor.hear("chunk"))["chunk"]["finish"] == "end-of-text"


async def test_who_leaves_cancels_everything_it_had_asked_for(raw: Raw, options: EngineOptions) -> None:
    async with raw_line(options) as other:
        for number in range(3):
            generate(other, number, "hold")
            await other.hear("chunk")
    generate(raw, 1, "cancelled_jobs 3")
    assert (await raw.hear("chunk"))["id"] == 1


async def test_who_stops_reading_is_dropped_and_the_others_are_served(raw: Raw, options: EngineOptions) -> None:
    async with raw_line(options) as other:
        other.line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        generate(other, 1, "flood 1000")  # 64 MiB
        generate(raw, 1, "cancelled_jobs 1")  # dropping it cancels the flood
        assert (await raw.hear("chunk"))["id"] == 1
        other.line.reader._transport.resume_reading()  # type: ignore[attr-defined]
        assert await other.closed()


async def test_two_hundred_clients_are_answered_at_once(options: EngineOptions) -> None:
    async def one(index: int) -> str:
        async with raw_line(options) as raw:
            await ready(raw)
            generate(raw, 1, f"say {index}")
            text: str = (await raw.hear("chunk"))["chunk"]["text"]
            return text

    assert await asyncio.gather(*(one(index) for index in range(200))) == [str(index) for index in range(200)]


async def test_the_loading_is_told_as_it_goes(home: Path, options: EngineOptions) -> None:
    slow = home / "model.gguf.slow"
    slow.touch()
    async with raw_line(options) as raw:
        assert raw.line.status.state == "loading"
        generate(raw, 1, "say x")
        assert (await raw.hear("error"))["error"]["kind"] == "engine-loading"
        raw.say("describe", id=2, wait=False)
        assert (await raw.hear("error"))["id"] == 2
        for number in (3, 4, 5):
            raw.say("describe", id=number, wait=True)
        raw.say("cancel", id=4)
        raw.say("ping", id=6)
        await raw.hear("pong")
        slow.unlink()
        assert (await until(raw, "ready"))["percent"] == 100
        assert [(await raw.hear("facts"))["id"] for _ in range(2)] == [3, 5]


async def test_an_engine_that_could_not_load_says_why_to_who_waited(home: Path, options: EngineOptions) -> None:
    for name in ("slow", "broken"):
        (home / f"model.gguf.{name}").touch()
    async with raw_line(options) as raw:
        raw.say("describe", id=1, wait=True)
        (home / "model.gguf.slow").unlink()
        assert (await until(raw, "failed"))["message"] == "The model is broken."
        assert (await raw.hear("error"))["error"] == {"kind": "model-broken", "message": "The model is broken."}


async def test_an_idle_engine_says_goodbye_and_leaves_nothing_behind(home: Path) -> None:
    options = options_for(home, idle_s=1)
    async with raw_line(options) as raw:
        place = place_of(options)
        await raw.hear("goodbye")
        await gone(place)
    assert list(place.socket.parent.iterdir()) == []


async def test_an_engine_at_work_is_not_idle(home: Path) -> None:
    options = options_for(home, idle_s=1)
    async with raw_line(options) as raw:
        await ready(raw)
        generate(raw, 1, "hold")
        await raw.hear("chunk")
        await asyncio.sleep(1.5)
        raw.say("ping", id=2)
        await raw.hear("pong")
        raw.say("cancel", id=1)
        await raw.hear("goodbye")


async def test_an_engine_nobody_comes_to_ends_too(home: Path) -> None:
    options = options_for(home, idle_s=1)
    async with raw_line(options):
        place = place_of(options)
    await gone(place)
    assert list(place.socket.parent.iterdir()) == []


async def test_told_to_stop_it_says_goodbye_to_all(raw: Raw, options: EngineOptions) -> None:
    assert await stop(options) is True
    assert await raw.hear("goodbye") == {"type": "goodbye"}
    assert await raw.closed()


async def test_a_terminated_engine_ends_as_it_should(raw: Raw, options: EngineOptions) -> None:
    place = place_of(options)
    os.kill(engine_process(options), 15)
    await raw.hear("goodbye")
    await gone(place)
    assert list(place.socket.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["socket", "door"])
async def test_a_file_that_somebody_removed_comes_back(raw: Raw, options: EngineOptions, name: str) -> None:
    process = engine_process(options)
    getattr(place_of(options), name).unlink()
    async with raw_line(options, "not-to-be-started") as other:
        assert other.line.status.pid == process
    raw.say("ping", id=1)
    assert (await raw.hear("pong"))["id"] == 1


async def test_an_engine_whose_place_was_taken_ends(raw: Raw, options: EngineOptions) -> None:
    """Somebody cleared the folder and another engine has started: there are never two for long."""
    place = place_of(options)
    for path in (place.lock, place.door, place.socket):
        path.unlink()
    async with raw_line(options) as second:
        assert await raw.closed()
        assert second.line.status.pid == engine_process(options)
        await ready(second)


async def test_nothing_is_printed_and_no_rights_are_kept(raw: Raw, options: EngineOptions) -> None:
    process = Path(f"/proc/{engine_process(options)}")
    assert (process / "fd/1").readlink() == (process / "fd/2").readlink()
    assert (process / "fd/0").readlink() == Path("/dev/null")
    assert (process / "cwd").readlink() == Path("/")
    assert "NoNewPrivs:\t1" in (process / "status").read_text().splitlines()
    limits = (process / "limits").read_text().splitlines()
    assert next(line.split()[4:6] for line in limits if "core file" in line) == ["0", "0"]


async def test_a_library_that_floods_standard_error_does_not_fill_the_disk(raw: Raw, options: EngineOptions) -> None:
    generate(raw, 1, "noise 8")
    await raw.hear("chunk")
    words = place_of(options).last_words
    while words.stat().st_size > 1_000_000:  # noqa: ASYNC110 - another process cuts it
        await asyncio.sleep(0.05)
    generate(raw, 2, "say on")
    assert (await raw.hear("chunk"))["chunk"]["text"] == "on"


async def test_an_engine_that_could_not_load_ends_soon_after_its_last_client(home: Path) -> None:
    options = options_for(home, idle_s=1)
    (home / "model.gguf.broken").touch()
    async with raw_line(options) as raw:
        await raw.hear("goodbye")


async def test_the_log_and_the_last_words_hold_no_text_of_the_user(
    raw: Raw, options: EngineOptions, home: Path
) -> None:
    generate(raw, 1, "say CANARY")
    await raw.hear("chunk")
    raw.send(b"CANARY\n")
    assert await raw.closed()
    kept = {path.name: path.read_text() for path in (home / "state").iterdir()}
    assert "CANARY" not in "".join(kept.values())
    assert "sent what is no frame" in kept["engine.log"]
    assert [path.stat().st_mode & 0o777 for path in (home / "state").iterdir()] == [0o600] * len(kept)


def test_started_by_hand_it_serves_in_the_foreground_and_only_once(options: EngineOptions) -> None:
    arguments = [*COMMAND, "--options", json.dumps(encode(options))]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        while not asyncio.run(found(options)):
            assert first.poll() is None
        second = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == "An engine for this model runs already.\n"
        first.terminate()
        assert first.communicate()[0] == b""
        assert first.returncode == 0


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("{}", id="no options"),
        pytest.param('{"model_path": 7}', id="options of another type"),
    ],
)
def test_options_that_make_no_sense_end_in_a_sentence(home: Path, given: str) -> None:
    done = subprocess.run([*COMMAND, "--options", given], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_socket_that_was_bound_by_hand_is_no_engine(options: EngineOptions) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place_of(options).socket))
        assert not asyncio.run(found(options))
