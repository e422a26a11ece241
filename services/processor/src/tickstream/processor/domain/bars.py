"""Windows that are still open: what the trades so far come to, by symbol and interval.

Sums are kept so that the same trades in the same order give the same bits however they were cut
into batches: each trade is added on its own, in order of arrival, to the sum so far. The value
traded, price x volume, is split for that into a multiple of 2**-10, whose sums are exact below
2**43, and a small rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints
from tickstream.core.intervals import Interval
from tickstream.processor.domain.trades import Trades
from tickstream.processor.domain.windows import Calendars, Codes, window_ends, window_keys, window_starts

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
        ("anchor", "i8"),
        ("carried", "f8", (3,)),
    ]
)
"""A window. `first` and `last` are the event times of the open and the close; `sums` are volume, coarse and fine
value of all its trades, `next_sums` of those that belong to the session that goes on after its end; `interval` is a
place among the intervals in use; `changed` tells whether there were trades since it was last shown. What is known
only once it has closed: `carried`, the sums that VWAP takes along from it, since `anchor`."""

Table = NDArray[np.void]
_Number = TypeVar("_Number", np.float64, np.int64)


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
    """The open windows, sorted by symbol, interval and start.

    Args:
        intervals: those in use, counted ones, which have no windows here, last.
        calendars: the symbols' sessions and days.
        anchored: the places of the intervals whose `next_sums` are wanted.
    """

    def __init__(self, intervals: tuple[Interval, ...], calendars: Calendars, anchored: frozenset[int]) -> None:
        self._intervals = intervals
        self._calendars = calendars
        self._timed = sum(not interval.counted for interval in intervals)
        self._turning = np.array(
            [place in anchored and not interval.daily for place, interval in enumerate(intervals)], dtype=np.bool_
        )
        self.table: Table = np.zeros(0, dtype=WINDOW)
        self._changed: list[Ints] = []

    def restore(self, table: Table) -> None:
        """Go on from these windows."""
        self.table = table[np.argsort(table["key"], kind="stable")]
        self._changed.clear()

    def add(self, table: Table) -> None:
        """Go on from these windows, besides those that are there."""
        merged = stacked((self.table, table), WINDOW)
        self.table = merged[np.argsort(merged["key"], kind="stable")]

    def forget(self, symbols: Codes) -> None:
        """Let the windows of symbols go."""
        self.table = self.table[~np.isin(self.table["symbol"], symbols)]

    def take(self, trades: Trades) -> None:
        """Count trades."""
        spread = _Spread(trades, self._timed)
        if not len(spread):
            return
        rows, heads = self._cut(trades, spread)
        _set_shape(rows, heads, trades, spread)
        at = np.searchsorted(self.table["key"], rows["key"])
        known = at < len(self.table)
        known[known] = self.table["key"][at[known]] == rows["key"][known]
        before = self.table[at[known]]
        if len(before):
            rows[known] = _joined(before, rows[known])
        self._add_sums(rows, heads, trades, spread)
        self._changed.append(rows["key"])
        self.table[at[known]] = rows[known]
        if len(before) < len(rows):
            merged = stacked((self.table, rows[~known]), WINDOW)
            self.table = merged[np.argsort(merged["key"], kind="stable")]

    def changes(self) -> Table:
        """The windows, still open, that have changed since this was last asked."""
        if not self._changed:
            return self.table[:0]
        keys, self._changed = np.unique(np.concatenate(self._changed)), []
        at = np.searchsorted(self.table["key"], keys)
        at = at[at < len(self.table)]
        rows = self.table[at]
        changed: Table = rows[rows["key"] == keys[: len(rows)]]
        return changed

    def remove(self, due: NDArray[np.bool_]) -> Table:
        """Take windows out; gives them."""
        gone = self.table[due]
        if len(gone):
            self.table = self.table[~due]
        return gone

    def _cut(self, trades: Trades, spread: _Spread) -> tuple[Table, NDArray[np.intp]]:
        """One row for each window that trades lie in, and where its trades begin in the spread."""
        heads, starts, ends, owners = [], [], [], []
        for place, interval in enumerate(self._intervals[: self._timed]):
            symbols, ts = spread.copy(trades.symbol, place), spread.copy(trades.ts, place)
            if not len(ts):
                heads.append(np.zeros(0, dtype=np.intp))
                continue
            found = window_starts(interval, self._calendars, symbols, ts)
            cuts = np.ones(len(ts), dtype=np.bool_)
            cuts[1:] = (symbols[1:] != symbols[:-1]) | (found[1:] != found[:-1])
            begin = np.flatnonzero(cuts)
            owners.append(symbols[begin])
            starts.append(found[begin])
            ends.append(window_ends(interval, self._calendars, owners[-1], starts[-1]))
            heads.append(begin + spread.offsets[place])
        places = np.repeat(np.arange(len(heads)), [len(begin) for begin in heads])
        rows = np.zeros(len(places), dtype=WINDOW)
        rows["symbol"], rows["interval"] = np.concatenate(owners), places
        rows["start"], rows["end"] = np.concatenate(starts), np.concatenate(ends)
        rows["key"] = window_keys(rows["symbol"].astype(np.int64), places, len(self._intervals), rows["start"])
        return rows, np.concatenate(heads)

    def _add_sums(self, rows: Table, heads: NDArray[np.intp], trades: Trades, spread: _Spread) -> None:
        windows = spread.by_arrival(np.repeat(np.arange(len(rows)), np.diff(heads, append=len(spread))))
        added = [spread.by_arrival(spread.all(figure)) for figure in trades.sums()]
        for figure, values in enumerate(added):
            rows["sums"][:, figure] = _add(rows["sums"][:, figure], windows, values)
        turns = self._turns(rows)
        turning = (turns > rows["start"]) & (turns < rows["end"])
        if turning.any():
            ts = spread.by_arrival(spread.all(trades.ts))
            ahead = np.flatnonzero(turning[windows] & (ts >= turns[windows]))
            for figure, values in enumerate(added):
                tail = _add(rows["next_sums"][:, figure], windows[ahead], values[ahead])
                rows["next_sums"][:, figure] = tail

    def _turns(self, rows: Table) -> Ints:
        """When the session that holds each window's end began; 0 where nobody asks."""
        turns = np.zeros(len(rows), dtype=np.int64)
        some = np.flatnonzero(self._turning[rows["interval"]])
        turns[some] = self._calendars.session_starts(rows["symbol"][some].astype(np.int64), rows["end"][some])
        return turns


class _Spread:
    """Trades repeated once for each interval that counts them, one copy after the other.

    Args:
        trades: the trades.
        copies: how many intervals there are.
    """

    def __init__(self, trades: Trades, copies: int) -> None:
        self._copies = copies
        self._n = len(trades)
        self._counted = None if trades.counted is None else [np.flatnonzero(some) for some in trades.counted[:copies]]
        lengths = [self._n] * copies if self._counted is None else [len(rows) for rows in self._counted]
        self.offsets = [0, *np.cumsum(lengths).tolist()]
        self._order = None if trades.arrival is None else self._arrivals(trades.arrival)

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def copy(self, values: Ints, place: int) -> Ints:
        """One interval's copy of something that each trade has."""
        return values if self._counted is None else values[self._counted[place]]

    def all(self, values: NDArray[_Number]) -> NDArray[_Number]:
        """All copies of it."""
        if self._counted is None:
            return np.tile(values, self._copies)
        return values[np.concatenate(self._counted)]

    def by_arrival(self, values: NDArray[_Number]) -> NDArray[_Number]:
        """The same copies, each in order of arrival."""
        return values if self._order is None else values[self._order]

    def _arrivals(self, arrival: NDArray[np.intp]) -> NDArray[np.intp]:
        if self._counted is None:
            return np.concatenate([arrival + offset for offset in self.offsets[:-1]])
        ranks = np.argsort(arrival)
        orders = [np.argsort(ranks[rows]) for rows in self._counted]
        return np.concatenate([order + offset for order, offset in zip(orders, self.offsets, strict=False)])


def _set_shape(rows: Table, heads: NDArray[np.intp], trades: Trades, spread: _Spread) -> None:
    prices, ts = spread.all(trades.price), spread.all(trades.ts)
    counts = np.diff(heads, append=len(spread))
    tails = heads + counts - 1
    rows["trades"], rows["changed"] = counts, 1
    rows["high"] = np.maximum.reduceat(prices, heads)
    rows["low"] = np.minimum.reduceat(prices, heads)
    rows["open"], rows["close"] = prices[heads], prices[tails]
    rows["first"], rows["last"] = ts[heads], ts[tails]


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
