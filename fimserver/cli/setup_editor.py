"""Turn the steps of an editor into changed files and run commands, each shown before its user agrees to it."""

import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fimserver.cli.consent import Talk
from fimserver.cli.editor_steps import Step, text_of
from fimserver.cli.editors import Editor
from fimserver.cli.progress import told
from fimserver.files import rewrite


class State(StrEnum):
    """What became of a step."""

    ALREADY = "already"
    DONE = "done"
    BY_HAND = "by hand"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step and what became of it, as `--json` prints it."""

    says: str
    block: str
    state: State


def set_up_editor(editor: Editor, program: str, talk: Talk) -> list[Taken]:
    """Carry out an editor's steps, as far as its user agrees."""
    talk.tell("")
    taken = []
    for step in editor.steps(program):
        talk.tell(f"{editor.title}: {step.says}")
        if step.block:
            talk.tell(indented(step.block))
        taken.append(Taken(says=step.says, block=step.block, state=_carry_out(step, talk)))
    return taken


def indented(block: str) -> str:
    """Return a block as it is shown between sentences."""
    lines = "\n".join(f"    {line}".rstrip() for line in block.rstrip().splitlines())
    return f"\n{lines}\n"


def _carry_out(step: Step, talk: Talk) -> State:
    if step.done:
        return State.ALREADY
    if step.by_hand:
        return State.BY_HAND
    if not talk.consents("Write it?" if step.path else "Run it?"):
        return State.REFUSED
    failure = _write(step.path, step) if step.path else _run(step.command)
    if failure:
        talk.fail(failure)
        return State.FAILED
    talk.tell(f"{step.path} is written." if step.path else "Done.")
    return State.DONE


def _write(path: Path, step: Step) -> str:
    """Write a file that is still as it was shown, and return what went wrong; empty where nothing did."""
    assert step.content is not None
    try:
        if text_of(path) != step.old:
            return f"{path} has been changed meanwhile, so it was left alone. Run this again."
        rewrite(path, step.content)
    except (OSError, UnicodeDecodeError) as error:
        return f"{path} could not be written: {error}. Put the block into it by hand."
    return ""


def _run(command: tuple[str, ...]) -> str:
    try:
        with told(lambda: "The command is at work."):
            done = subprocess.run(command, capture_output=True, text=True, check=False, shell=sys.platform == "win32")
    except OSError as error:
        return f"{command[0]} could not be started: {error.strerror or error}."
    return f"{command[0]} failed: {(done.stderr or done.stdout).strip()}" if done.returncode else ""
