"""Expressions taken at their word, one bar at a time: slow, plain, and apart from the code that it checks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tickstream.alerting.domain.expression import (
    And,
    Arithmetic,
    Call,
    Cross,
    Extent,
    InActivity,
    InSession,
    Move,
    Negative,
    Not,
    Number,
    Or,
    Series,
    Then,
)

Fields = Mapping[str, float]


@dataclass(frozen=True)
class Market:
    """Bars of each symbol in order, (end, session, fields); indicators and figures by symbol and end."""

    bars: Mapping[str, Sequence[tuple[int, str, Fields]]]
    indicators: Mapping[tuple[str, int], Fields]
    figures: Mapping[tuple[str, int], Fields]


class Interpreter:
    """One symbol's view of a market, or one group's: its moments are then those of its figures."""

    def __init__(self, market: Market, symbol: str) -> None:
        self.market = market
        self.symbol = symbol
        of_group = sorted(
            ((end, "", fields) for (scope, end), fields in market.figures.items() if scope == symbol),
            key=lambda row: row[0],
        )
        self.bars = market.bars.get(symbol) or of_group

    def value(self, node: Any, at: int) -> float | None:
        if at < 0:
            return node.value if isinstance(node, Number) else None
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Series):
            return self._series(node, at)
        if isinstance(node, Negative):
            found = self.value(node.value, at)
            return None if found is None else -found
        if isinstance(node, Arithmetic):
            return _finite(_arithmetic(node.operator, self.value(node.left, at), self.value(node.right, at)))
        return _finite(self._call(node, at))

    def _series(self, node: Series, at: int) -> float | None:
        end = self.bars[at][0]
        symbol = node.symbol or self.symbol
        if node.source == "market":
            return self.market.figures.get(("market", end), {}).get(f"{node.name}[{node.window}]")
        if node.source in ("analytics", "group"):
            return self.market.figures.get((symbol, end), {}).get(f"{node.name}[{node.window}]")
        if node.source == "indicator":
            return self.market.indicators.get((symbol, end), {}).get(node.name)
        return next((fields[node.name] for e, _, fields in self.market.bars.get(symbol, ()) if e == end), None)

    def _call(self, node: Call, at: int) -> float | None:
        first = node.arguments[0]
        if node.function in ("min", "max"):
            pair = [self.value(each, at) for each in node.arguments]
            return None if None in pair else {"min": min, "max": max}[node.function](pair)  # type: ignore[type-var]  # no None left
        if node.function in ("abs", "sqrt", "log"):
            return _unary(node.function, self.value(first, at))
        if node.function in ("previous", "change", "percent_change"):
            now, before = self.value(first, at), self._before(first, node.extent or Extent(1), at)
            if node.function == "previous":
                return before
            if now is None or before is None:
                return None
            return now - before if node.function == "change" else _percent(now, before)
        values = self._window(first, node.extent or Extent(1), at)
        return None if values is None else _over(node.function, values)

    def _before(self, node: Any, extent: Extent, at: int) -> float | None:
        if extent.unit == "bars":
            return self.value(node, at - extent.size)
        # Without as many bars as the time has, it isn't looked for.
        for back in range(1, _rows(extent) + 1):
            if at - back < 0:
                return self.value(node, -1)
            if self.bars[at - back][0] <= self.bars[at][0] - extent.size:
                return self.value(node, at - back)
        return None

    def _window(self, node: Any, extent: Extent, at: int) -> list[float] | None:
        rows = _rows(extent)
        if at - rows + 1 < 0:
            return None
        chosen = range(at - rows + 1, at + 1)
        if extent.unit == "time":
            chosen = [i for i in chosen if self.bars[i][0] > self.bars[at][0] - extent.size]  # type: ignore[assignment]  # any indices
        values = [self.value(node, i) for i in chosen]
        return None if None in values else values  # type: ignore[return-value]  # no None left

    def begins(self, node: Any, at: int) -> bool | None:
        if at < 0:
            return None
        if isinstance(node, Cross):
            now, before = self._beyond(node, at), self._beyond(node, at - 1)
            return _and([now, None if before is None else not before])
        if isinstance(node, And):
            return _and([self.begins(part, at) for part in node.parts])
        if isinstance(node, Or):
            return _or([self.begins(part, at) for part in node.parts])
        if isinstance(node, Then):
            return _and([self._began_before(node, at), self.begins(node.second, at)])
        return self._plain(node, at)

    def goes_on(self, node: Any, at: int) -> bool | None:
        if isinstance(node, Cross):
            return self._beyond(node, at)
        if isinstance(node, And):
            return _and([self.goes_on(part, at) for part in node.parts])
        if isinstance(node, Or):
            return _or([self.goes_on(part, at) for part in node.parts])
        if isinstance(node, Then):
            return self.goes_on(node.second, at)
        return self._plain(node, at)

    def _plain(self, node: Any, at: int) -> bool | None:
        if isinstance(node, Not):
            found = self.begins(node.part, at)
            return None if found is None else not found
        if isinstance(node, InSession):
            return self.bars[at][1] in node.sessions
        if isinstance(node, InActivity):
            return ("traded", "quiet", "feed_down", "halted")[int(self.bars[at][2]["activity"])] in node.activities
        if isinstance(node, Move):
            return _moved(node, self.value(node.value, at), self._window(node.value, node.extent, at))
        left, right = self.value(node.left, at), self.value(node.right, at)
        return None if left is None or right is None else _compare(node.comparator, left, right)

    def _beyond(self, node: Cross, at: int) -> bool | None:
        left, right = self.value(node.left, at), self.value(node.right, at)
        if left is None or right is None:
            return None
        return left > right if node.direction == "above" else left < right

    def _began_before(self, node: Then, at: int) -> bool | None:
        found: list[bool | None] = []
        for back in range(1, _rows(node.extent) + 1):
            if at - back < 0:
                found.append(None)
            elif node.extent.unit == "bars" or self.bars[at - back][0] >= self.bars[at][0] - node.extent.size:
                found.append(self.begins(node.first, at - back))
        return _or(found)


def _rows(extent: Extent) -> int:
    return extent.size if extent.unit == "bars" else -(-extent.size // 60_000_000_000)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _arithmetic(operator: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (operator == "/" and right == 0):
        return None
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1.0)}[operator]


def _unary(function: str, value: float | None) -> float | None:
    if value is None or (function == "sqrt" and value < 0) or (function == "log" and value <= 0):
        return None
    if function == "abs":
        return abs(value)
    return math.sqrt(value) if function == "sqrt" else math.log(value)


def _percent(now: float, before: float) -> float | None:
    return None if before == 0 else (now / before - 1.0) * 100.0


def _robust(function: str, values: list[float]) -> float | None:
    median = statistics.median(values)
    mad = statistics.median(abs(value - median) for value in values)
    if function == "robust_z":
        return 0.6745 * (values[-1] - median) / mad if mad else None
    return median if function == "median" else mad


def _over(function: str, values: list[float]) -> float | None:
    if function in ("highest", "lowest"):
        return max(values) if function == "highest" else min(values)
    if function == "sum":
        return sum(values)
    mean = sum(values) / len(values)
    if function == "mean":
        return mean
    if function in ("median", "mad", "robust_z"):
        return _robust(function, values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _moved(node: Move, now: float | None, window: list[float] | None) -> bool | None:
    if now is None or window is None:
        return None
    up, down = _percent(now, min(window)), _percent(now, max(window))
    if node.direction == "rises":
        return None if up is None else up >= node.percent
    if node.direction == "falls":
        return None if down is None else -down >= node.percent
    return None if up is None or down is None else max(up, -down) >= node.percent


def _compare(comparator: str, left: float, right: float) -> bool:
    return {
        ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right,
        "==": left == right, "!=": left != right,
    }[comparator]  # fmt: skip


def _and(parts: Sequence[bool | None]) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def _or(parts: Sequence[bool | None]) -> bool | None:
    if True in parts:
        return True
    return None if None in parts else False
