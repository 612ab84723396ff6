"""Turn a report into one HTML page: plots drawn as SVG, no script, nothing fetched from anywhere."""

from collections.abc import Mapping, Sequence
from html import escape

from fimserver.statistics.events import KEPT_AFTER_S
from fimserver.statistics.summary import Report, Summary

_WIDTH, _BAR_HEIGHT, _PLOT_HEIGHT, _LABEL_WIDTH = 720, 26, 180, 190

_STYLE = """
:root { color-scheme: light dark; --text: #1d232b; --faint: #667180; --page: #fafbfc; --card: #fff; --rule: #e2e6eb;
  --shown: #c5d3e4; --taken: #2f6fb5; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --faint: #93a0b0; --page: #14181d; --card: #1b2129;
  --rule: #2b333d; --shown: #3a4a5e; --taken: #6aa9ee; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 52rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem 1.2rem;
  margin: 1rem 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem; margin: 0; }
dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { fill: var(--text); font-size: 13px; } svg .faint { fill: var(--faint); }
.shown { fill: var(--shown); } .taken { fill: var(--taken); } p { color: var(--faint); }
"""


def page(report: Report) -> str:
    """Return the page."""
    title = f"fimserver: suggestions of the last {report.days} days"
    parts = [
        _section("", _figures(report.total)),
        _section("Each day: shown, and of these accepted", _days(report.by_day)),
        _section("By language", _bars(_acceptance(report.by_language))),
        _section("By model", _bars(_acceptance(report.by_model))),
        _section("Still there, of what was accepted", _bars(_keeping(report.total))),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n<h1>{escape(title)}</h1>\n'
        f"{''.join(parts)}<p>Counted on this machine, and nowhere else.</p>\n</html>\n"
    )


def percent(share: float | None) -> str:
    """Return a share as people read it.

    >>> percent(0.256), percent(None)
    ('26 %', '-')
    """
    return "-" if share is None else f"{share:.0%}".replace("%", " %")


def milliseconds(duration_ms: float | None) -> str:
    """Return a duration as people read it; a dash where there is none."""
    return "-" if duration_ms is None else f"{duration_ms:,.0f} ms"


def span(seconds: int) -> str:
    """Return a time as people say it.

    >>> span(30), span(120)
    ('30 s', '2 min')
    """
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"


def _section(heading: str, content: str) -> str:
    return f"<section>{f'<h2>{escape(heading)}</h2>' if heading else ''}{content}</section>\n"


def _figures(total: Summary) -> str:
    figures = {
        "shown": f"{total.shown:,}",
        "accepted": f"{total.accepted:,}",
        "of these accepted": percent(total.accepted_share),
        "characters saved": f"{total.saved_characters:,}",
        "half come within": milliseconds(total.waited_ms["50"]),
        "nine in ten within": milliseconds(total.waited_ms["90"]),
    }
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in figures.items())}</dl>"


def _days(by_day: Mapping[str, Summary]) -> str:
    if not by_day:
        return "<p>Nothing has been shown yet.</p>"
    most = max(summary.shown for summary in by_day.values())
    step = _WIDTH / len(by_day)
    bars = [_day(day, summary, number * step, step, most) for number, (day, summary) in enumerate(by_day.items())]
    first, last = min(by_day), max(by_day)
    labels = f'<text class="faint" x="0" y="{_PLOT_HEIGHT + 18}">{first}</text>' + (
        f'<text class="faint" x="{_WIDTH}" y="{_PLOT_HEIGHT + 18}" text-anchor="end">{last}</text>'
        if last != first
        else ""
    )
    return _svg(_PLOT_HEIGHT + 24, "".join(bars) + labels)


def _day(day: str, summary: Summary, x: float, step: float, most: int) -> str:
    width = min(0.8 * step, 60)
    columns = "".join(
        f'<rect class="{kind}" x="{x:.1f}" y="{_PLOT_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        for kind, height in (
            ("shown", summary.shown / most * _PLOT_HEIGHT),
            ("taken", summary.accepted / most * _PLOT_HEIGHT),
        )
    )
    return f"<g><title>{day}: {summary.accepted} of {summary.shown}</title>{columns}</g>"


def _acceptance(groups: Mapping[str, Summary]) -> list[tuple[str, float | None, str]]:
    return [
        (name, group.accepted_share, f"{percent(group.accepted_share)} of {group.shown:,}; {_rest(group)}")
        for name, group in groups.items()
    ]


def _rest(group: Summary) -> str:
    return f"{group.saved_characters:,} saved; half in {milliseconds(group.waited_ms['50'])}"


def _keeping(total: Summary) -> list[tuple[str, float | None, str]]:
    shares = [(span(after_s), total.kept_share[str(after_s)]) for after_s in KEPT_AFTER_S]
    return [(f"after {time}", share, percent(share)) for time, share in shares]


def _bars(rows: Sequence[tuple[str, float | None, str]]) -> str:
    if not rows:
        return "<p>Nothing has been shown yet.</p>"
    whole = (_WIDTH - _LABEL_WIDTH) * 0.4
    return _svg(
        len(rows) * _BAR_HEIGHT,
        "".join(_bar(name, share or 0.0, note, number, whole) for number, (name, share, note) in enumerate(rows)),
    )


def _bar(name: str, share: float, note: str, number: int, whole: float) -> str:
    y = number * _BAR_HEIGHT
    rectangle = f'x="{_LABEL_WIDTH}" y="{y + 5}" height="{_BAR_HEIGHT - 10}" rx="3"'
    return (
        f'<text x="0" y="{y + 18}">{escape(name)}</text>'
        f'<rect class="shown" {rectangle} width="{whole:.1f}"/>'
        f'<rect class="taken" {rectangle} width="{whole * share:.1f}"/>'
        f'<text class="faint" x="{_LABEL_WIDTH + whole + 10:.1f}" y="{y + 18}">{escape(note)}</text>'
    )


def _svg(height: float, content: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img">{content}</svg>'
