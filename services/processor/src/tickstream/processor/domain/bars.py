"""Windows that are still open: what the trades so far come to, by symbol and interval.

Sums are kept so that the same trades in the same order give the same bits however they were cut
into batches: each trade is added on its own, in order of arrival, to the sum so far. The value
traded, price x volume, is split for that into a multiple of 2**-10, whose sums are exact below
2**43, and a small rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints
from tickstream.processor.domain.windows import Calendars, Codes, Interval, window_ends, window_keys, window_starts

WINDOW: Final = np.dtype(
    [
        ("key", "i8"),
        ("symbol", "i4"),
        ("interval", "i4"),
        ("start", "i8"),
        ("end", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("trades", "i8"),
        ("sums", "f8", (3,)),
        ("next_sums", "f8", (3,)),
        ("changed", "i8"),
    ]
)
"""An open window. `first` and `last` are the event times of the open and the close; `sums` are volume, coarse and
fine value of all its trades, `next_sums` of those that belong to the session that goes on after its end; `interval`
is a place among the intervals in use; `changed` tells whether there were trades since it was last shown."""

Table = NDArray[np.void]

_COARSE: Final = 1024.0
_LARGEST: Final = 1e290


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades to be counted, sorted by symbol, then event time, then arrival.

    Attributes:
        arrival: the rows in an order in which each symbol's come as they arrived; None when they do already.
    """

    symbol: Codes
    ts: Ints
    price: Floats
    volume: Floats
    arrival: NDArray[np.intp] | None

    def __len__(self) -> int:
        return len(self.ts)

    def sums(self) -> Floats:
        """What each trade adds to a window's sums: 3 x n; nothing so large that sums would overflow."""
        volume = np.minimum(self.volume, _LARGEST)
        with np.errstate(over="ignore"):
            value = np.minimum(self.price * volume, _LARGEST)
        coarse = np.rint(value * _COARSE) / _COARSE
        return np.stack((volume, coarse, value - coarse))


def value_of(sums: Floats) -> Floats:
    """The value traded, price x volume, from sums of any shape (..., 3)."""
    value: Floats = sums[..., 1] + sums[..., 2]
    return value


def vwap_of(sums: Floats, otherwise: Floats) -> Floats:
    """Value by volume; `otherwise` where there was no volume."""
    volume = sums[..., 0]
    traded = volume > 0
    return np.where(traded, value_of(sums) / np.where(traded, volume, 1.0), otherwise)


class OpenWindows:
    """The open windows of a partition, sorted by symbol, interval and start.

    Args:
        intervals: those in use.
        calendars: the symbols' sessions and days.
        anchored: the places of the intervals whose `next_sums` are wanted.
    """

    def __init__(self, intervals: tuple[Interval, ...], calendars: Calendars, anchored: frozenset[int]) -> None:
        self._intervals = intervals
        self._calendars = calendars
        self._turning = np.array(
            [place in anchored and not interval.daily for place, interval in enumerate(intervals)], dtype=np.bool_
        )
        self.table: Table = np.zeros(0, dtype=WINDOW)

    def restore(self, table: Table) -> None:
        """Go on from these windows."""
        self.table = table[np.argsort(table["key"], kind="stable")]

    def take(self, trades: Trades) -> None:
        """Count trades."""
        if not len(trades):
            return
        rows, heads = self._cut(trades)
        self._set_shape(rows, heads, trades)
        at = np.searchsorted(self.table["key"], rows["key"])
        known = at < len(self.table)
        known[known] = self.table["key"][at[known]] == rows["key"][known]
        before = self.table[at[known]]
        if len(before):
            rows[known] = _joined(before, rows[known])
        self._add_sums(rows, heads, trades)
        self.table[at[known]] = rows[known]
        if len(before) < len(rows):
            merged = stacked((self.table, rows[~known]), WINDOW)
            self.table = merged[np.argsort(merged["key"], kind="stable")]

    def remove(self, due: NDArray[np.bool_]) -> Table:
        """Take windows out; gives them."""
        gone = self.table[due]
        if len(gone):
            self.table = self.table[~due]
        return gone

    def _cut(self, trades: Trades) -> tuple[Table, NDArray[np.intp]]:
        """One row for each window that trades lie in, and where its trades begin.

        The trades count as repeated once for each interval, one copy after the other.
        """
        symbols, n = trades.symbol, len(trades)
        changed = np.ones(n, dtype=np.bool_)
        np.not_equal(symbols[1:], symbols[:-1], out=changed[1:])
        heads, starts, ends = [], [], []
        for place, interval in enumerate(self._intervals):
            found = window_starts(interval, self._calendars, symbols, trades.ts)
            cuts = changed.copy()
            cuts[1:] |= found[1:] != found[:-1]
            begin = np.flatnonzero(cuts)
            starts.append(found[begin])
            ends.append(window_ends(interval, self._calendars, symbols[begin], starts[-1]))
            heads.append(begin + place * n)
        places = np.repeat(np.arange(len(heads)), [len(begin) for begin in heads])
        heads_of_all = np.concatenate(heads)
        rows = np.zeros(len(places), dtype=WINDOW)
        owners = symbols[heads_of_all - places * n]
        rows["symbol"], rows["interval"] = owners, places
        rows["start"], rows["end"] = np.concatenate(starts), np.concatenate(ends)
        rows["key"] = window_keys(owners, places, len(heads), rows["start"])
        return rows, heads_of_all

    def _set_shape(self, rows: Table, heads: NDArray[np.intp], trades: Trades) -> None:
        n = len(trades)
        copies = len(self._intervals)
        prices = np.tile(trades.price, copies)
        counts = np.diff(heads, append=n * copies)
        tails = heads + counts - 1
        rows["trades"], rows["changed"] = counts, 1
        rows["high"] = np.maximum.reduceat(prices, heads)
        rows["low"] = np.minimum.reduceat(prices, heads)
        rows["open"], rows["close"] = prices[heads], prices[tails]
        rows["first"], rows["last"] = trades.ts[heads % n], trades.ts[tails % n]

    def _add_sums(self, rows: Table, heads: NDArray[np.intp], trades: Trades) -> None:
        n, copies = len(trades), len(self._intervals)
        windows = np.repeat(np.arange(len(rows)), np.diff(heads, append=n * copies)).reshape(copies, n)
        added = trades.sums()
        if trades.arrival is not None:
            windows, added = windows[:, trades.arrival], added[:, trades.arrival]
        flat = windows.ravel()
        for figure in range(3):
            rows["sums"][:, figure] = _add(rows["sums"][:, figure], flat, np.tile(added[figure], copies))
        turns = self._turns(rows)
        turning = (turns > rows["start"]) & (turns < rows["end"])
        if turning.any():
            ts = trades.ts if trades.arrival is None else trades.ts[trades.arrival]
            ahead = np.flatnonzero(turning[flat] & (np.tile(ts, copies) >= turns[flat]))
            for figure in range(3):
                tail = np.tile(added[figure], copies)[ahead]
                rows["next_sums"][:, figure] = _add(rows["next_sums"][:, figure], flat[ahead], tail)

    def _turns(self, rows: Table) -> Ints:
        """When the session that holds each window's end began; 0 where nobody asks."""
        turns = np.zeros(len(rows), dtype=np.int64)
        some = np.flatnonzero(self._turning[rows["interval"]])
        turns[some] = self._calendars.session_starts(rows["symbol"][some].astype(np.int64), rows["end"][some])
        return turns


def stacked(tables: Sequence[Table], dtype: np.dtype[np.void]) -> Table:
    """The rows of all tables of one dtype; NumPy's own way looks at every field's name each time."""
    rows = np.empty(sum(map(len, tables)), dtype=dtype)
    at = 0
    for table in tables:
        rows[at : at + len(table)] = table
        at += len(table)
    return rows


def _add(before: Floats, windows: NDArray[np.intp], values: Floats) -> Floats:
    """The sums after adding values one by one, each to its window's."""
    slots = np.concatenate((np.arange(len(before)), windows))
    sums: Floats = np.bincount(slots, weights=np.concatenate((before, values)), minlength=len(before)).astype(
        np.float64
    )
    return sums


def _joined(old: Table, new: Table) -> Table:
    """Windows as they were, joined by what newer trades come to; the sums stay as they were."""
    joined = old.copy()
    earlier, later = new["first"] < old["first"], new["last"] >= old["last"]
    joined["open"] = np.where(earlier, new["open"], old["open"])
    joined["first"] = np.where(earlier, new["first"], old["first"])
    joined["close"] = np.where(later, new["close"], old["close"])
    joined["last"] = np.where(later, new["last"], old["last"])
    joined["high"] = np.maximum(new["high"], old["high"])
    joined["low"] = np.minimum(new["low"], old["low"])
    joined["trades"] += new["trades"]
    joined["changed"] = 1
    return joined
