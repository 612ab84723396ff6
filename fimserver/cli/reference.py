"""Turn the settings table and the commands into docs/settings.md and docs/commands.md.

`make docs` writes them; a test fails when they differ from what this module would write.
"""

from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, cast

import click

from fimserver.cli.main import COMMANDS, command_line
from fimserver.settings import Settings

_FOLDER = Path(__file__).parents[2] / "docs"

_SETTINGS_INTRODUCTION = """\
# Settings

*Written by `make docs` from `fimserver/settings.py`.*

The same names work in three places; a later one wins:

1. your own `settings.toml` (`fimserver doctor` names its folder),
2. your editor's settings for the language server, under `fimserver`,
3. a workspace's `.fimserver.toml`, which may only narrow what is suggested and sent: it reaches the settings whose last
   column says *workspace*, and no other.

A setting whose last column says *your machine only* names a file to load, a program to run or a place to send text to;
it is never taken from a workspace, not even through the editor's workspace settings. A value that is wrong is named in
one sentence and its default is used.

```toml
[completion]
max_lines = 6
disabled_languages = ["markdown"]

[context]
exclude = ["secrets/", "*.pem"]
```
"""

_COMMANDS_INTRODUCTION = """\
# Commands

*Written by `make docs` from the commands' own help.*

Exit codes: `0` done · `1` a fault of fimserver, described in the log · `2` it cannot be done as asked, and the sentence
on standard error says what would mend it · `130` interrupted.
"""

_SCOPES = {"workspace": "workspace", "machine": "your machine only"}


def main() -> None:
    """Write every generated document."""
    for name, text in documents().items():
        (_FOLDER / name).write_text(text, "utf-8")


def documents() -> dict[str, str]:
    """Return each generated document by its file name."""
    return {"settings.md": settings_document(), "commands.md": commands_document()}


def settings_document() -> str:
    """Return docs/settings.md."""
    return "\n".join([_SETTINGS_INTRODUCTION, *(line for group in fields(Settings) for line in _group(group))])


def _group(group: "Field[Any]") -> Iterator[str]:
    default = cast("Any", group.default)
    yield f"## `{group.name}`\n"
    yield f"{default.__doc__.strip()}\n"
    yield "| Setting | Default | Values | Meaning | Also set by |"
    yield "| --- | --- | --- | --- | --- |"
    for entry in fields(default):
        scope = next((words for mark, words in _SCOPES.items() if entry.metadata[mark]), "")
        cells = (f"`{entry.name}`", f"`{_toml(entry.default)}`", _values(entry), entry.metadata["meaning"], scope)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _toml(value: Any) -> str:
    """Return a default as it would stand in settings.toml."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _values(entry: "Field[Any]") -> str:
    facts = entry.metadata
    if facts["choices"]:
        return ", ".join(f"`{choice}`" for choice in facts["choices"])
    if facts["at_least"] is not None:
        return f"{facts['at_least']:,} to {facts['at_most']:,}"
    return {bool: "`true`, `false`", tuple: "texts", str: "text"}[type(entry.default)]


def commands_document() -> str:
    """Return docs/commands.md."""
    context = click.Context(command_line, info_name="fimserver", terminal_width=100)
    sections = [_COMMANDS_INTRODUCTION, _help("fimserver", command_line, context)]
    for row in COMMANDS:
        command = command_line.get_command(context, row.name)
        assert command is not None
        sections += _sections(command, f"fimserver {row.name}", context)
    return "\n".join(sections)


def _sections(command: click.Command, name: str, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=100)
    own = [_help(name, command, context)]
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            assert child is not None
            own += _sections(child, f"{name} {child_name}", context)
    return own


def _help(name: str, command: click.Command, context: click.Context) -> str:
    return f"## `{name}`\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    main()
