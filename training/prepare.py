"""Turn installed, permissively licensed Python into a corpus: cleaned, split by hash, without near-duplicates.

The order matters: the held-out side of the split is chosen before anything else looks at a file, and then whatever
resembles it is taken out of the training side.

    python -m training.prepare --out build/corpus --site .venv/lib/python3.11/site-packages
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fimserver.errors import FimError
from training.cleaning import normalised, why_unwanted
from training.command import run
from training.corpus import Source, Split, write_corpus
from training.duplicates import line_hashes, long_lines, share_seen
from training.sources import Package, installed, standard_library

HELDOUT_SHARE = 0.02

# Packages nothing is trained on: what their files score is what a user's own project scores.
UNSEEN = frozenset(("flask", "werkzeug", "pydantic", "trio", "jedi", "docker", "ipython", "moto", "cffi", "jsonschema"))
_UNSEEN_FILES_OF_A_PACKAGE = 40

# A training file with more than this share of its lines in held-out or unseen files gives those away.
_MOST_LEAKED = 0.3
# A held-out file with more than this share of its lines in training files asks for what was learnt by heart.
_MOST_KNOWN = 0.5
# A training file of which more than this has been read before is another version of it.
_MOST_REPEATED = 0.7


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.prepare", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--site", type=Path, action="append", default=[], help="a site-packages folder; repeatable")
    parser.add_argument("--library", type=Path, action="append", default=[], help="another Python's library folder")
    parser.add_argument("--most-characters", type=int, default=1 << 40, help="of the files to train on")
    chosen = parser.parse_args(arguments)
    packages, refused = installed(chosen.site)
    libraries = [standard_library(), *map(standard_library, chosen.library)]
    print(prepare(chosen.out, [*libraries, *packages], refused, chosen.most_characters))


def prepare(folder: Path, packages: Sequence[Package], refused: dict[str, str], most_characters: int = 1 << 40) -> str:
    """Write the corpus of these packages; return a line about it. Raises FimError where there is nothing to learn."""
    left_out: Counter[str] = Counter()
    found = list(_read(packages, left_out))
    sources = _at_most(without_leaks(found, left_out), most_characters, left_out)
    if not any(source.split is Split.TRAIN for source in sources):
        raise FimError(
            "No file may be learnt from: no package here has a permissive licence (MIT, BSD, Apache-2.0, PSF or ISC). "
            "Name folders with such packages: python -m training.prepare --site FOLDER"
        )
    digest = write_corpus(folder, sources, _manifest(sources, packages, refused, left_out))
    counts = Counter(source.split.value for source in sources)
    characters = sum(len(source.text) for source in sources if source.split is Split.TRAIN)
    return f"{folder}: {dict(counts)} files, {characters:,} characters to train on, sha256 {digest[:16]}"


def split_of(package: str, path: str) -> Split:
    """Return the side of the split that a file is on, from its name alone."""
    if package in UNSEEN:
        return Split.UNSEEN
    share = int(_digest(f"{package}/{path}")[:8], 16) / 2**32
    return Split.HELDOUT if share < HELDOUT_SHARE else Split.TRAIN


def without_leaks(sources: Sequence[Source], left_out: Counter[str]) -> list[Source]:
    """Return the files without those that give held-out ones away, held-out ones that are known, and repetitions."""
    in_order = sorted(sources, key=lambda source: _digest(f"{source.package}/{source.path}"))
    asked = _few_unseen([source for source in in_order if source.split is not Split.TRAIN])
    asked_lines = line_hashes(source.text for source in asked)
    read: set[int] = set()
    kept = []
    for source in in_order:
        if source.split is Split.TRAIN and (why := _why_left_out(source, asked_lines, read)):
            left_out[why] += 1
        elif source.split is Split.TRAIN:
            kept.append(source)
            read |= line_hashes([source.text])
    unknown = [source for source in asked if share_seen(source.text, read) <= _MOST_KNOWN]
    left_out["held-out, but known"] += len(asked) - len(unknown)
    return kept + unknown


def _at_most(sources: Sequence[Source], most_characters: int, left_out: Counter[str]) -> list[Source]:
    """Return the files without the training files over a limit; they stand in the order of their hashes."""
    kept, characters = [], 0
    for source in sources:
        characters += len(source.text) if source.split is Split.TRAIN else 0
        if source.split is not Split.TRAIN or characters <= most_characters:
            kept.append(source)
    left_out["over the limit"] += len(sources) - len(kept)
    return kept


def _why_left_out(source: Source, asked_lines: set[int], read: set[int]) -> str:
    if share_seen(source.text, asked_lines) > _MOST_LEAKED and len(long_lines(source.text)) >= 4:
        return "gives a held-out file away"
    return "repetition" if share_seen(source.text, read) > _MOST_REPEATED else ""


def _few_unseen(sources: Sequence[Source]) -> list[Source]:
    """Return the held-out files, each name once, from its first version, and so many unseen ones of each package."""
    names: dict[tuple[str, str], Source] = {}
    for source in sources:
        names.setdefault((source.package, source.path), source)
    taken: Counter[str] = Counter()
    few = []
    for source in names.values():
        taken[source.package] += 1
        if source.split is Split.HELDOUT or taken[source.package] <= _UNSEEN_FILES_OF_A_PACKAGE:
            few.append(source)
    return few


def _read(packages: Sequence[Package], left_out: Counter[str]) -> Iterator[Source]:
    for package in packages:
        for path, place in package.files.items():
            try:
                text = normalised(place.read_text("utf-8"))
            except (OSError, UnicodeDecodeError):
                left_out["unreadable"] += 1
                continue
            if why := why_unwanted(path, text):
                left_out[why] += 1
            else:
                yield Source(package.name, package.version, path, split_of(package.name, path), text)


def _manifest(
    sources: Sequence[Source], packages: Sequence[Package], refused: dict[str, str], left_out: Counter[str]
) -> dict[str, Any]:
    return {
        "files": Counter(source.split.value for source in sources),
        "left_out": left_out,
        "refused_licences": refused,
        "packages": [
            {
                "package": package.name,
                "version": package.version,
                "licence": package.licence,
                "files": len(own := [source for source in sources if _is_of(source, package)]),
                "characters": sum(len(source.text) for source in own),
                "sha256": _digest("".join(source.text for source in own)),
            }
            for package in packages
        ],
    }


def _is_of(source: Source, package: Package) -> bool:
    return (source.package, source.version) == (package.name, package.version)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


if __name__ == "__main__":
    run(main)
