"""Turn what was counted of suggestions into tables and charts, a page, or JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.files import write_atomically
from fimserver.statistics.events import KEPT_AFTER_S
from fimserver.statistics.page import milliseconds, page, percent, span
from fimserver.statistics.store import forget, rows_of, statistics_file
from fimserver.statistics.summary import Report, Summary, report

_LONGEST_BAR = 40
_MOST_DAYS = 366


@click.command("stats")
@click.option("--days", type=click.IntRange(1, _MOST_DAYS), default=30, show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page with plots."
)
@click.option("--forget", "forgets", is_flag=True, help="Drop everything that was counted.")
@click.pass_obj
def stats_command(choice: Choice, days: int, as_json: bool, html: Path | None, forgets: bool) -> None:
    """Show how many suggestions were shown, accepted and kept, and how long they took to come.

    Editors' servers count on this machine only, and numbers only: never text, never the name of a file. The setting
    privacy.statistics switches it off.
    """
    if forgets:
        forget(statistics_file())
        output.line("Nothing is counted any more of what was; new suggestions are.")
        return
    found = report(rows_of(days, statistics_file()), days)
    if html is not None:
        _write_page(found, html)
    elif as_json:
        output.as_json(asdict(found))
    else:
        _show(found, counting=choice.settings.privacy.statistics)


def _write_page(found: Report, file: Path) -> None:
    try:
        write_atomically(file, page(found))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
    output.line(f"Written: {file}")


def _show(found: Report, *, counting: bool) -> None:
    if not counting:
        output.line(("Nothing is being counted: privacy.statistics is off.", output.BAD))
    if not found.total.shown:
        output.line(f"No suggestion was shown in the last {found.days} days.")
        return
    output.columns(list(_figures(found.total)))
    for heading, groups in (("day", found.by_day), ("language", found.by_language), ("model", found.by_model)):
        output.line("")
        _show_groups(heading, groups)


def _figures(total: Summary) -> Iterator[tuple[output.Part, output.Part]]:
    taken = (total.accepted_whole, total.accepted_line, total.accepted_word)
    yield "shown", f"{total.shown:,}"
    yield "accepted", f"{total.accepted:,} ({percent(total.accepted_share)}): {_listed(taken)}"
    yield "characters saved", f"{total.saved_characters:,}"
    kept = (f"{percent(total.kept_share[str(after_s)])} after {span(after_s)}" for after_s in KEPT_AFTER_S)
    yield "still there", ", ".join(kept)
    waited = (f"{percentage} % within {milliseconds(limit)}" for percentage, limit in total.waited_ms.items())
    yield "came", ", ".join(waited)


def _listed(taken: tuple[int, int, int]) -> str:
    return "{:,} whole, {:,} by line, {:,} by word".format(*taken)


def _show_groups(heading: str, groups: Mapping[str, Summary]) -> None:
    """Print a bar for each group: as long as suggestions were shown, solid as far as they were accepted."""
    most = max(group.shown for group in groups.values())
    output.columns(
        [
            [(cell, output.FAINT) for cell in (heading, "shown", "accepted", "saved", "half within", "")],
            *(_row(name, group, most) for name, group in groups.items()),
        ]
    )


def _row(name: str, group: Summary, most: int) -> list[output.Part]:
    length = max(1, round(group.shown / most * _LONGEST_BAR))
    taken = round(length * (group.accepted_share or 0.0))
    return [
        name,
        f"{group.shown:,}",
        percent(group.accepted_share),
        f"{group.saved_characters:,}",
        milliseconds(group.waited_ms["50"]),
        ("█" * taken + "░" * (length - taken), output.GOOD),
    ]
