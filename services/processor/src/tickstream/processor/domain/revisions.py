"""What late trades and late news change: bars that were closed before, and what follows from them.

A trade is late in an interval whose window had closed before it came. Late trades wait until their
symbol's watermark passes the next full `EVERY` of event time; those of one symbol that wait
together are one revision. So it follows from the log alone which bars are revised, how often, and
what had been closed by then.

To revise, the closed windows from the last one before the change on are closed once more, without
and with the late trades; where the two differ, a bar has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Ints
from tickstream.core.intervals import Interval
from tickstream.processor.domain.bars import WINDOW, OpenWindows, Table
from tickstream.processor.domain.closing import FOREVER, Activities, Closing
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.retained import Shelves
from tickstream.processor.domain.trades import Trades
from tickstream.processor.domain.windows import Calendars, Codes, key_bounds, window_ends, window_starts

EVERY: Final = NANOS_PER_SECOND

LATE: Final = np.dtype([("symbol", "i8"), ("before", "i8"), ("ts", "i8"), ("price", "f8"), ("volume", "f8")])
"""A late trade; `before` is how far its symbol had come when it came."""

REVISION: Final = np.dtype(
    [
        ("key", "i8"),
        ("symbol", "i4"),
        ("interval", "i4"),
        ("start", "i8"),
        ("end", "i8"),
        ("bar", "i4"),
        ("indicators", "i4"),
    ]
)
"""How often a closed bar and its indicators have been revised."""

_EVER: Final = int(np.iinfo(np.int64).min)
_SHOWN: Final = ("open", "high", "low", "close", "vwap", "trades", "activity", "sums")


@dataclass(frozen=True, slots=True)
class Revised:
    """What a revision has come to, sorted by symbol, interval and start.

    Attributes:
        changed: the bars that say something else than before, or that are new.
        following: all bars from the first change of each series on; their `revision` is that of their indicators.
        dropped: for each series in `following` how many bars these take the place of.
    """

    changed: Table
    following: Table
    dropped: dict[int, int]


class Revisions:
    """The closed windows that may still change, and the late trades that are to change them.

    Args:
        intervals: those in use.
        calendars: the symbols' sessions and days.
        anchored: the places of the intervals whose `next_sums` are wanted.
        quiet_limit: nanoseconds after its last trade for which a symbol gets quiet bars.
        grace: nanoseconds that a window waits after its end.
        retention: nanoseconds by which a trade may be late.
        activities: says why a window is empty.
        symbols: the lanes.
    """

    def __init__(
        self,
        intervals: tuple[Interval, ...],
        calendars: Calendars,
        anchored: frozenset[int],
        quiet_limit: int,
        grace: int,
        retention: int,
        activities: Activities,
        symbols: Lanes,
    ) -> None:
        self._intervals = intervals
        self._timed = [(place, interval) for place, interval in enumerate(intervals) if not interval.counted]
        self._calendars = calendars
        self._grace = grace
        self._retention = retention
        self._windows = OpenWindows(intervals, calendars, anchored)
        self._closing = Closing(intervals, calendars, quiet_limit, activities)
        self.kept = Shelves(WINDOW, symbols)
        self.numbers = Shelves(REVISION, symbols)
        self.waiting = np.zeros(0, dtype=LATE)

    def late_in(self, symbols: Codes, ts: Ints, before: Ints) -> NDArray[np.bool_]:
        """For each interval and trade whether its window had closed.

        Args:
            symbols: of each trade.
            ts: event times.
            before: how far the symbols had come.
        """
        late = np.zeros((len(self._intervals), len(ts)), dtype=np.bool_)
        for place, interval in self._timed:
            starts = window_starts(interval, self._calendars, symbols, ts)
            late[place] = window_ends(interval, self._calendars, symbols, starts) + self._grace <= before
        return late

    def beyond(self, ts: Ints, before: Ints) -> NDArray[np.bool_]:
        """Which trades come too late for anything."""
        return ts < before - self._retention

    def needed(self, rows: Table, reached: Ints) -> NDArray[np.bool_]:
        """Which closed windows, or numbers of their revisions, late trades may still ask for.

        The last window of a series that isn't needed for itself tells what the next one began with.

        Args:
            rows: sorted by key.
            reached: how far the symbols have come.
        """
        expired = np.maximum(reached, _EVER + self._retention + EVERY) - (self._retention + EVERY)
        series = rows["symbol"].astype(np.int64) * len(self._intervals) + rows["interval"]
        alive = rows["end"] > expired[rows["symbol"]]
        needed: NDArray[np.bool_] = alive.copy()
        needed[:-1] |= alive[1:] | (series[1:] != series[:-1])
        needed[-1:] = True
        return needed

    def forget(self, partition: int, symbols: Codes) -> None:
        """Let go of what is kept of a partition, and of the late trades of its symbols."""
        self.waiting = self.waiting[~np.isin(self.waiting["symbol"], symbols)]
        self.kept.forget(partition)
        self.numbers.forget(partition)

    def wait(self, symbols: Codes, before: Ints, ts: Ints, trades: tuple[NDArray[np.float64], ...]) -> None:
        """Note late trades, in order of arrival; `trades` are their prices and volumes."""
        rows = np.empty(len(ts), dtype=LATE)
        rows["symbol"], rows["before"], rows["ts"] = symbols, before, ts
        rows["price"], rows["volume"] = trades
        self.waiting = np.concatenate((self.waiting, rows))

    def due(self, reached: Ints) -> Iterator[tuple[Table, Ints]]:
        """Take the late trades whose time has come: (trades, how far to close the symbols before), step by step.

        Args:
            reached: how far each symbol has come.
        """
        if not len(self.waiting):
            return
        bounds = (self.waiting["before"] // EVERY + 1) * EVERY
        ready = bounds <= reached[self.waiting["symbol"]]
        late, bounds = self.waiting[ready], bounds[ready]
        self.waiting = self.waiting[~ready]
        steps = _ranks(late["symbol"], bounds)
        for step in range(int(steps.max(initial=-1)) + 1):
            rows = np.flatnonzero(steps == step)
            limits = np.full(len(reached), _EVER)
            limits[late["symbol"][rows]] = bounds[rows] - self._grace
            yield late[rows], limits

    def revise(self, late: Table, limits: Ints, cursors: Table) -> Revised:
        """Let late trades into the closed windows that they lie in.

        Args:
            late: the trades; of each symbol one revision.
            limits: how far the symbols are closed.
            cursors: where all series stand; those that change are set.
        """
        counted = self.late_in(late["symbol"], late["ts"], late["before"])
        again = self._again(self._firsts(late, counted), limits)
        old = again.close()
        self._windows.restore(again.windows)
        self._windows.take(_trades(late, counted))
        again.windows = self._windows.table
        new = self._replace(again, cursors)
        self.kept.add(again.windows)
        return self._numbered(again.series, old, new, prices=True)

    def rethink(self, since: Mapping[int, int], limits: Ints, cursors: Table, change: Callable[[], None]) -> Revised:
        """Look again why closed windows are empty.

        Args:
            since: for each symbol the event time from which on that may have changed.
            limits: how far the symbols are closed.
            cursors: where all series stand.
            change: makes the change.
        """
        firsts: dict[int, int] = {}
        for place, interval in self._timed:
            symbols, ts = np.array(list(since)), np.array(list(since.values()))
            starts = window_starts(interval, self._calendars, symbols, ts)
            firsts |= dict(zip((symbols * len(self._intervals) + place).tolist(), starts.tolist(), strict=True))
        again = self._again(firsts, limits)
        old = again.close()
        change()
        return self._numbered(again.series, old, self._replace(again, cursors), prices=False)

    def _firsts(self, late: Table, counted: NDArray[np.bool_]) -> dict[int, int]:
        """The series that change, and the start of the first window in which they do."""
        firsts: dict[int, int] = {}
        for place, interval in self._timed:
            rows = np.flatnonzero(counted[place])
            symbols = late["symbol"][rows]
            starts = window_starts(interval, self._calendars, symbols, late["ts"][rows])
            for symbol, start in zip(symbols.tolist(), starts.tolist(), strict=True):
                series = symbol * len(self._intervals) + place
                firsts[series] = min(firsts.get(series, FOREVER), start)
        return firsts

    def _again(self, firsts: Mapping[int, int], limits: Ints) -> _Again:
        """Series from the last windows before their `firsts` on."""
        width = len(self._intervals)
        series = np.array(sorted(firsts), dtype=np.int64)
        begin = np.array([firsts[place] for place in series.tolist()])
        windows = self.kept.between(*key_bounds(series))
        of = np.searchsorted(series, windows["symbol"].astype(np.int64) * width + windows["interval"])
        before = windows["start"] < begin[of]
        self._closing.reserve(int(series.max()) // width + 1)
        start = self._closing.cursors.reshape(-1)[series]
        last = np.full(len(series), -1)
        rows = np.flatnonzero(before)
        np.maximum.at(last, of[rows], rows)
        known = np.flatnonzero(last >= 0)
        found = windows[last[known]]
        # The real end of the next window isn't needed: every series here is looked at.
        for name in ("next", "next_end", "traded_end"):
            start[name][known] = found["end"]
        for name, value in (("close", "close"), ("anchor", "anchor"), ("sums", "carried")):
            start[name][known] = found[value]
        return _Again(self._closing, width, limits, series, begin, start, windows[~before])

    def _replace(self, again: _Again, cursors: Table) -> Table:
        """Close once more after a change, and put what comes of it in the place of what was; gives the bars."""
        flat = cursors.reshape(-1)
        bars = flat["bars"][again.series] - again.after["bars"]
        new = again.close()
        flat[again.series] = again.after
        flat["bars"][again.series] += bars
        return new

    def _numbered(self, series: Codes, old: Table, new: Table, *, prices: bool) -> Revised:
        """Number the revisions; where `prices` have changed, those of indicators from the first change on, too."""
        at = np.minimum(np.searchsorted(old["key"], new["key"]), max(len(old) - 1, 0))
        known = old["key"][at] == new["key"] if len(old) else np.zeros(len(new), dtype=np.bool_)
        changed = ~known
        for name in _SHOWN:
            differs = old[name][at[known]] != new[name][known]
            changed[known] |= differs.any(axis=1) if differs.ndim > 1 else differs
        numbers = self._numbers_of(series, new)
        numbers["bar"] += changed & known
        numbers["indicators"] += known & prices
        self.numbers.add(numbers[known & (changed | prices)])
        bars = new[changed]
        bars["revision"] = numbers["bar"][changed]
        if not prices:
            return Revised(bars, new[:0], {})
        new["revision"] = numbers["indicators"]
        owners = old["symbol"].astype(np.int64) * len(self._intervals) + old["interval"]
        owners, counts = np.unique(owners, return_counts=True)
        return Revised(bars, new, dict(zip(owners.tolist(), counts.tolist(), strict=True)))

    def _numbers_of(self, series: Codes, bars: Table) -> Table:
        """How often each bar has been revised so far."""
        numbers = np.zeros(len(bars), dtype=REVISION)
        for name in ("key", "symbol", "interval", "start", "end"):
            numbers[name] = bars[name]
        earlier = self.numbers.between(*key_bounds(series))
        if len(earlier):
            places = np.minimum(np.searchsorted(earlier["key"], bars["key"]), len(earlier) - 1)
            same = earlier["key"][places] == bars["key"]
            numbers["bar"][same] = earlier["bar"][places[same]]
            numbers["indicators"][same] = earlier["indicators"][places[same]]
        return numbers


class _Again:
    """Series that are closed once more from some point on, on a `Closing` that is there for that.

    Attributes:
        series: (symbol * width + interval), sorted.
        windows: those with trades, from `begin` on.
        after: where the series stand once they were closed.
    """

    def __init__(
        self, closing: Closing, width: int, limits: Ints, series: Codes, begin: Ints, start: Table, windows: Table
    ) -> None:
        self._closing = closing
        self._width = width
        self._limits = limits
        self._begin = begin
        self._start = start
        self.series = series
        self.windows = windows
        self.after = start

    def close(self) -> Table:
        """The bars from `begin` on."""
        flat = self._closing.cursors.reshape(-1)
        blank = flat[self.series]
        flat[self.series] = self._start
        bars = self._closing.close(self.windows, self._limits)
        self._closing.moved.clear()
        self.after = flat[self.series]
        flat[self.series] = blank
        of = np.searchsorted(self.series, bars["symbol"].astype(np.int64) * self._width + bars["interval"])
        since: Table = bars[bars["start"] >= self._begin[of]]
        return since


def _ranks(symbols: Codes, bounds: Ints) -> NDArray[np.intp]:
    """The place of each row's bound among its symbol's, which are ascending."""
    order = np.argsort(symbols, kind="stable")
    by_symbol, by_bound = symbols[order], bounds[order]
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = by_symbol[1:] != by_symbol[:-1]
    turns = fresh.copy()
    turns[1:] |= by_bound[1:] != by_bound[:-1]
    counts = np.cumsum(turns)
    heads = np.flatnonzero(fresh)
    ranks = np.empty(len(order), dtype=np.intp)
    ranks[order] = counts - np.repeat(counts[heads], np.diff(heads, append=len(order)))
    return ranks


def _trades(late: Table, counted: NDArray[np.bool_]) -> Trades:
    """Late trades in the order in which windows take them."""
    order = np.lexsort((np.arange(len(late)), late["ts"], late["symbol"]))
    rows = late[order]
    columns = [np.ascontiguousarray(rows[name]) for name in ("symbol", "ts", "price", "volume")]
    return Trades(columns[0], columns[1], columns[2], columns[3], np.argsort(order), counted[:, order])
