"""Turn settings, commands, models and modules into the tables of the documents that list them.

Such a document is written by hand down to `MARK`; what follows is ours. `make docs` writes it, and a test fails where
it differs from what would be written.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, fields
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import click

from fimserver.cli.exit_codes import MEANINGS, ExitCode
from fimserver.cli.main import COMMANDS, command_line
from fimserver.models.catalogue import CatalogueModel, catalogue, usual_file
from fimserver.retrieval.built_in import built_in_rows
from fimserver.settings import Settings

_PACKAGE = Path(__file__).parents[1]
FOLDER = _PACKAGE.parent / "docs"

MARK = "<!-- `make docs` writes what follows. -->\n"

# As wide as a page of the documents' source.
_HELP_COLUMNS = 100

_WHO_MAY_SET = {"workspace": "workspace too", "machine": "your machine only"}


def main() -> None:
    """Write what is generated into every document that has such a part."""
    for name in TABLES:
        path = FOLDER / name
        path.write_text(written(name, path.read_text("utf-8")), "utf-8")


def written(name: str, text: str) -> str:
    """Return a document with its generated part as it should be."""
    head, mark, _ = text.partition(MARK)
    assert mark, f"docs/{name} has lost its line {MARK!r}"
    return f"{head}{mark}\n{TABLES[name]()}"


def settings_tables() -> str:
    """Return a table for each group of settings."""
    return "\n".join(line for group in fields(Settings) for line in _group_lines(group))


def _group_lines(group: "Field[Any]") -> Iterator[str]:
    default = cast("Any", group.default)
    yield f"## `{group.name}`\n"
    yield f"{default.__doc__.strip()}\n"
    yield "| Setting | Default | Values | Meaning | Who may set it |"
    yield "| --- | --- | --- | --- | --- |"
    for entry in fields(default):
        who = next((words for mark, words in _WHO_MAY_SET.items() if entry.metadata[mark]), "you or your editor")
        yield _row(f"`{entry.name}`", f"`{_toml(entry.default)}`", _values(entry), entry.metadata["meaning"], who)
    yield ""


def _toml(value: Any) -> str:
    """Return a default as it would stand in settings.toml."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _values(entry: "Field[Any]") -> str:
    facts = entry.metadata
    if facts["choices"]:
        return ", ".join(f"`{choice}`" for choice in facts["choices"])
    if facts["at_least"] is not None:
        return f"{facts['at_least']:,} to {facts['at_most']:,}"
    return {bool: "`true`, `false`", tuple: "texts", str: "text"}[type(entry.default)]


def commands_document() -> str:
    """Return the exit codes, and the help of every command."""
    return f"{exit_codes_table()}\n{command_sections()}"


def exit_codes_table() -> str:
    """Return a row for each exit code."""
    rows = [_row(f"`{int(code)}`", MEANINGS[code]) for code in ExitCode]
    return "\n".join(["## Exit codes", "", _row("Code", "Meaning"), _row("---", "---"), *rows]) + "\n"


def command_sections() -> str:
    """Return the help of the program and of each of its commands."""
    settings = {**command_line.context_settings, "terminal_width": _HELP_COLUMNS}
    context = click.Context(command_line, info_name="fimserver", **settings)
    sections = [_help("fimserver", command_line, context)]
    for row in COMMANDS:
        sections += _sections(_child(command_line, row.name, context), f"fimserver {row.name}", context)
    return "\n".join(sections)


def _sections(command: click.Command, name: str, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=parent, terminal_width=_HELP_COLUMNS)
    sections = [_help(name, command, context)]
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            sections += _sections(_child(command, child, context), f"{name} {child}", context)
    return sections


def _child(group: click.Group, name: str, context: click.Context) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None
    return command


def _help(name: str, command: click.Command, context: click.Context) -> str:
    return f"## `{name}`\n\n```\n{command.get_help(context)}\n```\n"


def models_table() -> str:
    """Return a row for each model of the catalogue."""
    headings = ("Model", "For", "Size", "Context", "Licence", "Commercial use")
    rows = [_row(*headings), _row(*["---"] * len(headings)), *map(_model_row, catalogue().values())]
    return "\n".join(rows) + "\n"


def _model_row(model: CatalogueModel) -> str:
    file = usual_file(model)
    size = f"{file.quant}, {file.bytes / 1e9:.1f} GB" if file else ""
    context = f"{model.context_tokens:,}"
    return _row(f"`{model.id}`", ", ".join(model.uses), size, context, model.licence, model.commercial)


def module_list() -> str:
    """Return the first sentence of every module, package by package."""
    sources = sorted(_PACKAGE.rglob("*.py"), key=lambda path: (path.parent, path.name))
    paths = [path for path in sources if _purpose(path)]
    lines: list[str] = []
    for folder, of_folder in groupby(paths, lambda path: path.parent):
        lines += ["", f"## `{folder.relative_to(_PACKAGE.parent).as_posix()}/`", ""]
        lines += [f"- `{path.name}`: {_purpose(path)}" for path in of_folder]
    return "\n".join(lines[1:]) + "\n"


def _purpose(path: Path) -> str:
    """Return a module's first paragraph."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def excluded_table() -> str:
    """Return a table of the built-in rules that keep files out."""
    return "\n".join(_excluded_lines())


def _excluded_lines() -> Iterator[str]:
    yield "## The built-in list\n"
    yield "No setting and no repository can switch one of these off. Names are compared without regard to case.\n"
    yield "| What | Files and folders | Suggestions inside |"
    yield "| --- | --- | --- |"
    for row in built_in_rows():
        patterns = [*row.get("names", ()), *(f"{folder}/" for folder in row.get("folders", ())), *row.get("paths", ())]
        spared = f"; but not {_list(row['except'])}" if "except" in row else ""
        yield _row(row["why"], f"{_list(patterns)}{spared}", "yes" if row["completion"] else "no")
    yield ""


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


TABLES: Mapping[str, Callable[[], str]] = {
    "context.md": excluded_table,
    "settings.md": settings_tables,
    "commands.md": commands_document,
    "models.md": models_table,
    "modules.md": module_list,
}


if __name__ == "__main__":
    main()
