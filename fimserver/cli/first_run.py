"""Turn this machine into what to do next on it: a line for each thing, with one command where something is missing."""

from collections.abc import Iterator
from importlib.util import find_spec

from fimserver import __version__
from fimserver.cli import output
from fimserver.cli.chat_model import chat_model_here
from fimserver.cli.choice import Choice
from fimserver.cli.editor_blocks import program
from fimserver.cli.editors import Editor, found_editors
from fimserver.cli.engines import engine_name
from fimserver.cli.installing import build_llama
from fimserver.errors import ModelError
from fimserver.models.hardware import this_machine
from fimserver.models.recommend import recommend
from fimserver.models.store import EMBEDDED_ID, resolve

# Long enough to tell a quick memory from a slow one; `fimserver recommend` measures longer.
_PROBE_S = 0.3

# More would push the rest off a small terminal.
_MOST_EDITORS = 5

# What is there, what was found, and the command that goes on from there; empty where all is well.
Line = tuple[str, str, str]


def show_first_run(choice: Choice) -> None:
    """Print what is here and what to do next. Takes about a second; nothing is started, changed or downloaded."""
    output.line(f"fimserver {__version__} completes code in your editor, by a model on this machine.")
    output.line()
    output.columns([_row(line) for line in [_llama(choice), _model(choice), *_editors(), _chat(choice)]])
    output.line()
    output.line("All of it, step by step: ", ("fimserver setup", output.GOOD), "   Every command: fimserver --help")


def _llama(choice: Choice) -> Line:
    if choice.script is not None or choice.settings.engine.kind != "local":
        return "llama.cpp", "not needed: another engine answers", ""
    there = find_spec("llama_cpp") is not None
    return ("llama.cpp", "installed", "") if there else ("llama.cpp", "not installed", build_llama())


def _model(choice: Choice) -> Line:
    if choice.script is not None or choice.settings.engine.kind != "local":
        return "model", engine_name(choice.settings, choice.script), ""
    name = choice.settings.model.completion
    try:
        path = resolve(name)
    except ModelError as error:
        return "model", str(error).partition(". ")[0], "fimserver setup"
    if name not in ("", EMBEDDED_ID):
        return "model", path.name, ""
    pick = recommend(this_machine(_PROBE_S)).pick
    command = f"fimserver setup --model {pick.choice.model.id}" if pick else "fimserver models"
    return "model", "the embedded demonstrator", command


def _editors() -> Iterator[Line]:
    found = found_editors()
    for editor in found[:_MOST_EDITORS]:
        command = "" if _is_set_up(editor) else f"fimserver setup --editor {editor.name}"
        yield editor.title, "found" if command else "set up", command
    if not found:
        yield "editor", "none found on PATH", "fimserver setup --editor NAME --print"


def _is_set_up(editor: Editor) -> bool:
    return all(step.done for step in editor.steps(program()))


def _chat(choice: Choice) -> Line:
    found, command = chat_model_here(choice)
    return "chat model", found, command


def _row(line: Line) -> list[output.Part]:
    name, found, command = line
    return [name, found, (command, output.GOOD)]
