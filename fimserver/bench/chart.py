"""Draw how many prompt tokens a model has read by each key, for several servers in one chart: an SVG file.

The scale is logarithmic, for what is compared differs a hundredfold. The file needs nothing else: no script, no font,
no style sheet.
"""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from math import ceil, log10

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 50, 50

# Okabe and Ito's colours, which people who see few colours can tell apart as well.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")

_FONT = 'font-family="system-ui, sans-serif" font-size="13" fill="#333"'


def typing_chart(evaluated: Mapping[str, Sequence[int]]) -> str:
    """Return the chart of the tokens that each key of each server took. Raises ValueError where there are no keys."""
    sums = {name: list(accumulate(tokens)) for name, tokens in evaluated.items() if tokens}
    if not sums:
        raise ValueError("There are no keys to draw.")
    keys = max(len(line) for line in sums.values())
    decades = max(1, ceil(log10(max(2, *(line[-1] for line in sums.values())))))
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {_FONT}>',
        "<title>Prompt tokens evaluated while somebody types</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15" font-weight="600">Prompt tokens evaluated, all keys so far</text>',
        *(_level(decade, decades) for decade in range(decades + 1)),
        *(_tick(keys * quarter // 4, keys) for quarter in range(5)),
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">keys typed</text>',
        *(
            _line(name, line, keys, decades, _COLOURS[number % len(_COLOURS)])
            for number, (name, line) in enumerate(sums.items())
        ),
        "</svg>",
    ]
    return "\n".join(drawn) + "\n"


def _x(key: int, keys: int) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * key / keys, 1)


def _y(tokens: int, decades: int) -> float:
    """Return the height of a number of tokens; none is drawn where one is."""
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * log10(max(1, tokens)) / decades, 1)


def _level(decade: int, decades: int) -> str:
    y = _y(10**decade, decades)
    return (
        f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{10**decade:,}</text>'
    )


def _tick(key: int, keys: int) -> str:
    return f'<text x="{_x(key, keys)}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{key:,}</text>'


def _line(name: str, sums: Sequence[int], keys: int, decades: int, colour: str) -> str:
    """Return the line of a server, with its name and its total where it ends."""
    points = " ".join(f"{_x(key, keys)},{_y(tokens, decades)}" for key, tokens in enumerate(sums, 1))
    x, y = _x(len(sums), keys) + 8, _y(sums[-1], decades)
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<text x="{x}" y="{y}" fill="{colour}" font-weight="600">{escape(name)}</text>'
        f'<text x="{x}" y="{y + 16}" fill="{colour}">{sums[-1]:,} tokens</text>'
    )
