"""How many bars before the present one an expression looks at."""

from __future__ import annotations

from typing import Final

from tickstream.alerting.domain.expression import Call, Cross, Expression, Extent, Move, Node, Then, parts_of
from tickstream.core.intervals import Interval

MOST_ROWS: Final = 5_000


def lookback(expression: Expression) -> int:
    """The most bars before the present one that it needs."""
    size = 0 if expression.interval == "ticks" else Interval.named(expression.interval).size
    wholes = [expression.condition, *([expression.until] if expression.until else [])]
    return max(_of(node, size) for node in wholes)


def rows_of(extent: Extent, interval_ns: int) -> int:
    """How many bars lie within an extent, at the most."""
    if extent.unit == "bars":
        return extent.size
    return max(1, -(-extent.size // interval_ns))


def _of(node: Node, size: int) -> int:
    below = max((_of(part, size) for part in parts_of(node)), default=0)
    return below + _own(node, size)


def _own(node: Node, size: int) -> int:
    if isinstance(node, Cross):
        return 1
    if isinstance(node, Then):
        return rows_of(node.extent, size)
    if isinstance(node, Move):
        return rows_of(node.extent, size) - 1
    if not isinstance(node, Call):
        return 0
    if node.extent is None:
        return 1 if node.function == "previous" else 0
    rows = rows_of(node.extent, size)
    return rows if node.function in ("previous", "change", "percent_change") else rows - 1
