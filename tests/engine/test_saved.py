"""The KV state of what was edited last survives the engine; what is damaged is deleted, and never harms."""

import dataclasses
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.engine import saved
from fimserver.engine.interface import GenerateRequest
from fimserver.engine.worker import Worker
from tests.engine.worker_rig import OPTIONS, PREFIX, Listener, ask, fim

TOKENS = list(range(200))
REQUEST = GenerateRequest(prompt=fim(PREFIX * 3), max_tokens=4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path / "cache" / "kv"


def one_engine(*requests: GenerateRequest, **options: object) -> list[Listener]:
    """Start an engine, ask it, and stop it."""
    worker = Worker(dataclasses.replace(OPTIONS, **options), lambda _: None)  # type: ignore[arg-type]
    worker.start()
    listeners = [ask(worker, request) for request in requests]
    worker.stop()
    return listeners


def test_the_next_engine_goes_on_where_the_last_one_stopped(folder: Path) -> None:
    first, second = one_engine(REQUEST) + one_engine(REQUEST)
    assert first.usage.reused_tokens == 0
    assert second.usage.evaluated_tokens == 1
    assert second.text == first.text
    assert [chunk.logprob for chunk in second.chunks] == pytest.approx(
        [chunk.logprob for chunk in first.chunks], abs=0.05
    )


def test_a_saved_state_serves_what_was_typed_since(folder: Path) -> None:
    one_engine(REQUEST)
    typed = GenerateRequest(prompt=fim(PREFIX * 3 + "    def test_x"), max_tokens=4)
    assert one_engine(typed)[0].usage.evaluated_tokens < 10


def test_nothing_is_kept_where_the_user_wants_it_so(folder: Path) -> None:
    one_engine(REQUEST)
    assert len(list(folder.iterdir())) == 1
    assert one_engine(REQUEST, save_state=False)[0].usage.reused_tokens == 0
    assert list(folder.iterdir()) == []


def test_a_state_of_another_kind_of_cache_is_not_used(folder: Path) -> None:
    one_engine(REQUEST)
    assert one_engine(REQUEST, kv_type="q8_0")[0].usage.reused_tokens == 0


def damaged(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="half written"),
        pytest.param(lambda content: content[:10], id="a few bytes"),
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: bytes(len(content)), id="zeros"),
        pytest.param(lambda content: damaged(content, 0), id="another magic"),
        pytest.param(lambda content: damaged(content, 9), id="another number of tokens"),
        pytest.param(lambda content: damaged(content, 40), id="another token"),
        pytest.param(lambda content: damaged(content, len(content) - 1000), id="a flipped bit in the state"),
        pytest.param(lambda content: content + b"x", id="a byte too many"),
    ],
)
def test_a_damaged_file_is_ignored_and_deleted(folder: Path, harm: Callable[[bytes], bytes]) -> None:
    first = one_engine(REQUEST)[0]
    [path] = folder.iterdir()
    path.write_bytes(harm(path.read_bytes()))
    again = one_engine(REQUEST)[0]
    assert again.usage.reused_tokens == 0
    assert again.text == first.text
    assert one_engine(REQUEST)[0].usage.evaluated_tokens == 1


def test_a_state_that_llama_refuses_is_deleted(folder: Path) -> None:
    """Its checksum is right, but it is no state of this model."""
    one_engine(REQUEST)
    [path] = folder.iterdir()
    found = saved.read_tokens(path)
    assert found is not None
    path.write_bytes(saved._encoded(found.tokens, b"\x07" * 5000))
    assert one_engine(REQUEST)[0].usage.reused_tokens == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_the_users_text_is_for_the_users_eyes(folder: Path) -> None:
    one_engine(REQUEST)
    [path] = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


# The files themselves.


def test_what_is_written_is_read(tmp_path: Path) -> None:
    saved.SavedStates(tmp_path, "model").write(TOKENS, b"state")
    states = saved.SavedStates(tmp_path, "model")
    best = states.best_for([*TOKENS, 999], better_than=0)
    assert best is not None
    assert best.tokens == tuple(TOKENS)
    assert states.read(best) == b"state"


@pytest.mark.parametrize(
    ("prompt", "better_than", "whole", "found"),
    [
        pytest.param(TOKENS, 0, False, True, id="the same tokens"),
        pytest.param(TOKENS[:150], 0, False, True, id="its beginning"),
        pytest.param(TOKENS[:50], 0, False, False, id="too little in common to be worth reading"),
        pytest.param(TOKENS, 150, False, False, id="hardly more than the cache has"),
        pytest.param(TOKENS[:150], 0, True, False, id="a beginning, for a model that cannot rewind"),
        pytest.param([*TOKENS, 999], 0, True, True, id="all of it, for a model that cannot rewind"),
    ],
)
def test_when_a_state_is_worth_reading(
    tmp_path: Path, prompt: list[int], better_than: int, whole: bool, found: bool
) -> None:
    saved.SavedStates(tmp_path, "model").write(TOKENS, b"state")
    best = saved.SavedStates(tmp_path, "model").best_for(prompt, better_than=better_than, whole=whole)
    assert (best is not None) is found


def test_another_models_states_are_left_alone(tmp_path: Path) -> None:
    saved.SavedStates(tmp_path, "model").write(TOKENS, b"state")
    assert saved.SavedStates(tmp_path, "other").best_for(TOKENS, better_than=0) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_a_short_text_is_not_worth_a_file(tmp_path: Path) -> None:
    saved.SavedStates(tmp_path, "model").write(TOKENS[:50], b"state")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "kv").write_text("a file where a folder should be")
    saved.SavedStates(tmp_path / "kv", "model").write(TOKENS, b"state")


def test_the_oldest_files_make_room(tmp_path: Path) -> None:
    import os

    for age, name in enumerate(("a", "b", "c", "d")):
        path = tmp_path / f"{name}.kv"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    saved.make_room(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.kv", "b.kv"]


def test_the_key_depends_on_every_part() -> None:
    assert len({saved.key_of("a", 1), saved.key_of("a", 2), saved.key_of("b", 1), saved.key_of("a1")}) == 4
