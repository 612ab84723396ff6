"""A conversation in the terminal: lines that are typed become questions or commands, answers stream below them.

What goes along with a question, a file or a diff, is put into a fence: it is material, whatever it says.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fimserver.cli import output
from fimserver.cli.chat import say
from fimserver.cli.chat_model import chat_engine
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.errors import AnswerCut, FileUnsuitable, FimError
from fimserver.files import private_folder, state_folder
from fimserver.prompt.chat import ChatMessage
from fimserver.retrieval.places import read_source
from fimserver.review.changes import staged_diff, top_folder, working_diff
from fimserver.review.prompts import fenced
from fimserver.syntax.languages import language_of_path

# Lines that were typed are kept for the next time, so many of them.
_KEPT_LINES = 500

# Alone on a line it begins and ends a question of several lines.
_QUOTES = '"""'


class _Left(Exception):
    """The user is done."""


@dataclass(slots=True)
class Talk:
    """One conversation, and the engine that answers. `attached` goes along with the next question."""

    choice: Choice
    max_tokens: int
    runner: asyncio.Runner
    engine: Engine
    turns: list[ChatMessage] = field(default_factory=list)
    attached: list[str] = field(default_factory=list)


def talk(choice: Choice, model: str | None, max_tokens: int, source: str | None) -> None:
    """Talk until the user leaves, first about a file if one is named. Raises FimError where no model can answer."""
    with asyncio.Runner() as runner, _history():
        conversation = Talk(choice, max_tokens, runner, chat_engine(choice, model))
        try:
            with at_work(conversation.engine):
                name = runner.run(loaded_model(conversation.engine)).name
            _tell(f"{name} answers. /help lists what can be done.")
            if source is not None:
                _attach_file(conversation, source)
            with suppress(_Left):
                while True:
                    _take(conversation, _read())
        finally:
            runner.run(conversation.engine.close())


def _take(conversation: Talk, line: str) -> None:
    """Do what a line says; what cannot be done is said, and the conversation goes on."""
    try:
        if line.startswith("/"):
            name, _, argument = line[1:].strip().partition(" ")
            if name not in _COMMANDS:
                raise FimError(f"There is no /{name}; there are {', '.join(f'/{known}' for known in _COMMANDS)}.")
            _COMMANDS[name].run(conversation, argument.strip())
        elif line.strip():
            _ask(conversation, line)
    except FimError as error:
        _tell(str(error))


def _ask(conversation: Talk, line: str) -> None:
    """Ask a question. An answer that is given up, or cut off, is forgotten together with its question."""
    turns = [*conversation.turns, ChatMessage("user", "\n\n".join([*conversation.attached, line]))]
    try:
        answer = conversation.runner.run(say(conversation.engine, turns, conversation.max_tokens))
    except KeyboardInterrupt:
        print()
        return
    except AnswerCut:
        print()
        raise
    print()
    conversation.turns, conversation.attached = [*turns, ChatMessage("assistant", answer)], []


def _attach_file(conversation: Talk, name: str) -> None:
    path = Path(name).expanduser()
    try:
        text = read_source(path)
    except FileUnsuitable as error:
        raise FimError(f"{name} is not taken along: it is {error}.") from error
    except OSError as error:
        raise FimError(f"{name} cannot be read: {error.strerror or error}.") from error
    language = language_of_path(path)
    conversation.attached.append(f"{path}:\n{fenced(text, language.id if language else '')}")
    _tell(f"{path} goes along with your next question.")


def _attach_diff(conversation: Talk, which: str) -> None:
    if which not in ("", "staged"):
        raise FimError("/diff takes nothing, or the word staged.")
    text = conversation.runner.run(_diff(staged=which == "staged"))
    if not text.strip():
        raise FimError("Nothing is staged." if which else "Nothing has changed.")
    conversation.attached.append(f"The {which or 'uncommitted'} change:\n{fenced(text, 'diff')}")
    _tell(f"{text.count(chr(10))} lines of diff go along with your next question.")


async def _diff(*, staged: bool) -> str:
    top = await top_folder(Path.cwd())
    return await (staged_diff(top) if staged else working_diff(top))


def _model(conversation: Talk, name: str) -> None:
    """Say which model answers, or change it; one that cannot answer changes nothing."""
    engine = chat_engine(conversation.choice, name) if name else conversation.engine
    try:
        with at_work(engine):
            facts = conversation.runner.run(loaded_model(engine))
    except FimError:
        conversation.runner.run(engine.close())
        raise
    if engine is not conversation.engine:
        conversation.runner.run(conversation.engine.close())
        conversation.engine = engine
    _tell(f"{facts.name} answers.")


def _clear(conversation: Talk, _: str) -> None:
    conversation.turns, conversation.attached = [], []
    _tell("What was said is forgotten.")


def _help(_: Talk, __: str) -> None:
    for name, command in _COMMANDS.items():
        output.line((f"/{name}", output.GOOD), f" {command.sentence}")
    output.line(f"{_QUOTES} alone on a line begins and ends a question of several lines. Ctrl+C gives an answer up.")


def _quit(_: Talk, __: str) -> None:
    raise _Left


class _Command(NamedTuple):
    """What stands behind a slash."""

    sentence: str
    run: Callable[[Talk, str], None]


_COMMANDS = {
    "file": _Command("PATH takes a file along with the next question.", _attach_file),
    "diff": _Command("[staged] takes along what is not committed, or what is staged.", _attach_diff),
    "model": _Command("[ID|FILE] says which model answers, or changes it.", _model),
    "clear": _Command("forgets what was said.", _clear),
    "help": _Command("lists these.", _help),
    "quit": _Command("ends the conversation, as Ctrl+D does.", _quit),
}


def _tell(sentence: str) -> None:
    output.line((sentence, output.FAINT))


def _read() -> str:
    """Return the next question or command. Raises _Left at the end of the input."""
    line = _read_line("> ")
    if line.strip() != _QUOTES:
        return line
    lines: list[str] = []
    while (line := _read_line("… ")).strip() != _QUOTES:
        lines.append(line)
    return "\n".join(lines)


def _read_line(mark: str) -> str:
    while True:
        try:
            return input(mark if sys.stdin.isatty() else "")
        except EOFError:
            raise _Left from None
        except KeyboardInterrupt:
            print()


@contextmanager
def _history() -> Iterator[None]:
    """Keep the lines that are typed for the next conversation, where somebody types them."""
    try:
        import readline
    except ImportError:  # Windows has none
        yield
        return
    if not sys.stdin.isatty():
        yield
        return
    path = private_folder(state_folder()) / "chat-history"
    readline.set_history_length(_KEPT_LINES)
    with suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.touch(mode=0o600)
            readline.write_history_file(path)
