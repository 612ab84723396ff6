"""Turn files or a change into findings of the chat model, for a terminal, a script or a hook."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.chat_model import chat_engine, chat_model_option
from fimserver.cli.choice import Choice
from fimserver.cli.exit_codes import ExitCode
from fimserver.cli.findings import as_values, github_line, sarif, show_finding
from fimserver.cli.place import project_of
from fimserver.cli.progress import at_work
from fimserver.cli.project import indexed
from fimserver.engine.interface import Engine
from fimserver.errors import FileUnsuitable
from fimserver.logs import set_up_logging
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.gather import Gatherer
from fimserver.retrieval.places import read_source
from fimserver.retrieval.scan import found_files
from fimserver.review.asking import loaded
from fimserver.review.changes import Skipped, Wanted, changed_targets, target_of
from fimserver.review.diff import FileChange
from fimserver.review.dismissed import read_dismissed, restore_all
from fimserver.review.findings import Dropped, Finding, Severity
from fimserver.review.passages import Passage, Target
from fimserver.review.related import related_by
from fimserver.review.reviewer import Review, Wishes, told, told_dropped
from fimserver.settings import Settings
from fimserver.uris import path_of

_EXIT_CODES: Mapping[Severity, ExitCode] = {
    Severity.NOTE: ExitCode.NOTE,
    Severity.WARNING: ExitCode.WARNING,
    Severity.ERROR: ExitCode.ERROR,
}

_FORMATS = ("text", "json", "sarif", "github")


@dataclass(slots=True)
class _Outcome:
    """What came of a review so far."""

    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    review: Review | None = None
    is_whole: bool = False  # it came to its end

    @property
    def is_unusable(self) -> bool:
        """Whether nothing that the model answered was in the form it was asked for: that is no clean bill."""
        review = self.review
        return review is not None and not self.findings and review.dropped[Dropped.UNREADABLE] >= review.answers > 0

    @property
    def told(self) -> list[str]:
        """What there is to say beside the findings."""
        sentences = [f"{one}." for one in self.skipped]
        if self.review is not None and not self.review.passages:
            sentences.append("There is nothing to review.")
        if self.review is not None:
            sentences += [*told(self.review), told_dropped(self.review)]
        return [sentence for sentence in sentences if sentence]


@click.command("review")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--staged", is_flag=True, help="Review what is staged; with PATHS, of these files only.")
@click.option("--base", metavar="BRANCH", help="Review what changed since this branch was left.")
@click.option("--json", "form", flag_value="json", help="Print findings as JSON.")
@click.option("--sarif", "form", flag_value="sarif", help="Print them as SARIF 2.1.0.")
@click.option("--github", "form", flag_value="github", help="Print them as annotations for GitHub Actions.")
@click.option(
    "--fail-on",
    type=click.Choice([*map(str, Severity), "never"]),
    default="warning",
    show_default=True,
    help="The least severity that makes the exit code tell.",
)
@click.option("--all", "show_dismissed", is_flag=True, help="Show what was dismissed, too.")
@click.option("--restore", is_flag=True, help="Forget all that was ever dismissed, and do nothing else.")
@chat_model_option
@click.pass_context
def review_command(
    context: click.Context,
    paths: tuple[Path, ...],
    staged: bool,
    base: str | None,
    form: str | None,
    fail_on: str,
    show_dismissed: bool,
    restore: bool,
    model: str | None,
) -> None:
    """Review files, or without any what is not committed yet, with the chat model.

    Findings are printed as they come. The exit code is that of the worst one that counts: 3 a note, 4 a warning, 5 an
    error; 0 where there is none. 2 means that nothing could be reviewed, or that the model's answers were of no use.
    """
    if restore:
        _restore(form)
        return
    if staged and base:
        raise click.UsageError("--staged and --base are two different changes; name one.")
    choice: Choice = context.obj
    set_up_logging("cli", choice.settings.privacy.log_level, to_terminal=False)
    outcome, shown_as = _Outcome(), form or "text"
    wanted = Wanted(staged=staged, base=base or "", paths=paths) if staged or base or not paths else None
    dismissed = frozenset[str]() if show_dismissed else read_dismissed()
    asking = _Asking(chat_engine(choice, model), choice.settings, dismissed, _SHOWN_AT_ONCE.get(shown_as, _keep_quiet))
    try:
        asyncio.run(_review(asking, paths, wanted, outcome))
    finally:  # what was found before an error or Ctrl+C is not lost
        _show_rest(outcome, shown_as)
    context.exit(ExitCode.REFUSED if outcome.is_unusable else exit_code(outcome.findings, fail_on))


def _restore(form: str | None) -> None:
    restored = restore_all()
    if form == "json":
        output.as_json({"restored": restored})
    else:
        output.line(f"{restored} dismissals were forgotten.")


def exit_code(findings: Sequence[Finding], fail_on: str) -> ExitCode:
    """Return the code of the worst finding that is at least as bad as `fail_on`, 0 where none is."""
    order = list(Severity)
    counting = order[: order.index(Severity(fail_on)) + 1] if fail_on != "never" else []
    worst = next((severity for severity in counting if any(one.severity is severity for one in findings)), None)
    return _EXIT_CODES[worst] if worst else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who is asked, and where findings go at once."""

    engine: Engine
    settings: Settings
    dismissed: frozenset[str]
    show: Callable[[Finding], None]


async def _review(asking: _Asking, paths: Sequence[Path], wanted: Wanted | None, outcome: _Outcome) -> None:
    try:
        with at_work(asking.engine, streams=True):
            await loaded(asking.engine)  # without a chat model there is no reason to look at any file
        roots = tuple(dict.fromkeys(map(_root, paths or [Path.cwd()])))
        found = await _found(paths, wanted, Exclusions(roots, asking.settings.context))
        outcome.skipped = [one for one in found if isinstance(one, Skipped)]
        targets = [one for one in found if isinstance(one, Target)]
        with closing(Gatherer(roots, asking.settings.context)) as gatherer:
            if asking.settings.context.other_files and targets:
                await indexed(gatherer)
            wishes = Wishes(related=related_by(gatherer, asking.settings), dismissed=asking.dismissed, roots=roots)
            outcome.review = Review(asking.engine, targets, wishes)
            await _collect(outcome.review, asking, outcome)
            outcome.is_whole = True
    finally:
        await asking.engine.close()


def _root(path: Path) -> Path:
    """Return the project that a file or a folder is of."""
    return project_of(path / "_" if path.is_dir() else path)


async def _collect(review: Review, asking: _Asking, outcome: _Outcome) -> None:
    def begin(number: int, passage: Passage) -> None:
        path = path_of(passage.document.uri)
        count = len(review.passages)
        click.echo(f"{path.name if path else ''}: lines {passage.asked_words} ({number + 1} of {count})", err=True)

    async with aclosing(review.findings(begin)) as found:
        async for finding in found:
            outcome.findings.append(finding)
            asking.show(finding)


async def _found(paths: Sequence[Path], wanted: Wanted | None, exclusions: Exclusions) -> list[Target | Skipped]:
    """Return what can be reviewed of files or of a change, and what cannot."""
    if wanted is not None:
        found = [one async for one in changed_targets(Path.cwd(), wanted)]
    else:
        found = [_file(path) for path in _files(paths, exclusions)]
    return [_allowed(one, exclusions) for one in found]


def _files(paths: Sequence[Path], exclusions: Exclusions) -> Iterator[Path]:
    """Yield the files that are named, and those of folders that may be used as context."""
    for path in paths:
        if path.is_dir():
            yield from (path / one.name for one in found_files(path.resolve(), exclusions) if one is not None)
        else:
            yield path


def _file(path: Path) -> Target | Skipped:
    try:
        target = target_of(read_source(path), path, FileChange(str(path)))
    except FileUnsuitable as error:
        return Skipped(str(path), f"is left out: {error}")
    return Target.whole(target.document) if isinstance(target, Target) else target


def _allowed(one: Target | Skipped, exclusions: Exclusions) -> Target | Skipped:
    """Return the target, or that no model may see its file."""
    path = path_of(one.document.uri) if isinstance(one, Target) else None
    exclusion = exclusions.by_name(path) if path is not None else None
    if path is not None and exclusion is not None and exclusion.completion:
        return Skipped(path.name, f"is {exclusion}")
    return one


def _keep_quiet(_: Finding) -> None:
    """Show nothing until the end."""


_SHOWN_AT_ONCE: Mapping[str, Callable[[Finding], None]] = {
    "text": show_finding,
    "github": lambda finding: print(output.harmless(github_line(finding)), flush=True),
}


def _show_rest(outcome: _Outcome, form: str) -> None:
    """Print what is printed as a whole, and what else there is to say on standard error."""
    if form == "json":
        review = outcome.review
        output.as_json(
            {
                "findings": [as_values(finding) for finding in outcome.findings],
                "dropped": dict(review.dropped) if review else {},
                "skipped": [{"path": one.path, "why": one.why} for one in outcome.skipped],
                "told": outcome.told,
            }
        )
    elif form == "sarif":
        output.as_json(sarif(outcome.findings, outcome.told, is_whole=outcome.is_whole))
    for sentence in outcome.told if form in _SHOWN_AT_ONCE else ():
        click.echo(f"fimserver: {output.harmless(sentence)}", err=True)
    if form == "text" and outcome.is_whole and not outcome.findings and not outcome.told:
        output.line(("No findings.", output.GOOD))
