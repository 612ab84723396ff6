"""Turn `workspace/executeCommand` into what is done: a table of commands and the arguments each takes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from pygls.exceptions import JsonRpcInvalidParams

from fimserver.engine.interface import EngineState
from fimserver.lsp import names
from fimserver.lsp.commit_message import CommitArguments, write_commit_message
from fimserver.lsp.editing import EditArguments, run_action
from fimserver.lsp.listing import ListArguments, list_models
from fimserver.lsp.looking import look_after
from fimserver.lsp.messages import structured
from fimserver.lsp.pulling import PullArguments, pull_model
from fimserver.lsp.review import (
    ClearArguments,
    FindingArguments,
    cancel_review,
    clear_findings,
    dismiss,
    dismiss_kind,
    explain,
    review,
)
from fimserver.lsp.review_targets import ReviewArguments
from fimserver.lsp.session import Session
from fimserver.review.actions import ACTIONS, Action
from fimserver.values import Rejection

_LONGEST_SNOOZE_MINUTES = 24 * 60.0


@dataclass(frozen=True, slots=True)
class NoArguments:
    """A command that takes none."""


@dataclass(frozen=True, slots=True)
class AcceptedArguments:
    """The name of the suggestion that was taken whole."""

    name: str


@dataclass(frozen=True, slots=True)
class EnabledArguments:
    """On or off; None is the other of the two."""

    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class SnoozeArguments:
    """For how long nothing is suggested; 0 ends it."""

    minutes: float = 5.0


@dataclass(frozen=True, slots=True)
class CommandParams:
    """The parameters of `workspace/executeCommand`. (lsprotocol's own type rewrites some arguments.)"""

    command: str
    arguments: list[Any] | None = None


class Row(NamedTuple):
    """A command: its arguments, in order, as a dataclass, and what it does."""

    arguments: type[Any]
    run: Callable[[Session, Any], Awaitable[Any]]


async def execute_command(session: Session, params: CommandParams) -> Any:
    """Run a command. Raises JsonRpcInvalidParams for one that is unknown or whose arguments do not fit."""
    row = COMMANDS.get(params.command)
    if row is None:
        raise JsonRpcInvalidParams(f"There is no command {params.command!r}; there are {', '.join(COMMANDS)}.")
    accepted = [field.name for field in fields(row.arguments)]
    given = list(params.arguments or ())
    if len(given) > len(accepted):
        raise JsonRpcInvalidParams(f"{params.command} takes at most {len(accepted)} arguments, not {len(given)}.")
    return await row.run(session, structured(dict(zip(accepted, given, strict=False)), row.arguments))


async def _accepted(session: Session, arguments: AcceptedArguments) -> None:
    look_after(session, session.offers.note_accepted(arguments.name))


async def _status(session: Session, _: NoArguments) -> dict[str, Any]:
    """Return what the status item's tooltip shows. The engine is not started for it."""
    session.follow_settings_file()
    session.status.want()
    engine, last = session.engine.status(), session.status.last
    model = await session.engine.describe() if engine.state is EngineState.READY else None
    return {
        **session.status.now().as_json(),
        "engine": engine.state.value,
        "model": model.name if model else None,
        "tokensPerSecond": model.decode_tokens_per_s if model else None,
        "remote": model.remote if model else False,
        "memoryBytes": engine.memory_bytes,
        "lastReason": last.reason.value if last else None,
        "counts": session.offers.counts(),
    }


async def _why(session: Session, _: NoArguments) -> str:
    """Return a sentence about the last request; empty where nothing was asked yet."""
    entries = session.completer.journal.entries()
    if not entries:
        return ""
    outcome = entries[-1].outcome
    if isinstance(outcome, Rejection):
        return f"{outcome.reason.value}: {outcome.detail}" if outcome.detail else outcome.reason.value
    return f"The last suggestion was shown ({len(outcome.text)} characters, from the {outcome.source})."


async def _journal(session: Session, _: NoArguments) -> list[dict[str, Any]]:
    """Return the last requests, oldest first, with everything that is known of them."""
    return [entry.as_json() for entry in session.completer.journal.entries()]


async def _restart_engine(session: Session, _: NoArguments) -> None:
    await session.restart_engine()


async def _set_enabled(session: Session, arguments: EnabledArguments) -> bool:
    """Switch suggestions; return whether they are on now. A workspace's own file may have them off for good."""
    session.set_enabled(not session.settings.completion.enabled if arguments.enabled is None else arguments.enabled)
    return session.settings.completion.enabled


async def _set_snooze(session: Session, arguments: SnoozeArguments) -> None:
    if not 0 <= arguments.minutes <= _LONGEST_SNOOZE_MINUTES:
        raise JsonRpcInvalidParams(f"minutes must be from 0 to {_LONGEST_SNOOZE_MINUTES:.0f}.")
    session.snooze(arguments.minutes)


def _edit_row(action: Action) -> Row:
    return Row(EditArguments, lambda session, arguments: run_action(session, action, arguments))


COMMANDS: Mapping[str, Row] = {
    names.ACCEPTED: Row(AcceptedArguments, _accepted),
    names.STATUS: Row(NoArguments, _status),
    names.WHY: Row(NoArguments, _why),
    names.JOURNAL: Row(NoArguments, _journal),
    names.RESTART_ENGINE: Row(NoArguments, _restart_engine),
    names.SET_ENABLED: Row(EnabledArguments, _set_enabled),
    names.SET_SNOOZE: Row(SnoozeArguments, _set_snooze),
    names.LIST_MODELS: Row(ListArguments, list_models),
    names.PULL_MODEL: Row(PullArguments, pull_model),
    names.COMMIT_MESSAGE: Row(CommitArguments, write_commit_message),
    names.REVIEW: Row(ReviewArguments, review),
    names.REVIEW_CANCEL: Row(ClearArguments, cancel_review),
    names.REVIEW_CLEAR: Row(ClearArguments, clear_findings),
    names.REVIEW_DISMISS: Row(FindingArguments, dismiss),
    names.REVIEW_DISMISS_KIND: Row(FindingArguments, dismiss_kind),
    names.REVIEW_EXPLAIN: Row(FindingArguments, explain),
    **{names.edit_command(action.name): _edit_row(action) for action in ACTIONS.values()},
}
