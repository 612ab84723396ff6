"""Finding and starting the engine: never two, never somebody else's, and a sentence when it cannot be."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from fimserver.engine import lock
from fimserver.engine.client import EngineClient
from fimserver.engine.launch import find, find_or_start, kill, stop, tidy
from fimserver.engine.place import Door, place_of, write_door
from fimserver.engine.starting import COMMAND, check_model
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, ModelBroken, ModelMissing
from tests.engine import standin
from tests.engine.rig import GGUF, Raw, engine_process, gone


async def reach(options: EngineOptions, *more: str) -> int:
    """Start the engine if need be and return its process number."""
    line = await find_or_start(options, command=(*standin.COMMAND, *more))
    line.writer.close()
    return line.status.pid


@pytest.mark.parametrize("race", range(10))
async def test_two_who_start_at_once_get_the_same_engine(options: EngineOptions, race: int) -> None:
    first, second = await asyncio.gather(reach(options), reach(options))
    assert first == second == engine_process(options)


REACH = """
import asyncio, sys
from fimserver.engine.launch import find_or_start
from fimserver.engine.wire import EngineOptions
async def reach():
    sys.stdin.readline()
    line = await find_or_start(EngineOptions(model_path=sys.argv[1], idle_s=60), command=sys.argv[2:])
    print(line.status.pid)
    line.writer.close()
asyncio.run(reach())
"""


def test_processes_that_start_at_once_get_the_same_engine(options: EngineOptions) -> None:
    arguments = [sys.executable, "-c", REACH, options.model_path, *standin.COMMAND]
    starters = [subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    reached = {starter.communicate()[0] for starter in starters}
    assert reached == {f"{engine_process(options)}\n"}


async def test_the_engine_is_nobodys_child_and_outlives_its_starter(options: EngineOptions) -> None:
    arguments = [sys.executable, "-c", REACH, options.model_path, *standin.COMMAND]
    starter = await asyncio.create_subprocess_exec(
        *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    reached = int((await starter.communicate(b"go\n"))[0])
    assert starter.pid not in [process.pid for process in psutil.Process(reached).parents()]
    assert os.getsid(reached) != starter.pid
    assert (await reach(options)) == reached


async def test_a_socket_that_a_killed_engine_has_left_is_replaced(options: EngineOptions) -> None:
    first = await reach(options)
    assert kill(place_of(options))
    await gone(place_of(options))
    assert place_of(options).socket.exists()
    assert await reach(options) != first


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["a file", "a pipe"])
async def test_what_is_ours_but_no_socket_is_replaced(options: EngineOptions, make: Any) -> None:
    make(place_of(options).socket)
    assert await reach(options) == engine_process(options)


@pytest.mark.parametrize("name", ["socket", "lock"])
async def test_a_link_is_refused_and_its_target_untouched(options: EngineOptions, home: Path, name: str) -> None:
    precious = home / "precious"
    precious.write_text("text")
    getattr(place_of(options), name).symlink_to(precious)
    with pytest.raises(EngineUnavailable, match=r"Remove it\."):
        await reach(options)
    assert precious.read_text() == "text"
    assert not place_of(options).door.exists()


async def test_last_words_that_are_a_link_are_refused_and_the_target_untouched(
    options: EngineOptions, home: Path
) -> None:
    precious = home / "precious"
    precious.write_text("text")
    (home / "state").mkdir()
    place_of(options).last_words.symlink_to(precious)
    with pytest.raises(EngineUnavailable, match="cannot be started"):
        await reach(options)
    assert precious.read_text() == "text"
    assert lock.owner(place_of(options).lock) is None


async def test_a_listener_without_an_engine_is_not_waited_for(options: EngineOptions) -> None:
    """Somebody of this user bound the socket by hand: it holds no lock, so it is no engine."""
    place = place_of(options)
    write_door(place, Door(0, "token"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place.socket))
        assert await reach(options) == engine_process(options)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_a_listener_of_another_user_is_not_talked_to(options: EngineOptions, home: Path) -> None:
    place = place_of(options)
    write_door(place, Door(0, "token"))
    (home / "run").chmod(0o777)
    home.chmod(0o755)  # noqa: ASYNC240
    foreign = "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); \
s.listen(); print(flush=True); sys.stdin.read()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", foreign, str(place.socket)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"\n"
    os.chown(place.socket, 0, 0)  # even if the file looks like ours, the system says who listens
    with pytest.raises(EngineUnavailable, match="belongs to another user"):
        await find(options)
    await process.communicate(b"")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param("import sys; sys.exit('first\\nno library')", "no library", id="says why"),
        pytest.param("import os; os.abort()", "may have been killed", id="says nothing"),
        pytest.param("print('\\x1b[31mred\\x07')", r"\[31mred$", id="says it in colours"),
    ],
)
async def test_an_engine_that_cannot_start_is_quoted(options: EngineOptions, program: str, words: str) -> None:
    with pytest.raises(EngineUnavailable, match=words):
        await find_or_start(options, command=(sys.executable, "-c", program))
    assert not place_of(options).lock.exists()


async def test_a_program_that_is_not_there_is_named(options: EngineOptions) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be started: No such file"):
        await find_or_start(options, command=("/nothing",))
    assert not place_of(options).lock.exists()


async def test_an_engine_that_never_opens_its_door_is_given_up_and_killed(options: EngineOptions) -> None:
    with pytest.raises(EngineUnavailable, match="did not let us in within"):
        await find_or_start(
            options,
            command=(sys.executable, "-c", "import sys; sys.stdin = open('/dev/zero'); sys.stdin.read()"),
            start_s=0.5,
        )
    held = lock.try_lock(place_of(options).lock)
    assert held is not None, "nobody holds the place any more"
    lock.remove(place_of(options).lock, held)


async def test_the_engine_knows_little_of_the_environment(
    options: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    monkeypatch.setenv("LC_MESSAGES", "C")
    client = EngineClient(options, command=standin.COMMAND)
    await client.loaded()
    names = [chunk.text async for chunk in client.generate(standin.request("environment"))]
    assert {"PATH", "FIMSERVER_HOME", "LC_MESSAGES", "GGML_NO_BACKTRACE"} <= set(names)
    assert "SOME_API_KEY" not in names
    await client.close()


async def test_a_package_of_our_name_in_the_current_folder_is_not_run(
    options: EngineOptions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = home / "work" / "fimserver" / "engine"
    trap.mkdir(parents=True)
    for path in (trap.parent / "__init__.py", trap / "__init__.py", trap / "__main__.py"):
        path.write_text(f"open({str(home / 'sprung')!r}, 'w')")
    monkeypatch.chdir(home / "work")
    line = await find_or_start(options, command=COMMAND)
    line.writer.close()
    assert not (home / "sprung").exists()


async def test_stopping_waits_until_nothing_is_left(options: EngineOptions, home: Path) -> None:
    await reach(options)
    assert await stop(options) is True
    assert list((home / "run").iterdir()) == []
    assert await stop(options) is False
    assert await find(options) is None


async def test_finding_starts_nothing(options: EngineOptions) -> None:
    assert await find(options) is None
    assert not place_of(options).lock.exists()
    process = await reach(options)
    line = await find(options)
    assert line is not None
    assert line.status.pid == process
    line.writer.close()


async def test_tidying_leaves_a_living_engine_alone(options: EngineOptions) -> None:
    process = await reach(options)
    tidy(place_of(options))
    assert await reach(options) == process


async def test_of_two_engines_only_the_one_that_is_meant_is_killed(options: EngineOptions) -> None:
    process = await reach(options)
    assert kill(place_of(options), process + 1) is False
    assert kill(place_of(options), process) is True


async def test_a_process_that_only_holds_the_lock_is_not_killed(options: EngineOptions) -> None:
    held = lock.try_lock(place_of(options).lock)
    assert held is not None
    lock.sign(held, os.getpid())
    assert kill(place_of(options)) is False
    lock.remove(place_of(options).lock, held)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"", "is not a GGUF model file", id="an empty file"),
        pytest.param(b"GGUF", "is not a GGUF model file", id="the magic and no more"),
        pytest.param(b"PK\x03\x04" + bytes(100), "is not a GGUF model file", id="another kind of file"),
        pytest.param(bytes(100), "is not a GGUF model file", id="zeros"),
    ],
)
def test_what_is_no_model_is_refused_before_anything_starts(tmp_path: Path, content: bytes, complaint: str) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(content)
    with pytest.raises(ModelBroken, match=complaint):
        check_model(model)


def test_a_folder_and_a_pipe_are_no_models_and_nobody_waits_for_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path, tmp_path / "pipe.gguf"):
        with pytest.raises(ModelBroken, match="is not a GGUF model file"):
            check_model(path)


def test_a_header_that_may_be_a_model_passes(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(GGUF)
    check_model(tmp_path / "model.gguf")


async def test_a_broken_model_starts_nothing(options: EngineOptions, home: Path) -> None:
    (home / "model.gguf").write_bytes(b"junk")
    with pytest.raises(ModelBroken):
        await reach(options)
    with pytest.raises(ModelMissing):
        await reach(EngineOptions(model_path=str(home / "nothing.gguf")))
    assert not (home / "run").exists()


async def test_the_engine_serves_on_the_loopback_address_too(options: EngineOptions) -> None:
    process = await reach(options, "--tcp")
    assert not place_of(options).socket.exists()
    line = await find(options)
    assert line is not None
    raw = Raw(line)
    raw.say("ping", id=1)
    assert await raw.hear("pong") == {"type": "pong", "id": 1}
    assert raw.line.writer.get_extra_info("peername")[0] == "127.0.0.1"
    raw.line.writer.close()
    assert await stop(options) is True
    assert process > 0
