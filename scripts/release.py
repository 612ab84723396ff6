"""Turn a commit into its release, the same bytes each time: `python scripts/release.py [FOLDER [COMMIT]]`.

Below FOLDER, `dist` by default, stand the wheel, the source archive, a bill of materials (CycloneDX 1.6) and the hashes
of all three. `python scripts/release.py --lock` writes requirements.lock instead: every package that fimserver needs on
this machine, with version and hash; `pip install --require-hashes -r requirements.lock` takes no other.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
MODEL = ROOT / "fimserver" / "models" / "embedded" / "tiny-fim.gguf"

_LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<hash>[0-9a-f]{64})$", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Write the lock file, or a release."""
    if arguments == ["--lock"]:
        LOCK.write_text(locked(), "utf-8")
    else:
        folder, commit = (*arguments, *("dist", "HEAD")[len(arguments) :])
        build(Path(folder), commit)


def build(folder: Path, commit: str) -> None:
    """Write the release of a commit into a folder."""
    stamp = _output("git", "log", "-1", "--format=%ct", commit).strip()
    with tempfile.TemporaryDirectory() as checkout:
        archive = Path(checkout, "commit.tar")
        _output("git", "archive", "--output", str(archive), commit)
        source = Path(checkout, "source")
        with tarfile.open(archive) as files:
            files.extractall(source, filter="data")
        build_both = (sys.executable, "-m", "build", "--outdir", str(folder.absolute()), str(source))
        environment = {**os.environ, "SOURCE_DATE_EPOCH": stamp}
        subprocess.run(build_both, env=environment, check=True, capture_output=True)
    bill = bill_of_materials(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"])
    name = f"{bill['metadata']['component']['name']}-{bill['metadata']['component']['version']}"
    (folder / f"{name}.cdx.json").write_text(json.dumps(bill, indent=1) + "\n", "utf-8")
    released = sorted(path for path in folder.glob(f"{name}[-.]*") if path.is_file())
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in released), "ascii")


def locked() -> str:
    """Return the lock file's text, by asking pip what it would install."""
    ask = (sys.executable, "-m", "pip", "lock", "--quiet", "--editable", ".[llama]", "--output", "-")
    packages = tomllib.loads(_output(*ask))["packages"]
    return "".join(
        f"{package['name']}=={package['version']} --hash=sha256:{_hash(package)}\n"
        for package in packages
        if "version" in package
    )


def bill_of_materials(project: dict[str, Any]) -> dict[str, Any]:
    """Return what a release consists of and needs, as CycloneDX has it."""
    needed = [_component(**match.groupdict()) for match in _LOCKED.finditer(LOCK.read_text("utf-8"))]
    model = {
        "type": "machine-learning-model",
        "name": MODEL.stem,
        "version": project["version"],
        "hashes": [{"alg": "SHA-256", "content": sha256(MODEL)}],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    itself = {
        "type": "application",
        "name": project["name"],
        "version": project["version"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": itself},
        "components": [*needed, model],
    }


def sha256(path: Path) -> str:
    """Return a file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _component(name: str, version: str, hash: str) -> dict[str, Any]:  # noqa: A002 - a name of the pattern
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "hashes": [{"alg": "SHA-256", "content": hash}],
    }


def _hash(package: dict[str, Any]) -> str:
    """Return the hash of the file that pip chose: a wheel for this machine, or the source."""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    return str(files[0]["hashes"]["sha256"])


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout


if __name__ == "__main__":
    main(sys.argv[1:])
