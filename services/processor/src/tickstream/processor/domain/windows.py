"""Windows of event time: which window a trade lies in, and which session and day a window lies in."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Ints
from tickstream.core.intervals import Interval
from tickstream.core.sessions import CLOSED, REGULAR, Sessions
from tickstream.processor.domain.lanes import Lanes

Codes = NDArray[np.int64]

_HOUR: Final = 3600 * NANOS_PER_SECOND
_DAY: Final = 24 * _HOUR
_QUARTER: Final = 900 * NANOS_PER_SECOND
KEY_SECONDS_BITS: Final = 34
"""What a window's key leaves for the seconds of its start."""


class Calendars:
    """The sessions of each symbol, by its lane.

    Args:
        symbols: the lanes.
        default: the calendar of the symbols that no pattern fits.
        patterns: (shell pattern, calendar); the first that fits a symbol's name counts.

    Raises:
        ValueError: there is no such calendar.
    """

    def __init__(self, symbols: Lanes, default: str, patterns: Sequence[tuple[str, str]] = ()) -> None:
        self._symbols = symbols
        self._patterns = patterns
        self._names = list(dict.fromkeys([default, *(calendar for _, calendar in patterns)]))
        self._default = default
        self._sessions = [Sessions.of(name) for name in self._names]
        self._of: NDArray[np.int16] = np.zeros(0, dtype=np.int16)

    def sessions(self, symbols: Codes, ts: Ints) -> NDArray[np.int8]:
        """For each time of each symbol an index into `SESSION_NAMES`."""
        found = np.empty(len(ts), dtype=np.int8)
        for calendar, rows in self._groups(symbols):
            found[rows] = calendar.classify(ts[rows])
        return found

    def session_starts(self, symbols: Codes, ts: Ints) -> Ints:
        """When the session that holds each time began."""
        found = np.empty(len(ts), dtype=np.int64)
        for calendar, rows in self._groups(symbols):
            found[rows] = calendar.session_start(ts[rows])
        return found

    def day_starts(self, symbols: Codes, ts: Ints) -> Ints:
        """The midnight before each time; quickest where neighbours are close in time."""
        heads = np.flatnonzero(_changes(ts // _QUARTER) | _changes(symbols))
        found = np.empty(len(heads), dtype=np.int64)
        for calendar, rows in self._groups(symbols[heads]):
            found[rows] = calendar.day_start(ts[heads][rows])
        return np.repeat(found, np.diff(heads, append=len(ts)))

    def day_ends(self, symbols: Codes, ts: Ints) -> Ints:
        """The midnight after each time."""
        found = np.empty(len(ts), dtype=np.int64)
        for calendar, rows in self._groups(symbols):
            found[rows] = calendar.day_end(ts[rows])
        return found

    def day_sessions(self, symbols: Codes, starts: Ints) -> NDArray[np.int8]:
        """The session of whole days: that of the day's trading, or "closed" where there is none.

        Args:
            symbols: their codes.
            starts: the days' midnights.
        """
        found = np.empty(len(starts), dtype=np.int8)
        for calendar, rows in self._groups(symbols):
            found[rows] = _day_sessions(calendar, starts[rows])
        return found

    def _groups(self, symbols: Codes) -> list[tuple[Sessions, NDArray[np.intp] | slice]]:
        if len(self._sessions) == 1:
            return [(self._sessions[0], slice(None))]
        self._learn()
        kinds = self._of[symbols]
        return [(self._sessions[kind], np.flatnonzero(kinds == kind)) for kind in np.unique(kinds)]

    def _learn(self) -> None:
        known = len(self._of)
        if known < len(self._symbols):
            fresh = [self._names.index(self._calendar(name)) for name in self._symbols.values[known:]]
            self._of = np.concatenate((self._of, np.array(fresh, dtype=np.int16)))

    def _calendar(self, symbol: str) -> str:
        fitting = (calendar for pattern, calendar in self._patterns if fnmatchcase(symbol, pattern))
        return next(fitting, self._default)


def window_starts(interval: Interval, calendars: Calendars, symbols: Codes, ts: Ints) -> Ints:
    """Where the window that holds each time begins."""
    if interval.daily:
        return calendars.day_starts(symbols, ts)
    return ts // interval.size * interval.size


def window_ends(interval: Interval, calendars: Calendars, symbols: Codes, starts: Ints) -> Ints:
    """Where the windows that begin at `starts` end."""
    return calendars.day_ends(symbols, starts) if interval.daily else starts + interval.size


def window_sessions(interval: Interval, calendars: Calendars, symbols: Codes, starts: Ints) -> NDArray[np.int8]:
    """The session of each window: the one that holds its start; a day has that of its trading."""
    find = calendars.day_sessions if interval.daily else calendars.sessions
    return find(symbols, starts)


def windows_between(
    interval: Interval, calendars: Calendars, symbols: Codes, starts: Ints, ends: Ints
) -> tuple[NDArray[np.intp], Ints]:
    """The windows that lie wholly in each stretch [start, end), where start is a window's own.

    Returns:
        (which stretch, where the window starts), stretch by stretch, in order of time.
    """
    slack = 2 * _HOUR if interval.daily else 0
    counts = np.maximum((ends - starts + slack) // interval.size, 0)
    rows = np.repeat(np.arange(len(starts)), counts)
    steps = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = starts[rows] + steps * interval.size
    if interval.daily:
        found = calendars.day_starts(symbols[rows], found + _DAY // 2)
        whole = calendars.day_ends(symbols[rows], found) <= ends[rows]
        rows, found = rows[whole], found[whole]
    return rows, found


def window_keys(symbols: Codes, interval: int | Codes, intervals: int, starts: Ints) -> Ints:
    """One number for each window, in the order of symbol, interval, start.

    Args:
        symbols: their codes.
        interval: its place among the intervals in use.
        intervals: how many are in use.
        starts: of the windows, whole seconds.
    """
    return ((symbols * intervals + interval) << KEY_SECONDS_BITS) + starts // NANOS_PER_SECOND


def key_bounds(series: Codes) -> tuple[Ints, Ints]:
    """The least key of each series, symbol * intervals + interval, and one that is greater than all of its keys."""
    return series << KEY_SECONDS_BITS, (series + 1) << KEY_SECONDS_BITS


def _changes(values: Ints) -> NDArray[np.bool_]:
    """Where a value differs from the one before; the first always does."""
    changed = np.ones(len(values), dtype=np.bool_)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


def _day_sessions(calendar: Sessions, starts: Ints) -> NDArray[np.int8]:
    """A day that begins closed and opens before its end is a trading day."""
    first_change = calendar.session_end(starts)
    begins_closed = calendar.classify(starts) == CLOSED
    opens = begins_closed & (first_change < calendar.day_end(starts))
    noon = calendar.classify(starts + _DAY // 2)
    kinds = np.where(begins_closed, np.where(opens, REGULAR, CLOSED), noon)
    return kinds.astype(np.int8)
