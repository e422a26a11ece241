"""When a rule is looked at, as people write it."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tickstream.alerting.domain.schedule import Schedule
from tickstream.core.columns import Ints
from tickstream.core.model import SessionName
from tickstream.core.sessions import Sessions

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Stretches = tuple[Ints, Ints]
"""When each begins, and when it ends."""

_DAYS: Final = get_args(Day)
_YEARS: Final = ("1990-01-01", "2100-01-01")
_TIMES: Final = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"
_MOST: Final = 24


def _calendar(name: str) -> str:
    Sessions.of(name)
    return name


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a time zone of IANA's, such as America/New_York") from None
    return name


class ScheduleSpec(BaseModel):
    """Sessions, days and times: a moment has to be in all that are given.

    Attributes:
        calendar: whose sessions and holidays; a name of exchange_calendars, or 24/7.
        times: such as "09:45-15:30"; one that ends before it begins goes on past midnight, and belongs to the day
            on which it began.
        time_zone: of days and times; None is the exchange's.
        holidays: whether days count on which the exchange doesn't trade from Monday to Friday.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar: Annotated[str, AfterValidator(_calendar)] = "XNYS"
    sessions: tuple[SessionName, ...] = ()
    days: tuple[Day, ...] = ()
    times: tuple[Annotated[str, Field(pattern=_TIMES)], ...] = Field((), max_length=_MOST)
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = None
    holidays: bool = False

    @model_validator(mode="after")
    def _check(self) -> ScheduleSpec:
        if not (self.sessions or self.days or self.times):
            raise ValueError("must have sessions, days or times")
        if any(times[:5] == times[6:] for times in self.times):
            raise ValueError("times must not end when they begin; the whole day is 00:00-24:00")
        return self


@lru_cache(64)
def schedule_of(spec: ScheduleSpec) -> Schedule:
    """The stretches of a schedule, from 1990 to 2099, as far as the calendar's sessions are known."""
    sessions = Sessions.of(spec.calendar)
    on = [sessions.stretches(spec.sessions)] if spec.sessions else []
    if spec.days or spec.times:
        on.append(_daily(spec, spec.time_zone or sessions.time_zone))
    off = [] if spec.holidays else [sessions.holidays()]
    moments = np.unique(np.concatenate([side for stretches in (*on, *off) for side in stretches]))
    inside = np.ones(len(moments), dtype=np.bool_)
    for stretches in on:
        inside &= _within(moments, stretches)
    for stretches in off:
        inside &= ~_within(moments, stretches)
    return Schedule(spec.model_dump_json(), moments[np.diff(inside, prepend=False)])


def _daily(spec: ScheduleSpec, time_zone: str) -> Stretches:
    days = pd.date_range(*_YEARS, freq="D")
    days = days[days.day_of_week.isin([_DAYS.index(day) for day in spec.days or _DAYS])]
    begins, ends = [], []
    for times in spec.times or ("00:00-24:00",):
        begin, end = (pd.Timedelta(hours=int(time[:2]), minutes=int(time[3:])) for time in times.split("-"))
        begins.append(_nanos(days + begin, time_zone))
        ends.append(_nanos(days + end + pd.Timedelta(days=int(end < begin)), time_zone))
    return np.concatenate(begins), np.concatenate(ends)


def _nanos(local: pd.DatetimeIndex, time_zone: str) -> Ints:
    """Moments by the clock on the wall: the first of two, and the next where there is none."""
    there = local.tz_localize(time_zone, nonexistent="shift_forward", ambiguous=np.ones(len(local), dtype=np.bool_))
    nanos: Ints = pd.DatetimeIndex(there).as_unit("ns").asi8
    return nanos


def _within(moments: Ints, stretches: Stretches) -> NDArray[np.bool_]:
    """Which moments lie within stretches, that may overlap."""
    begins, ends = (np.sort(side) for side in stretches)
    found: NDArray[np.bool_] = np.searchsorted(begins, moments, "right") > np.searchsorted(ends, moments, "right")
    return found
