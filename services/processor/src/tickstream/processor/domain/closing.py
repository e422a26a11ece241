"""Which windows end, what their bars say, and the quiet ones between them.

A window closes when its symbol's watermark has passed its end and the grace. Each series, a symbol
in an interval, remembers where it stands in a `CURSOR`; bars of a series close in order of start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.core.intervals import Interval
from tickstream.core.sessions import CLOSED
from tickstream.processor.domain import vwap
from tickstream.processor.domain.bars import Table, stacked, vwap_of
from tickstream.processor.domain.outages import QUIET, TRADED
from tickstream.processor.domain.windows import (
    Calendars,
    Codes,
    window_ends,
    window_keys,
    window_sessions,
    window_starts,
    windows_between,
)

FOREVER: Final = int(np.iinfo(np.int64).max)
_STRETCHES: Final = 10_000

BAR: Final = np.dtype(
    [
        ("key", "i8"),
        ("symbol", "i4"),
        ("interval", "i4"),
        ("start", "i8"),
        ("end", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("vwap", "f8"),
        ("trades", "i8"),
        ("revision", "i4"),
        ("activity", "i1"),
        ("session", "i1"),
        ("sums", "f8", (3,)),
        ("next_sums", "f8", (3,)),
        ("session_vwap", "f8"),
    ]
)
"""A bar. `activity` is an index into ACTIVITIES; `session` an index into SESSION_NAMES; `sums` as those of a window."""

CURSOR: Final = np.dtype(
    [
        ("key", "i8"),
        ("symbol", "i4"),
        ("interval", "i4"),
        ("next", "i8"),
        ("next_end", "i8"),
        ("traded_end", "i8"),
        ("close", "f8"),
        ("anchor", "i8"),
        ("sums", "f8", (3,)),
        ("bars", "i8"),
    ]
)
"""Where a series stands, by its key, symbol * intervals + interval: the next window (`FOREVER` before its first trade),
the end of its last window with trades, its last close, VWAP's sums since `anchor`, and how many bars it has closed."""

Activities = Callable[[Codes, Ints, Ints], NDArray[np.int8]]
"""What empty windows are, by their symbols, starts and ends."""


class Closing:
    """Closes windows of series.

    Args:
        intervals: those in use.
        calendars: the symbols' sessions and days.
        quiet_limit: nanoseconds after its last trade for which a symbol gets bars of empty windows.
        activities: says why a window is empty.

    Attributes:
        cursors: symbols x intervals.
        moved: the series whose cursors have been changed since somebody last emptied this.
    """

    def __init__(
        self, intervals: tuple[Interval, ...], calendars: Calendars, quiet_limit: int, activities: Activities
    ) -> None:
        self._intervals = intervals
        self._calendars = calendars
        self._quiet_limit = quiet_limit
        self._activities = activities
        self._fills = np.array([interval.fills for interval in intervals])
        self._timed = np.array([not interval.daily for interval in intervals])
        self.cursors = np.zeros((0, len(intervals)), dtype=CURSOR)
        self.moved: list[Codes] = []

    def reserve(self, symbols: int) -> None:
        """Make room for codes below `symbols`."""
        known, width = len(self.cursors), len(self._intervals)
        if symbols <= known:
            return
        room = np.zeros((max(symbols, 2 * known, 64) - known, len(self._intervals)), dtype=CURSOR)
        room["key"] = (known * width + np.arange(room.size)).reshape(room.shape)
        room["symbol"], room["interval"] = room["key"] // width, room["key"] % width
        room["next"] = room["next_end"] = FOREVER
        self.cursors = np.concatenate((self.cursors, room))

    def forget(self, symbols: Codes) -> None:
        """Let the series of symbols begin anew."""
        self.reserve(int(symbols.max(initial=-1)) + 1)
        blank = np.zeros((len(symbols), len(self._intervals)), dtype=CURSOR)
        for name in ("key", "symbol", "interval"):
            blank[name] = self.cursors[name][symbols]
        blank["next"] = blank["next_end"] = FOREVER
        self.cursors[symbols] = blank

    def close(self, windows: Table, limits: Ints) -> Table:
        """The bars of windows that have ended, and the quiet ones before and after them.

        Args:
            windows: those with trades that end at or before their symbol's limit, sorted; what they carry is set.
            limits: for each symbol how far its windows are to be closed.

        Returns:
            the bars, sorted by symbol, interval and start.
        """
        waiting = (self.cursors["next_end"][: len(limits)] <= limits[:, None]) & self._fills
        ending = np.union1d(np.flatnonzero(waiting), self._series(windows))
        if not len(ending):
            return np.zeros(0, dtype=BAR)
        bars = stacked((self._traded(windows), *self._quiet(windows, ending, limits)), BAR)
        if len(bars):
            bars = bars[np.argsort(bars["key"], kind="stable")]
            series = self._series(bars)
            fresh = np.ones(len(bars), dtype=np.bool_)
            fresh[1:] = series[1:] != series[:-1]
            heads = np.flatnonzero(fresh)
            self._fill(bars, series, fresh)
            self._anchor(bars, windows, series[heads], fresh)
            self._remember(bars, heads, series[heads])
        self._move_on(ending, limits)
        self.moved.append(ending)
        return bars

    def show(self, windows: Table) -> Table:
        """The bars of open windows as they are now."""
        bars = self._traded(windows)
        symbols = bars["symbol"].astype(np.int64)
        cursors = self.cursors.reshape(-1)[self._series(bars)]
        same = cursors["anchor"] == self._anchors(symbols, bars["interval"], bars["start"])
        sums = np.where(same[:, None], cursors["sums"], 0.0) + bars["sums"]
        bars["session_vwap"] = vwap_of(sums, bars["close"])
        return bars

    def _series(self, rows: Table) -> Codes:
        series: Codes = rows["symbol"].astype(np.int64) * len(self._intervals) + rows["interval"]
        return series

    def _traded(self, windows: Table) -> Table:
        bars = np.zeros(len(windows), dtype=BAR)
        for field in ("key", "symbol", "interval", "start", "end", "open", "high", "low", "close", "trades"):
            bars[field] = windows[field]
        bars["sums"], bars["next_sums"] = windows["sums"], windows["next_sums"]
        bars["vwap"] = vwap_of(windows["sums"], windows["close"])
        bars["session"] = self._sessions(bars)
        return bars

    def _sessions(self, bars: Table) -> NDArray[np.int8]:
        found = np.empty(len(bars), dtype=np.int8)
        for place, interval in enumerate(self._intervals):
            rows = np.flatnonzero(bars["interval"] == place)
            if len(rows):
                symbols = bars["symbol"][rows].astype(np.int64)
                found[rows] = window_sessions(interval, self._calendars, symbols, bars["start"][rows])
        return found

    def _quiet(self, windows: Table, ending: Codes, limits: Ints) -> list[Table]:
        """The bars without trades, their prices still to be filled."""
        series, starts, ends = self._stretches(windows, ending, limits)
        width = len(self._intervals)
        parts: list[Table] = []
        for place, interval in enumerate(self._intervals):
            rows = np.flatnonzero(series % width == place)
            parts += [
                self._windows_of(place, interval, series[some] // width, starts[some], ends[some])
                for some in (rows[at : at + _STRETCHES] for at in range(0, len(rows), _STRETCHES))
            ]
        return parts

    def _windows_of(self, place: int, interval: Interval, symbols: Codes, starts: Ints, ends: Ints) -> Table:
        rows, found = windows_between(interval, self._calendars, symbols, starts, ends)
        sessions = window_sessions(interval, self._calendars, symbols[rows], found)
        shown = sessions != CLOSED
        rows, found = rows[shown], found[shown]
        bars = np.zeros(len(found), dtype=BAR)
        bars["symbol"], bars["interval"], bars["start"] = symbols[rows], place, found
        bars["end"] = window_ends(interval, self._calendars, symbols[rows], found)
        bars["key"] = window_keys(symbols[rows], place, len(self._intervals), found)
        bars["session"], bars["activity"] = sessions[shown], QUIET
        return bars

    def _stretches(self, windows: Table, ending: Codes, limits: Ints) -> tuple[Codes, Ints, Ints]:
        """Where no trades were: before each window with trades, and from a series' last one to its limit.

        Returns:
            (series, start, end) of each stretch; starts are windows' own.
        """
        traded = windows[self._fills[windows["interval"]]]
        tails = ending[self._fills[ending % len(self._intervals)]]
        series = np.concatenate((self._series(traded), tails))
        ends = np.concatenate((traded["start"], np.full(len(tails), FOREVER)))
        order = np.lexsort((ends, series))
        series, ends = series[order], ends[order]
        after = np.concatenate((traded["end"], np.full(len(tails), FOREVER)))[order]
        cursors = self.cursors.reshape(-1)[series]
        starts, traded_ends = cursors["next"].copy(), cursors["traded_end"].copy()
        follows = np.flatnonzero(series[1:] == series[:-1]) + 1
        starts[follows] = traded_ends[follows] = after[follows - 1]
        ends = np.minimum(ends, limits[series // len(self._intervals)])
        ends = np.minimum(ends, traded_ends + self._quiet_limit)
        some = starts < ends
        return series[some], starts[some], ends[some]

    def _fill(self, bars: Table, series: Codes, fresh: NDArray[np.bool_]) -> None:
        """Give bars of empty windows the close before them, and say why they are empty."""
        quiet = bars["activity"] == QUIET
        if not quiet.any():
            return
        empty = bars[quiet]
        bars["activity"][quiet] = self._activities(empty["symbol"].astype(np.int64), empty["start"], empty["end"])
        rows = np.arange(len(bars))
        source = np.maximum.accumulate(np.where(~quiet | fresh, rows, 0))
        closes = np.where(quiet & fresh, self.cursors.reshape(-1)["close"][series], bars["close"])[source]
        for field in ("open", "high", "low", "close", "vwap"):
            bars[field][quiet] = closes[quiet]

    def _anchor(self, bars: Table, windows: Table, series: Codes, fresh: NDArray[np.bool_]) -> None:
        symbols = bars["symbol"].astype(np.int64)
        anchors = self._anchors(symbols, bars["interval"], bars["start"])
        next_anchors = self._anchors(symbols, bars["interval"], bars["end"])
        cursors = self.cursors.reshape(-1)[series]
        sums, carried = vwap.accumulate(
            np.cumsum(fresh),
            anchors,
            next_anchors,
            bars["sums"],
            bars["next_sums"],
            (cursors["anchor"], cursors["sums"]),
        )
        bars["session_vwap"] = vwap_of(sums, bars["close"])
        tails = np.append(np.flatnonzero(fresh)[1:], len(bars)) - 1
        flat = self.cursors.reshape(-1)
        flat["anchor"][series], flat["sums"][series] = next_anchors[tails], carried[tails]
        traded = bars["activity"] == TRADED
        windows["anchor"], windows["carried"] = next_anchors[traded], carried[traded]

    def _anchors(self, symbols: Codes, places: NDArray[np.int32], ts: Ints) -> Ints:
        """Where VWAP begins for windows that start at each time: with the session, or with the window itself."""
        anchors = ts.copy()
        timed = np.flatnonzero(self._timed[places])
        anchors[timed] = self._calendars.session_starts(symbols[timed], ts[timed])
        return anchors

    def _remember(self, bars: Table, heads: NDArray[np.intp], series: Codes) -> None:
        counts = np.diff(heads, append=len(bars))
        flat = self.cursors.reshape(-1)
        last = bars[heads + counts - 1]
        flat["close"][series], flat["next"][series] = last["close"], last["end"]
        flat["bars"][series] += counts
        traded = np.where(bars["activity"] == TRADED, bars["end"], 0)
        flat["traded_end"][series] = np.maximum(flat["traded_end"][series], np.maximum.reduceat(traded, heads))

    def _move_on(self, ending: Codes, limits: Ints) -> None:
        """The next window of a series is the one that holds its limit."""
        flat = self.cursors.reshape(-1)
        width = len(self._intervals)
        for place, interval in enumerate(self._intervals):
            series = ending[ending % width == place]
            if not interval.fills or not len(series):
                continue
            symbols = series // width
            starts = window_starts(interval, self._calendars, symbols, limits[symbols])
            flat["next"][series] = np.maximum(flat["next"][series], starts)
            flat["next_end"][series] = window_ends(interval, self._calendars, symbols, flat["next"][series])
