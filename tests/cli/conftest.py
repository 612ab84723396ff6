import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import commands


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private home, short enough for sockets; the engine that was started in it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="fim-"))
    monkeypatch.setenv("FIMSERVER_HOME", str(folder))
    yield folder
    if any((folder / "run").glob("*.door")):
        commands.run("engine", "stop")
    shutil.rmtree(folder)
