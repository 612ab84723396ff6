"""Turn a file into what its project says of it: the settings as the project narrows them, and its other files."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from fimserver.cli.place import project_of
from fimserver.cli.progress import told
from fimserver.retrieval.gather import Gatherer
from fimserver.settings import Settings
from fimserver.workspace import narrowed

# A project that is not indexed by then is searched as far as it is known; the next command goes on with the index.
_INDEXED_S = 10.0
_READING = "The project's other files are being read."

_LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Project:
    """A file's project: its folder, the settings there, and the other files, indexed."""

    root: Path
    settings: Settings
    other_files: Gatherer


@contextmanager
def opened_project(path: Path, settings: Settings) -> Iterator[Project]:
    """Open the project of a file for a command; what of its own settings is not taken is told on standard error."""
    root = project_of(path)
    settings, problems = narrowed(settings, (root,))
    for problem in problems:
        click.echo(f"fimserver: {problem}", err=True)
    other_files = Gatherer((root,), settings.context)
    try:
        if settings.context.other_files:
            with told(lambda: _READING):
                other_files.indexed.wait(_INDEXED_S)
        yield Project(root, settings, other_files)
    finally:
        other_files.close()


async def indexed(other_files: Gatherer) -> None:
    """Wait until a project is indexed, or has taken too long. No thread waits, so Ctrl+C ends it at once."""
    with told(lambda: _READING), suppress(TimeoutError):
        async with asyncio.timeout(_INDEXED_S):
            while not other_files.indexed.is_set():  # noqa: ASYNC110 - the event is a thread's
                await asyncio.sleep(_LOOK_AGAIN_S)
