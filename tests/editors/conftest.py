"""What all editors' tests share: the installed editors, and a home of their own."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.servers import CHECKOUT, FIMSERVER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let VS Code's modules begin: they take longest, and the others fill what is left of the time beside them."""
    items.sort(key=lambda item: not item.path.name.startswith("test_vscode"))


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the editors' programs. One that is missing is a failure, not a test less."""
    folder = CHECKOUT / ".editors" / "bin"
    wanted = ("chromium", "code-server", "emacs", "hx", "nvim")
    if missing := [name for name in wanted if not (folder / name).exists()]:
        pytest.fail(f"Not installed: {', '.join(missing)}. Run tests/editors/run.sh, which installs the editors.")
    return folder


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for everything that the server and the editors keep; its engine ends with it."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (
            ("FIMSERVER_HOME", "fimserver"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "share"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ):
            patch.setenv(variable, str(folder / name))
        yield folder
        subprocess.run([FIMSERVER, "engine", "stop"], check=False, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that editors take for a project."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    return tmp_path / "project"
