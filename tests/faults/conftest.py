"""Figures for the scorecard, and a private home for processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.rig import private_home
from tests.lsp.raw_client import RawClient

Figure = Callable[[str, int | float], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Write a figure down for the scorecard: whole numbers count something, numbers with a point measure it."""

    def record(name: str, value: float) -> None:
        record_property(name, value if isinstance(value, int) else float(f"{value:.4g}"))

    return record


@pytest.fixture
def home() -> Iterator[Path]:
    """FIMSERVER_HOME, short enough for sockets; no engine is left in it."""
    yield from private_home()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[RawClient]:
    """A server with the stand-in completer of tests/lsp, initialized."""
    with RawClient(tmp_path) as client:
        client.initialize()
        yield client
