"""Turn a question into a yes or a no: of the user at the terminal, of the option `--yes`, or of nobody."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from fimserver.cli import output


@dataclass(slots=True)
class Talk:
    """What is said, whom questions go to, and what went wrong."""

    tell: Callable[[str], None]
    consents: Callable[[str], bool]
    failures: list[str] = field(default_factory=list)

    def fail(self, sentence: str) -> None:
        """Say what went wrong, and go on."""
        self.failures.append(sentence)
        self.tell(sentence)


def talk_with(*, yes: bool, silent: bool) -> Talk:
    """Return who is talked with. Without `yes`, nobody agrees where there is no terminal to ask at.

    `silent` says nothing: the answer is for a program, which is not asked either.
    """
    if silent:
        return Talk(_nothing, lambda _: yes)
    return Talk(output.line, _agree if yes else _ask if sys.stdin.isatty() else _refuse)


def _nothing(_: str) -> None:
    """Say nothing."""


def _ask(question: str) -> bool:
    return click.confirm(question, default=True)


def _agree(question: str) -> bool:
    output.line(f"{question} Yes.")
    return True


def _refuse(question: str) -> bool:
    output.line(f"{question} Not without --yes, as there is no terminal to ask at.")
    return False
