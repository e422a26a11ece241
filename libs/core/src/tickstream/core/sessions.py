"""Which session of which trading day a moment belongs to.

Exchange calendars give the regular hours, holidays and early closes. On the exchanges of
`_EXTENDED` the pre session runs from 04:00 to the open, and the post session for four hours
from the close (20:00; 17:00 after an early close), as NYSE Arca and Nasdaq trade. Where an
exchange closes for lunch the break is closed, and the session goes on after it. A trading
day runs from midnight to midnight where the exchange is. "24/7" is one continuous session,
its day is the UTC day.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo
from functools import cache
from typing import Final, NamedTuple, cast, get_args

import exchange_calendars
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.core.model import SessionName

CONTINUOUS: Final = "24/7"
SESSION_NAMES: Final = cast("tuple[SessionName, ...]", get_args(SessionName))
PRE, REGULAR, POST, CLOSED, ALL_DAY = range(5)

_EXTENDED: Final = frozenset({"XNYS", "XNAS", "NYSE", "NASDAQ"})
_FIRST_YEAR: Final = "1990-01-01"
_FIRST_DAY: Final = "1970-01-01"
_LAST_DAY: Final = "2100-01-01"
_FIRST_WEEKDAY: Final = 3
_SATURDAY: Final = 5
_HOUR: Final = 3_600_000_000_000
_PRE_START: Final = pd.Timedelta(hours=4)
_NO_BREAKS: Final[Ints] = np.zeros(0, dtype=np.int64)


class Change(NamedTuple):
    """A moment at which one session ends and another begins."""

    ts: int
    session: SessionName


class Sessions:
    """The sessions of one calendar, as sorted bounds.

    Args:
        starts: when each stretch begins; each ends where the next begins.
        kinds: for each stretch, an index into `SESSION_NAMES`.
        midnights: when each day begins where the exchange is, from 1970 on.
        time_zone: where it is, by IANA's name.
        breaks: when those stretches begin that interrupt a session.
    """

    def __init__(
        self,
        starts: Ints,
        kinds: NDArray[np.int8],
        midnights: Ints,
        time_zone: str = "UTC",
        breaks: Ints = _NO_BREAKS,
    ) -> None:
        self._starts = starts
        self._begins, self._ends = starts.copy(), np.append(starts[1:], starts[-1:])
        interrupted = np.searchsorted(starts, breaks)
        self._begins[interrupted + 1] = starts[interrupted - 1]
        self._ends[interrupted - 1] = self._ends[interrupted + 1]
        self._kinds = kinds
        self._midnights = midnights
        self.time_zone = time_zone

    @staticmethod
    @cache
    def of(calendar: str) -> Sessions:
        """The sessions of an exchange calendar, such as "XNYS", or of "24/7".

        Raises:
            ValueError: there is no such calendar.
        """
        if calendar == CONTINUOUS:
            days = pd.date_range(_FIRST_DAY, _LAST_DAY, freq="D", tz="UTC")
            ends = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max], dtype=np.int64)
            return Sessions(ends, np.array([ALL_DAY, ALL_DAY], dtype=np.int8), _nanos(days))
        exchange = _exchange(calendar)
        schedule = exchange.schedule
        opens, closes = _nanos(schedule["open"]), _nanos(schedule["close"])
        bounds = [(opens, REGULAR)]
        if calendar in _EXTENDED:
            dates = pd.DatetimeIndex(schedule.index).tz_localize(None)
            bounds.append((_nanos((dates + _PRE_START).tz_localize(exchange.tz)), PRE))
            bounds += [(closes, POST), (closes + 4 * _HOUR, CLOSED)]
        else:
            bounds.append((closes, CLOSED))
        breaks = schedule[["break_start", "break_end"]].dropna()
        begins = _nanos(breaks["break_start"])
        bounds += [(begins, CLOSED), (_nanos(breaks["break_end"]), REGULAR)]
        return Sessions(*_sorted(bounds), _midnights(exchange.tz), str(exchange.tz), begins)

    def classify(self, ts: Ints) -> NDArray[np.int8]:
        """For each time an index into `SESSION_NAMES`."""
        return self._kinds[self._stretch(ts)]

    def session_start(self, ts: Ints) -> Ints:
        """When the session, or the closed stretch, that holds each time began; for a session before any break in it."""
        return self._begins[self._stretch(ts)]

    def session_end(self, ts: Ints) -> Ints:
        """When the session, or the closed stretch, that holds each time ends; a session after any break in it."""
        return self._ends[self._stretch(ts)]

    def day_start(self, ts: Ints) -> Ints:
        """The midnight before each time, where the exchange is."""
        return self._midnights[self._day(ts)]

    def day_end(self, ts: Ints) -> Ints:
        """The midnight after each time, where the exchange is."""
        return self._midnights[self._day(ts) + 1]

    def next_change(self, ts: int) -> Change | None:
        """The first change of session after `ts`, breaks included; None when the calendar knows of none."""
        at = int(np.searchsorted(self._starts, ts, side="right"))
        if at >= len(self._starts) or self._kinds[at] == ALL_DAY:
            return None
        return Change(int(self._starts[at]), SESSION_NAMES[self._kinds[at]])

    def stretches(self, names: Collection[SessionName]) -> tuple[Ints, Ints]:
        """When each session of some names begins, and when it ends."""
        chosen = np.isin(self._kinds[:-1], [SESSION_NAMES.index(name) for name in names])
        return self._starts[:-1][chosen], self._starts[1:][chosen]

    def holidays(self) -> tuple[Ints, Ints]:
        """When each day from Monday to Friday without a regular session begins, and when it ends.

        Days before the first session that is known and after the last one aren't among them, nor are those of
        calendars without regular sessions.
        """
        opens = self._starts[self._kinds == REGULAR]
        if not len(opens):
            return opens, opens
        traded = self._day(opens)
        days = np.arange(traded[0], traded[-1])
        idle = days[((days + _FIRST_WEEKDAY) % 7 < _SATURDAY) & ~np.isin(days, traded)]
        return self._midnights[idle], self._midnights[idle + 1]

    def _stretch(self, ts: Ints) -> NDArray[np.intp]:
        return np.searchsorted(self._starts, ts, side="right") - 1

    def _day(self, ts: Ints) -> NDArray[np.intp]:
        return np.clip(np.searchsorted(self._midnights, ts, side="right") - 1, 0, len(self._midnights) - 2)


def _exchange(calendar: str) -> exchange_calendars.ExchangeCalendar:
    """A calendar from as early on as is wanted, or as it is known."""
    get = exchange_calendars.get_calendar
    try:
        try:
            return get(calendar, start=_FIRST_YEAR)
        except ValueError:
            return get(calendar, start=get(calendar).bound_min())
    except exchange_calendars.errors.InvalidCalendarName:
        raise ValueError(f"calendar {calendar!r} must be {CONTINUOUS!r} or a name of exchange_calendars") from None
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f"calendar {calendar!r} can't be made by exchange_calendars: {error}") from error


def _midnights(zone: tzinfo) -> Ints:
    """When each day begins: an hour late where clocks are put forward at midnight, the first time where back to it."""
    days = pd.date_range(_FIRST_DAY, _LAST_DAY, freq="D")
    return _nanos(days.tz_localize(zone, ambiguous=np.ones(len(days), dtype=bool), nonexistent="shift_forward"))


def _nanos(times: pd.DatetimeIndex | pd.Series) -> Ints:
    return cast("Ints", pd.DatetimeIndex(times).as_unit("ns").asi8)


def _sorted(bounds: list[tuple[Ints, int]]) -> tuple[Ints, NDArray[np.int8]]:
    first = np.array([np.iinfo(np.int64).min], dtype=np.int64)
    starts = np.concatenate([first, *(times for times, _ in bounds)])
    kinds = np.concatenate([[CLOSED], *(np.full(len(times), kind) for times, kind in bounds)]).astype(np.int8)
    order = np.argsort(starts, kind="stable")
    return starts[order], kinds[order]
