"""Bars that end with the trade that makes them full: after so many trades, so much volume or value.

Trades count as they come: neither event time nor lateness matters. A trade isn't split; what is
too much in a bar isn't carried into the next. A bar starts with the event time of its first trade,
or where the one before it ended, whichever is later, and ends just after its latest trade, so that
bars of a series have different starts and never overlap.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Final

import numpy as np

from tickstream.core.columns import Floats
from tickstream.core.intervals import Interval
from tickstream.processor.domain.bars import WINDOW, Table, stacked
from tickstream.processor.domain.trades import Trades
from tickstream.processor.domain.windows import window_keys

_PIECE: Final = 2048
_VOLUME: Final = 0


class CountedBars:
    """The open bars, at most one of each series, and those that are full.

    Args:
        intervals: all that are in use.
    """

    def __init__(self, intervals: tuple[Interval, ...]) -> None:
        self._width = len(intervals)
        self._intervals = {place: interval for place, interval in enumerate(intervals) if interval.counted}
        self._open: dict[int, Table] = {}
        self._ends: dict[int, int] = {}
        self._full: list[Table] = []
        self._changed: set[int] = set()

    def changes(self) -> Table:
        """The bars, still open, that have changed since this was last asked; sorted by key."""
        changed = _sorted([self._open[series] for series in self._changed if series in self._open])
        self._changed.clear()
        return changed

    def take(self, trades: Trades) -> None:
        """Count trades, sorted by symbol and then by arrival."""
        if not (self._intervals and len(trades)):
            return
        symbols = trades.symbol
        heads = [0, *(np.flatnonzero(symbols[1:] != symbols[:-1]) + 1).tolist(), len(symbols)]
        sums = trades.sums()
        for begin, end in itertools.pairwise(heads):
            for place, interval in self._intervals.items():
                self._take(int(symbols[begin]), place, interval, trades, sums, (begin, end))

    def full(self) -> Table:
        """Take the bars that are full, sorted by key; those of a series in order."""
        full, self._full = self._full, []
        return _sorted(full)

    def show(self) -> Table:
        """The open bars that have changed since they were last shown."""
        changed = [row for row in self._open.values() if row["changed"][0]]
        shown = _sorted(changed)
        for row in changed:
            row["changed"] = 0
        return shown

    def forget(self, symbols: Collection[int]) -> None:
        """Let the bars of symbols go."""
        self._open = {series: row for series, row in self._open.items() if series // self._width not in symbols}
        self._ends = {series: end for series, end in self._ends.items() if series // self._width not in symbols}

    def restore(self, windows: Table, ends: dict[int, int]) -> None:
        """Go on from open bars, and from where each series' last one ended."""
        self._ends |= ends
        for row in range(len(windows)):
            window = windows[row : row + 1]
            self._open[int(window["symbol"][0]) * self._width + int(window["interval"][0])] = window.copy()

    def _take(
        self, symbol: int, place: int, interval: Interval, trades: Trades, sums: Floats, span: tuple[int, int]
    ) -> None:
        series = symbol * self._width + place
        self._changed.add(series)
        at, end = span
        while at < end:
            window = self._open.get(series)
            if window is None:
                window = self._open[series] = self._begin(symbol, place, trades, at)
            count, is_full = _fill(window[0], interval, trades, sums, (at, min(end, at + _PIECE)))
            at += count
            if is_full:
                self._ends[series] = int(window["end"][0])
                self._full.append(self._open.pop(series))

    def _begin(self, symbol: int, place: int, trades: Trades, at: int) -> Table:
        window = np.zeros(1, dtype=WINDOW)
        price = trades.price[at]
        start = max(int(trades.ts[at]), self._ends.get(symbol * self._width + place, 0))
        window["symbol"], window["interval"], window["start"], window["end"] = symbol, place, start, start + 1
        window["first"], window["last"] = trades.ts[at], trades.ts[at]
        window["open"], window["high"], window["low"] = price, price, price
        window["key"] = window_keys(np.array([symbol]), place, self._width, window["start"])
        return window


def _fill(window: np.void, interval: Interval, trades: Trades, sums: Floats, span: tuple[int, int]) -> tuple[int, bool]:
    """Let trades into a bar until it is full; gives how many, and whether it is."""
    begin, end = span
    running = np.empty((len(sums), end - begin + 1))
    running[:, 0], running[:, 1:] = window["sums"], sums[:, begin:end]
    np.add.accumulate(running, axis=1, out=running)
    if interval.measure == "trades":
        at = interval.size - int(window["trades"]) - 1
    else:
        so_far = running[_VOLUME] if interval.measure == "volume" else running[1] + running[2]
        at = int(np.searchsorted(so_far[1:], interval.size))
    is_full = at < end - begin
    count = at + 1 if is_full else end - begin
    rows = slice(begin, begin + count)
    window["sums"], window["trades"] = running[:, count], window["trades"] + count
    window["high"] = max(window["high"], trades.price[rows].max())
    window["low"] = min(window["low"], trades.price[rows].min())
    window["close"], window["changed"] = trades.price[begin + count - 1], 1
    window["last"] = max(window["last"], trades.ts[rows].max())
    window["end"] = max(window["end"], window["last"] + 1)
    return count, is_full


def _sorted(parts: list[Table]) -> Table:
    rows = stacked(parts, WINDOW)
    return rows[np.argsort(rows["key"], kind="stable")]
