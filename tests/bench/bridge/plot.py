"""Lines over time, as a small SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Final

_WIDTH: Final = 860
_HEIGHT: Final = 260
_LEFT: Final = 60
_RIGHT: Final = 130
_TOP: Final = 30
_BOTTOM: Final = 30
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_TEXT: Final = 'font-family="sans-serif" font-size="12" fill="#333"'

Points = Sequence[tuple[float, float]]


def plot(title: str, lines: Mapping[str, Points]) -> str:
    """The picture of some lines, from zero upwards.

    Args:
        title: what it shows, with the units.
        lines: by name; x are minutes.
    """
    right = max(x for points in lines.values() for x, _y in points)
    step = _step(max(y for points in lines.values() for _x, y in points))
    top = step * (floor(max(y for points in lines.values() for _x, y in points) / step) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" {_TEXT} font-weight="bold">{escape(title)}</text>',
        *_grid(right, top, step),
    ]
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{_across(x, right):.1f},{_up(y, top):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        at = _TOP + 14 + 18 * number
        parts.append(f'<rect x="{_WIDTH - _RIGHT + 10}" y="{at - 9}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 28}" y="{at}" {_TEXT}>{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(right: float, top: float, step: float) -> Iterator[str]:
    for number in range(round(top / step) + 1):
        y = _up(number * step, top)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" {_TEXT} text-anchor="end">{number * step:g}</text>'
    minutes = max(1, round(right / 10))
    for minute in range(0, int(right) + 1, minutes):
        x = _across(minute, right)
        yield f'<text x="{x:.1f}" y="{_HEIGHT - 10}" {_TEXT} text-anchor="middle">{minute} min</text>'


def _across(x: float, right: float) -> float:
    return _LEFT + x / max(right, 1e-9) * (_WIDTH - _LEFT - _RIGHT)


def _up(y: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - y / top * (_HEIGHT - _TOP - _BOTTOM)


def _step(top: float) -> float:
    """A round number that divides the axis into two to five parts."""
    unit: float = 10 ** floor(log10(max(top, 1e-9)))
    return next(unit * part for part in (0.2, 0.5, 1, 2) if top / (unit * part) <= 5)
