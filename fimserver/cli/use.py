"""Turn a model's name into the user's choice: one line of the settings file."""

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.completion import complete_model
from fimserver.errors import ModelError
from fimserver.models.hardware import usable_bytes
from fimserver.models.header_facts import facts_of_file
from fimserver.models.room import Context, check_room
from fimserver.models.store import EMBEDDED_ID, resolve
from fimserver.prompt.profile import profile_for
from fimserver.settings_file import write_setting


@dataclass(frozen=True, slots=True)
class Used:
    """The file that answers from now on, and a word of advice about it; empty where there is none."""

    path: str
    caution: str


@click.command("use")
@click.argument("name", metavar="ID|FILE", shell_complete=complete_model)
@click.option("--chat", is_flag=True, help="For review, edit and chat instead of completion.")
@click.option("--json", "as_json", is_flag=True, help="Print the file that answers, and what to know of it, as JSON.")
@click.pass_obj
def use_command(choice: Choice, name: str, chat: bool, as_json: bool) -> None:
    """Choose the model that answers from now on.

    Takes a name that `fimserver models` lists as installed, the path of a GGUF file, or `embedded`.
    """
    used = use(choice, name, chat=chat)
    if as_json:
        output.as_json(asdict(used))
        return
    output.line(f"{used.path} answers from now on, in open editors too.")
    if used.caution:
        output.line(used.caution)


def use(choice: Choice, name: str, *, chat: bool = False) -> Used:
    """Write a model into the settings file. Raises ModelError where it is not here or cannot do what is asked of it."""
    path = resolve(name)
    caution = _chat_caution(choice, path) if chat else _caution(choice, path)
    value = "" if name == EMBEDDED_ID and not chat else str(path) if Path(name).expanduser().is_file() else name
    write_setting(choice.settings_file, "model", "chat" if chat else "completion", value)
    return Used(str(path), caution)


def _caution(choice: Choice, path: Path) -> str:
    """Return a word of advice about a model that can complete, but not as well as another. Raises ModelWithoutFim."""
    return profile_for(facts_of_file(path), choice.settings.model.profile).caution


def _chat_caution(choice: Choice, path: Path) -> str:
    """Return why this chat model would not be loaded as things stand; memory may be free later."""
    engine = choice.settings.engine
    context = Context(tokens=engine.context_tokens, kv_type=engine.kv_type)
    try:
        check_room(path, resolve(choice.settings.model.completion), context, usable_bytes())
    except ModelError as error:
        return str(error)
    return ""
