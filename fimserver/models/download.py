"""Turn `qwen2.5-coder-1.5b` or `hf:owner/repository/file.gguf` into a verified file on disk.

Nothing is downloaded unless somebody asked for it here. huggingface_hub's own download starts from zero after a crash
and checks sizes only, so the bytes are fetched by this module: into a partial file that any later run goes on with, and
that gets its name once its SHA-256 is the one the hub has published.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.errors import ModelBroken, ModelError
from fimserver.files import models_folder
from fimserver.models.catalogue import choice_named
from fimserver.models.hub import PAUSES_S, Hub, HubFile, Located
from fimserver.models.partial import PartialFile, remove_forgotten
from fimserver.models.store import check_model


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is."""

    name: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float

    @property
    def left_s(self) -> float | None:
        """Return the seconds it will still take at this rate, None where nothing came yet."""
        return (self.total_bytes - self.done_bytes) / self.bytes_per_s if self.bytes_per_s else None


_REPORT_EVERY_S = 0.1


def pull(
    name: str,
    *,
    to: Path | None = None,
    token: bool | str = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    pauses_s: Sequence[float] = PAUSES_S,
) -> Path | None:
    """Download a model, all its parts if it is split, and return its (first) file; None where it was cancelled.

    `to` is a folder; without it the file goes where `fimserver use` finds it. What is there already is not fetched
    again. `cancelled` is asked between pieces. Raises ModelError with a sentence that names what to do.
    """
    hub = Hub(token, pauses_s=pauses_s, cancelled=cancelled)
    file = hub.named(source_of(name))
    folder = to or models_folder().joinpath(*file.repository.split("/"))
    remove_forgotten(folder)
    paths: list[Path] = []
    for part in parts_of(file):
        target = folder / Path(part.name).name
        if not _fetch(hub, hub.locate(part), target, on_progress, cancelled):
            return None
        paths.append(target)
    check_model(paths[0])
    return paths[0]


_HUB_NAME = re.compile(r"hf:(?P<repository>[\w.-]+/[\w.-]+)/(?P<name>[^@?#\\]+?)(@(?P<revision>[\w./-]+))?")


def source_of(name: str) -> HubFile:
    """Return the file that a catalogue id or `hf:owner/repository/file[@revision]` names. Raises ModelError.

    >>> source_of("hf:owner/models/sub/m.gguf@v2")
    HubFile(repository='owner/models', name='sub/m.gguf', revision='v2')
    """
    if not name.startswith("hf:"):
        choice = choice_named(name)
        return HubFile(choice.file.repository, choice.file.name)
    match = _HUB_NAME.fullmatch(name)
    if match is None or ".." in name:
        raise ModelError(f"{name!r} names no file of the hub. Write hf:OWNER/REPOSITORY/FILE.gguf")
    if not match["name"].endswith(".gguf"):
        raise ModelError(f"{match['name']} is no GGUF file, and only those can be loaded. Choose a GGUF repository.")
    return HubFile(match["repository"], match["name"], match["revision"] or "main")


_FIRST_PART = re.compile(r"-00001-of-(\d{5})\.gguf$")


def parts_of(file: HubFile) -> list[HubFile]:
    """Return the files that a model consists of: itself, or all parts where its name says that it is split."""
    match = _FIRST_PART.search(file.name)
    if match is None:
        return [file]
    stem, count = file.name[: match.start()], match[1]
    return [replace(file, name=f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1)]


def _fetch(
    hub: Hub,
    located: Located,
    target: Path,
    on_progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
) -> bool:
    """Bring a file here, going on from what is there. Returns False where it was cancelled."""
    if target.exists() and target.stat().st_size == located.size_bytes:
        return True
    with PartialFile(target, located.sha256, located.size_bytes) as partial:
        report = _Reporter(target.name, partial.length, located.size_bytes, on_progress)
        most = partial.length

        def progressed() -> bool:
            nonlocal most
            more, most = partial.length > most, max(most, partial.length)
            return more

        hub.trying(located.file, lambda: _receive(hub, located, partial, report, cancelled), progressed)
        if partial.missing_bytes:
            return False
        partial.finish()
        return True


def _receive(
    hub: Hub, located: Located, partial: PartialFile, report: "_Reporter", cancelled: Callable[[], bool]
) -> None:
    """Append bytes until all are there. Raises the library's errors where the connection breaks."""
    while partial.missing_bytes:
        with hub.stream(located.url, partial.length) as stream:
            if stream.start != partial.length:
                partial.start_again()  # the server sends all of it, or has less than we thought
            for piece in stream.pieces:
                if cancelled():
                    return
                partial.append(piece)
                report(partial.length)
        if partial.missing_bytes and stream.start is not None:
            raise ModelBroken(f"{located.url} ends {partial.missing_bytes:,} bytes early. Run the same command again.")


class _Reporter:
    """Reports progress ten times a second, with the rate of this run."""

    def __init__(self, name: str, start: int, total: int, on_progress: Callable[[Progress], None]) -> None:
        self._name = name
        self._start = start
        self._total = total
        self._on_progress = on_progress
        self._began_s = self._last_s = time.monotonic()

    def __call__(self, done_bytes: int) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s < _REPORT_EVERY_S and done_bytes < self._total:
            return
        self._last_s = now_s
        rate = max(0, done_bytes - self._start) / max(now_s - self._began_s, 1e-6)
        self._on_progress(Progress(self._name, done_bytes, self._total, rate))
