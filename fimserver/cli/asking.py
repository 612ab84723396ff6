"""Turn a place in a file into what the completer answers there, with all that it noted on the way."""

import asyncio
from dataclasses import replace

from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.cli.place import Place
from fimserver.cli.progress import at_work
from fimserver.cli.project import Project, opened_project
from fimserver.complete.completer import Completer
from fimserver.complete.journal import Entry
from fimserver.engine.interface import Engine
from fimserver.logs import set_up_logging
from fimserver.prompt.profile import profile_for
from fimserver.settings import Settings
from fimserver.values import Document

# Nobody types while a command runs, so the whole prompt and the whole answer may take their time.
_PATIENCE_MS = 60_000


def ask_at(choice: Choice, place: Place, document: Document, offset: int, *, typed: bool) -> Entry:
    """Return the journal's entry of one request. Raises FimError where no model could ever answer it.

    `typed` asks as an editor does while its user types; else as if by hand, and with all the time it takes.
    """
    set_up_logging("cli", choice.settings.privacy.log_level, to_terminal=False)
    with opened_project(place.path, choice.settings if typed else _patient(choice.settings)) as project:
        engine = new_engine(project.settings, choice.script)
        with at_work(engine):
            return asyncio.run(_ask(engine, project, document, offset, typed=typed))


async def _ask(engine: Engine, project: Project, document: Document, offset: int, *, typed: bool) -> Entry:
    try:
        # Whatever is wrong with the model is an error here, and no reason for one empty answer among many.
        profile_for(await loaded_model(engine), project.settings.model.profile)
        completer = Completer(engine, project.settings, project.other_files, (project.root,))
        await completer.prepared(document, offset)
        await completer.complete(document, offset, invoked=not typed)
        return completer.journal.entries()[-1]
    finally:
        await engine.close()


def _patient(settings: Settings) -> Settings:
    return replace(settings, completion=replace(settings.completion, deadline_ms=_PATIENCE_MS, quiet_ms=0))
