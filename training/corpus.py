"""The corpus on disk: one JSON line for each file, compressed, beside a manifest that says where every file is from."""

import hashlib
import json
import lzma
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from fimserver.errors import FimError
from fimserver.files import write_atomically


class Split(StrEnum):
    """What a file is for."""

    TRAIN = "train"
    HELDOUT = "heldout"  # of packages that are trained on; chosen by hash
    UNSEEN = "unseen"  # of packages that nothing is trained on


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the corpus."""

    package: str
    version: str
    path: str
    split: Split
    text: str


def write_corpus(folder: Path, sources: Iterable[Source], manifest: Mapping[str, Any]) -> str:
    """Write `corpus.jsonl.xz` and `manifest.json`, each whole or not at all; return the corpus' SHA-256."""
    lines = "".join(json.dumps(asdict(source), ensure_ascii=False) + "\n" for source in sources)
    packed = lzma.compress(lines.encode(), preset=4)
    digest = hashlib.sha256(packed).hexdigest()
    write_atomically(folder / "corpus.jsonl.xz", packed)
    write_atomically(folder / "manifest.json", json.dumps({"corpus_sha256": digest, **manifest}, indent=1) + "\n")
    return digest


def read_corpus(folder: Path, split: Split) -> list[Source]:
    """Return the files of one split. Raises FimError where there is no corpus, or half of one."""
    path = folder / "corpus.jsonl.xz"
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
    except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError) as error:
        raise FimError(
            f"The corpus {path} cannot be read: {error}. Make it with: python -m training.prepare --out {folder}"
        ) from error
    return [Source(**{**row, "split": split}) for row in rows if row["split"] == split]
