"""Turn a table of commands into a group of the command line that imports a command's module when that command runs."""

import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import click
from click.shell_completion import CompletionItem


class Row(NamedTuple):
    """A command: its name, the module of this package that holds the function `<module>_command`, and its sentence."""

    name: str
    module: str
    sentence: str


class RowGroup(click.Group):
    """A group that knows its commands from a table and imports one when it is asked for."""

    def __init__(self, *arguments: Any, rows: Sequence[Row], **options: Any) -> None:
        """Take the table; everything else is click's."""
        super().__init__(*arguments, **options)
        self.rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the table."""
        return [row.name for row in self.rows]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return one command, importing its module; None where there is no such command."""
        for row in self.rows:
            if row.name == cmd_name:
                module = importlib.import_module(f"fimserver.cli.{row.module}")
                return cast("click.Command", getattr(module, f"{row.module}_command"))
        return None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, with their sentences, and the options that begin so; nothing is imported for it."""
        rows = [CompletionItem(row.name, help=row.sentence) for row in self.rows if row.name.startswith(incomplete)]
        return [*rows, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.sentence) for row in self.rows])
