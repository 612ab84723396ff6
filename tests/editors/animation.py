"""Turn what an editor drew, key by key, into one animated SVG that needs no script and no font but a monospaced one."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import NamedTuple


class Piece(NamedTuple):
    """A piece of a line, as the editor drew it."""

    text: str
    color: str  # as CSS writes it
    ghost: bool


Line = Sequence[Piece]


@dataclass(frozen=True)
class Frame:
    """What stood on the screen, and for how long it is shown."""

    lines: Sequence[Line]
    shown_ms: int


_LINE_HEIGHT, _CHARACTER_WIDTH, _MARGIN, _FONT_SIZE = 21, 8.43, 16, 14
_BACKGROUND = "#1f1f1f"
_FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


def animated(frames: Sequence[Frame], title: str) -> str:
    """Return the frames, one after another and over again, as an SVG. Lines that never change are drawn once."""
    height = max(len(frame.lines) for frame in frames) * _LINE_HEIGHT + 2 * _MARGIN
    columns = max(sum(len(piece.text) for piece in line) for frame in frames for line in frame.lines)
    width = round(columns * _CHARACTER_WIDTH + 2 * _MARGIN)
    steady = _lines_of_all(frames)
    drawn_once = "".join(_text(number, frames[0].lines[number]) for number in steady)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="{_BACKGROUND}"/>\n'
        f'<g font-family="{_FONTS}" font-size="{_FONT_SIZE}">\n'
        f"{drawn_once}\n{''.join(_moving(frames, steady))}</g>\n</svg>\n"
    )


def _lines_of_all(frames: Sequence[Frame]) -> list[int]:
    shared, first = min(len(frame.lines) for frame in frames), frames[0]
    return [number for number in range(shared) if all(frame.lines[number] == first.lines[number] for frame in frames)]


def _moving(frames: Sequence[Frame], steady: Sequence[int]) -> list[str]:
    total_ms = sum(frame.shown_ms for frame in frames)
    groups, began_ms = [], 0
    for frame in frames:
        lines = "".join(_text(number, line) for number, line in enumerate(frame.lines) if number not in steady)
        ended_ms = began_ms + frame.shown_ms
        groups.append(_group(lines, began_ms / total_ms, ended_ms / total_ms, total_ms))
        began_ms = ended_ms
    return groups


def _group(lines: str, begins: float, ends: float, total_ms: int) -> str:
    """Return lines that can be seen from one share of the time to another. The last stay where nothing can move."""
    times, values = [begins, ends], ["inline", "none"]
    if begins > 0:
        times, values = [0.0, *times], ["none", *values]
    if ends >= 1:
        times, values = times[:-1], values[:-1]
    return (
        f'<g display="{"inline" if ends >= 1 else "none"}"><animate attributeName="display" calcMode="discrete" '
        f'values="{";".join(values)}" keyTimes="{";".join(f"{time:.4f}" for time in times)}" dur="{total_ms}ms" '
        f'repeatCount="indefinite"/>{lines}</g>\n'
    )


def _text(number: int, line: Line) -> str:
    text = "".join(piece.text for piece in line)
    if not text.strip():
        return ""
    # Blanks at the beginning of a text are not drawn: they become a place.
    indent = len(text) - len(text.lstrip())
    x, baseline = _MARGIN + indent * _CHARACTER_WIDTH, _MARGIN + number * _LINE_HEIGHT + _FONT_SIZE
    spans = [
        _span("".join(piece.text for piece in pieces), *look)
        for look, pieces in groupby(line, key=lambda piece: (piece.color, piece.ghost))
    ]
    return f'<text x="{x:.1f}" y="{baseline}">{"".join(spans)}</text>'


def _span(text: str, color: str, ghost: bool) -> str:
    style = ' font-style="italic" fill-opacity="0.6"' if ghost else ""
    return f'<tspan fill="{color}"{style}>{escape(text, quote=False)}</tspan>'
