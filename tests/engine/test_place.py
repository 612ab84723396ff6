"""Where an engine is found: one place for each user, model and way of running it, private to the user."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fimserver.engine.place import Door, place_of, read_door, socket_stands, write_door
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, ModelMissing


def test_the_same_options_mean_the_same_place(options: EngineOptions) -> None:
    assert place_of(options) == place_of(replace(options))


def test_an_engine_that_stays_longer_is_not_another(options: EngineOptions) -> None:
    assert place_of(replace(options, idle_s=1)) == place_of(options)


@pytest.mark.parametrize(
    "change",
    [
        {"context_tokens": 512},
        {"threads": 3},
        {"gpu_layers": 0},
        {"kv_type": "q8_0"},
        {"flash_attention": "on"},
        {"drafting": "off"},
        {"save_state": False},
    ],
    ids=str,
)
def test_an_engine_that_runs_differently_is_another(options: EngineOptions, change: dict[str, Any]) -> None:
    assert place_of(replace(options, **change)) != place_of(options)


def test_a_model_file_that_was_replaced_is_another_model(options: EngineOptions) -> None:
    before = place_of(options)
    os.utime(options.model_path, ns=(1, 1))
    assert place_of(options) != before


def test_a_model_reached_through_a_link_is_the_same_model(options: EngineOptions, home: Path) -> None:
    link = home / "link.gguf"
    link.symlink_to(options.model_path)
    assert place_of(replace(options, model_path=str(link))) == place_of(options)


def test_a_model_that_is_not_there_has_no_place(home: Path) -> None:
    with pytest.raises(ModelMissing, match=r"There is no model file .*nothing\.gguf\. Choose another"):
        place_of(EngineOptions(model_path=str(home / "nothing.gguf")))


def test_the_folder_is_private_and_the_names_are_short(options: EngineOptions, home: Path) -> None:
    place = place_of(options)
    assert (home / "run").stat().st_mode & 0o777 == 0o700
    assert all(path.parent == home / "run" for path in (place.socket, place.lock, place.door))
    assert len(place.socket.name) <= 32


def test_the_door_says_what_was_written_on_it(options: EngineOptions) -> None:
    place = place_of(options)
    write_door(place, Door(4711, "secret"))
    assert read_door(place) == Door(4711, "secret")
    assert place.door.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [None, "", "secret", "port secret", "1 2 3", "\udcff"], ids=repr)
def test_a_door_that_says_nothing_sensible_is_no_door(options: EngineOptions, content: str | None) -> None:
    place = place_of(options)
    if content is not None:
        place.door.write_text(content, errors="surrogateescape")
    assert read_door(place) is None


def make_link(path: Path, home: Path) -> None:
    (home / "precious").write_text("text")
    path.symlink_to(home / "precious")


def make_foreign(path: Path, home: Path) -> None:
    path.touch()
    os.chown(path, 65534, 65534)


def make_folder(path: Path, home: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "make",
    [
        make_link,
        make_folder,
        pytest.param(make_foreign, marks=pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")),
    ],
)
def test_what_we_would_not_have_made_is_refused(options: EngineOptions, home: Path, make: Any) -> None:
    place = place_of(options)
    make(place.socket, home)
    with pytest.raises(EngineUnavailable, match=r"\.sock was not made by fimserver, so it is not used\. Remove it\."):
        socket_stands(place)


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo])
def test_what_is_ours_but_no_socket_may_be_replaced(options: EngineOptions, make: Any) -> None:
    place = place_of(options)
    make(place.socket)
    assert socket_stands(place) is False
