"""The built wheel, installed as people install programs: it runs, says what is missing, and completes.

`make test-install` runs this. What is downloaded comes from the package index or the tools' own caches; llama.cpp is
not compiled again: the build in this environment is packed into a wheel.
"""

import csv
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

from fimserver import __version__

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent

CODE = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return \n"


@dataclass(frozen=True)
class Installed:
    """A program that was installed, and the environment in which it is run."""

    program: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(self.program), *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=300)


def run(*command: str | Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our wheel, and one of the llama.cpp that is built here."""
    if missing := [name for name in ("pipx", "uv") if not (SCRIPTS / name).exists()]:
        pytest.skip(f"Not installed: {', '.join(missing)}. `make test-install` installs them.")
    folder = tmp_path_factory.mktemp("wheels")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, environment=os.environ)
    pack_llama(folder)
    return folder


def pack_llama(folder: Path) -> None:
    """Write the installed llama-cpp-python as the wheel it was installed from."""
    package = distribution("llama-cpp-python")
    tag = next(
        line.removeprefix("Tag: ") for line in (package.read_text("WHEEL") or "").splitlines() if "Tag: " in line
    )
    record = list(csv.reader((package.read_text("RECORD") or "").splitlines()))
    made_by_installing = ("..", "INSTALLER", "REQUESTED", "direct_url.json", ".pyc")
    kept = [row for row in record if not any(part in row[0] for part in made_by_installing)]
    name = f"llama_cpp_python-{package.version}"
    with zipfile.ZipFile(folder / f"{name}-{tag}.whl", "w") as wheel:
        for path, *_ in kept:
            if not path.endswith("/RECORD"):
                wheel.write(str(package.locate_file(path)), path)
        wheel.writestr(f"{name}.dist-info/RECORD", "".join(f"{','.join(row)}\n" for row in kept))
    (folder / "constraints.txt").write_text(f"llama-cpp-python=={package.version}\n")


def by_pip(wheel: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    run(sys.executable, "-m", "venv", folder / "venv", environment=environment)
    run(folder / "venv" / "bin" / "python", "-m", "pip", "install", wheel, environment=environment)
    return folder / "venv" / "bin" / "fimserver"


def by_pipx(wheel: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    run(SCRIPTS / "pipx", "install", "--python", sys.executable, wheel, environment=environment)
    return folder / "bin" / "fimserver"


def by_uv(wheel: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    run(SCRIPTS / "uv", "tool", "install", "--python", sys.executable, wheel, environment=environment)
    return folder / "bin" / "fimserver"


def environment_in(folder: Path, links: Path) -> dict[str, str]:
    """Return an environment in which pip, pipx and uv install into a folder, and fimserver keeps its own there."""
    own = {
        "FIMSERVER_HOME": folder / "home",
        "HOME": folder / "user",
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(),
        "PIPX_HOME": folder / "pipx",
        "PIPX_BIN_DIR": folder / "bin",
        "PIPX_MAN_DIR": folder / "man",
        "UV_TOOL_DIR": folder / "uv",
        "UV_TOOL_BIN_DIR": folder / "bin",
        "PIP_FIND_LINKS": links,
        "UV_FIND_LINKS": links,
        "PIP_CONSTRAINT": links / "constraints.txt",
        "UV_CONSTRAINT": links / "constraints.txt",
    }
    left_out = ("PYTHONPATH", "VIRTUAL_ENV", "FIMSERVER_HOME")
    usual = {name: value for name, value in os.environ.items() if name not in left_out}
    path = os.pathsep.join([str(folder / "bin"), str(SCRIPTS), os.environ["PATH"]])  # where uv and pipx are
    return {**usual, "PATH": path, **{name: str(value) for name, value in own.items()}}


@pytest.fixture(params=[by_pip, by_pipx, by_uv], ids=["pip", "pipx", "uv"])
def installed(request: pytest.FixtureRequest, links: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    install: Callable[[Path, Path, Mapping[str, str]], Path] = request.param
    folder = tmp_path_factory.mktemp("i")
    (folder / "user").mkdir()
    environment = environment_in(folder, links)
    program = install(next(links.glob("fimserver-*.whl")), folder, environment)
    return Installed(program, environment)


def test_it_runs_says_what_is_missing_and_completes(installed: Installed, tmp_path: Path) -> None:
    assert installed.run("--version").stdout == f"fimserver {__version__}\n"

    missing = [check for check in checks(installed) if not check["ok"]]
    assert [check["name"] for check in missing] == ["llama.cpp"]
    run("sh", "-c", missing[0]["mend"], environment=installed.environment)
    assert [check for check in checks(installed) if not check["ok"]] == []

    source = tmp_path / "sums.py"
    source.write_text(CODE)
    completed = installed.run("complete", "--json", f"{source}:6:12")
    assert completed.returncode == 0, completed.stderr
    assert "a" in json.loads(completed.stdout)["text"]

    plug_in = set_up_neovim(installed)
    assert installed.program.resolve().parents[1] in plug_in.parents
    assert (plug_in / "lua" / "fimserver" / "init.lua").is_file()
    assert installed.run("engine", "stop").returncode == 0


def checks(installed: Installed) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(installed.run("doctor", "--json").stdout)
    return found


def set_up_neovim(installed: Installed) -> Path:
    """Return the folder of the plug-in that Neovim is pointed at, once a suggestion has come."""
    done = installed.run("setup", "--yes", "--json", "--model", "embedded", "--editor", "neovim")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["trial"]["suggestion"]
    return Path(answer["editors"]["neovim"][0]["block"].partition('prepend("')[2].partition('"')[0])
