"""What is released is what was meant: locked, audited, listed, and the same bytes from the same commit."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fimserver.errors import ModelBroken
from fimserver.models.catalogue import choices
from fimserver.models.store import embedded_model
from tests.faults.conftest import Figure
from tests.faults.editor import EMBEDDED

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DIRECT = [Requirement(text) for text in (*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["llama"])]
LOCK = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
RELEASE = (sys.executable, str(ROOT / "scripts" / "release.py"))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("line", LOCK, ids=lambda line: line.partition("=")[0])
def test_each_locked_package_has_one_version_and_a_hash(line: str) -> None:
    assert re.fullmatch(r"[\w.-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line)


@pytest.mark.parametrize("wanted", DIRECT, ids=lambda wanted: wanted.name)
def test_each_dependency_is_locked_within_its_bounds(wanted: Requirement) -> None:
    locked = {plain(name): version for name, version in (line.split(" ")[0].split("==") for line in LOCK)}
    assert wanted.specifier.contains(locked[plain(wanted.name)])


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_no_locked_package_has_a_known_vulnerability(figure: Figure) -> None:
    ask = (
        "pip_audit",
        "--requirement",
        ROOT / "requirements.lock",
        "--disable-pip",
        "--require-hashes",
        "--format",
        "json",
    )
    done = subprocess.run([sys.executable, "-m", *map(str, ask)], capture_output=True, text=True, check=False)
    found = json.loads(done.stdout or '{"dependencies": []}')["dependencies"]
    audited = [package for package in found if "skip_reason" not in package]
    if len(audited) < len(LOCK):
        pytest.skip(f"the service that knows of vulnerabilities answered for {len(audited)} of {len(LOCK)} packages")
    assert [package["name"] for package in audited if package["vulns"]] == []
    figure("packages audited", len(audited))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_builds_of_a_commit_are_the_same_bytes(tmp_path: Path, figure: Figure) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in ("one", "other"):
        subprocess.run([*RELEASE, str(tmp_path / name), commit.strip()], check=True, capture_output=True)
    one, other = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "other"))
    assert sorted(path.rpartition(".")[2] for path in one) == ["SHA256SUMS", "gz", "json", "whl"]
    assert one == other
    bill = json.loads(next(data for name, data in one.items() if name.endswith(".cdx.json")))
    assert len(bill["components"]) == len(LOCK) + 1
    figure("files equal", len(one))


def test_the_embedded_model_is_used_only_as_it_was_shipped(tmp_path: Path) -> None:
    folder = tmp_path / "embedded"
    shutil.copytree(EMBEDDED.parent, folder)
    assert embedded_model(folder) == folder / EMBEDDED.name
    changed = bytearray(EMBEDDED.read_bytes())
    changed[-1] ^= 1
    (folder / EMBEDDED.name).chmod(0o600)
    (folder / EMBEDDED.name).write_bytes(changed)
    with pytest.raises(ModelBroken, match="not the one we ship"):
        embedded_model(folder)


def test_the_catalogue_says_what_it_can_vouch_for(figure: Figure) -> None:
    """A file's revision and hash come from its publisher when it is pulled, and what came is checked against them."""
    files = [choice.file for choice in choices()]
    vouched = sum(hasattr(file, "sha256") for file in files)
    figure("% of the catalogue with revision and hash", 100 * vouched // len(files))
