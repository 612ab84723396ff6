from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.rig import private_home


@pytest.fixture(autouse=True)
def home() -> Iterator[Path]:
    """A private home, short enough for sockets; the engine that was started in it is gone afterwards."""
    yield from private_home()
