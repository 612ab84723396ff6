"""What tests of the engine share: a home of its own with the options for it, and the embedded model in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fimserver.engine.wire import EngineOptions
from tests.engine.rig import options_for, private_home

if TYPE_CHECKING:
    from fimserver.engine.loaded import Loaded


@pytest.fixture
def home() -> Iterator[Path]:
    yield from private_home()


@pytest.fixture
def options(home: Path) -> EngineOptions:
    return options_for(home)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Loaded]":
    # Most tests here start a process, and need no llama.cpp in their own.
    from fimserver.engine.loading import load
    from tests.engine.worker_rig import OPTIONS

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIMSERVER_HOME", str(tmp_path_factory.mktemp("home")))
        loaded = load(OPTIONS, lambda _: None)
        yield loaded
        loaded.llama.close()
