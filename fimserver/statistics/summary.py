"""Turn counted suggestions into what a reader asks: how many were taken, how many stayed, how long one waits."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fimserver.statistics.events import KEPT_AFTER_S, Taken
from fimserver.statistics.store import Row

_PERCENTILES = (50, 90, 99)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of some suggestions. Shares are from 0 to 1; None where nothing is known."""

    shown: int
    accepted: int
    accepted_whole: int
    accepted_line: int
    accepted_word: int
    accepted_share: float | None
    saved_characters: int
    kept_share: Mapping[str, float | None]  # by the seconds after which was looked
    waited_ms: Mapping[str, float | None]  # by percentile; suggestions from memory are left out


@dataclass(frozen=True, slots=True)
class Report:
    """The suggestions of some days: all of them, and by day, language and model."""

    days: int
    total: Summary
    by_day: Mapping[str, Summary]
    by_language: Mapping[str, Summary]
    by_model: Mapping[str, Summary]


def report(rows: Sequence[Row], days: int) -> Report:
    """Return the report on rows of the last days. Languages and models with most suggestions come first."""
    return Report(
        days,
        summarise(rows),
        dict(sorted(_grouped(rows, lambda row: row.day).items())),
        _most_first(_grouped(rows, lambda row: row.language)),
        _most_first(_grouped(rows, lambda row: row.model)),
    )


def summarise(rows: Sequence[Row]) -> Summary:
    """Return what became of these suggestions."""
    taken = [row for row in rows if row.taken]
    counts = {how: sum(row.taken is how for row in taken) for how in Taken}
    waited = sorted(row.waited_ms for row in rows if row.waited_ms is not None)
    return Summary(
        shown=len(rows),
        accepted=len(taken),
        accepted_whole=counts[Taken.WHOLE],
        accepted_line=counts[Taken.LINE],
        accepted_word=counts[Taken.WORD],
        accepted_share=_share(len(taken), len(rows)),
        saved_characters=sum(row.saved for row in taken),
        kept_share={str(after_s): _kept(taken, number) for number, after_s in enumerate(KEPT_AFTER_S)},
        waited_ms={str(percent): percentile(waited, percent) for percent in _PERCENTILES},
    )


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Return the smallest of ordered values that so many percent do not exceed; None where there are none.

    >>> percentile([10.0, 20.0, 30.0, 40.0], 50)
    20.0
    """
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _kept(taken: Iterable[Row], number: int) -> float | None:
    known = [row.kept[number] for row in taken if row.kept[number] is not None]
    return _share(sum(map(bool, known)), len(known))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _grouped(rows: Sequence[Row], by: Callable[[Row], str]) -> dict[str, Summary]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[by(row)].append(row)
    return {name: summarise(members) for name, members in groups.items()}


def _most_first(groups: Mapping[str, Summary]) -> dict[str, Summary]:
    return dict(sorted(groups.items(), key=lambda group: (-group[1].shown, group[0])))
