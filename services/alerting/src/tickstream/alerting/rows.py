"""Records as the rows that rules about bars look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from tickstream.alerting.domain.frame import FIGURES
from tickstream.alerting.domain.lane import Row
from tickstream.alerting.domain.names import ACTIVITIES, ACTIVITY, BAR_FIELDS, SESSION, SESSIONS
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet
from tickstream.core.sessions import CONTINUOUS, Sessions

_MINUTE: Final = 60_000_000_000


def rows_of_bars(bars: Sequence[Bar], calendar: str, wanted: Collection[str]) -> list[Row | None]:
    """One for each bar that is closed and of a wanted interval, with its session's minutes so far and to go.

    Bars of a continuous session count from midnight to midnight, UTC.
    """
    found: list[Row | None] = [None] * len(bars)
    chosen = [at for at, bar in enumerate(bars) if bar.state == "closed" and bar.interval in wanted]
    if chosen:
        since, to = _minutes([bars[at] for at in chosen], calendar)
        for at, *minutes in zip(chosen, since.tolist(), to.tolist(), strict=True):
            found[at] = _row(bars[at], *minutes)
    return found


def rows_of_indicators(sets: Sequence[IndicatorSet], wanted: Collection[str]) -> list[Row | None]:
    """One for each that is of a closed bar of a wanted interval."""
    return [
        Row("indicators", each.interval, each.symbol, each.end, each.values)
        if each.state == "closed" and each.interval in wanted
        else None
        for each in sets
    ]


def rows_of_figures(figures: Sequence[AnalyticsFigure]) -> list[Row | None]:
    """Figures of a scope at a time; one name and window a row, which the lane puts together."""
    return [
        Row(
            FIGURES.kind,
            "",
            each.scope,
            each.ts_event,
            {f"{each.name}.{value}[{each.window}]": number for value, number in each.values.items()},
        )
        for each in figures
    ]


def _row(bar: Bar, since: float, to: float) -> Row:
    values = {name: float(getattr(bar, name)) for name in BAR_FIELDS}
    values |= {
        "minutes_since_open": since,
        "minutes_to_close": to,
        SESSION: float(SESSIONS.index(bar.session)),
        ACTIVITY: float(ACTIVITIES.index(bar.activity)),
    }
    return Row("bars", bar.interval, bar.symbol, bar.end, values, bar.session)


def _minutes(bars: Sequence[Bar], calendar: str) -> tuple[Floats, Floats]:
    starts: Ints = np.array([bar.start for bar in bars], dtype=np.int64)
    ends: Ints = np.array([bar.end for bar in bars], dtype=np.int64)
    sessions, days = Sessions.of(calendar), Sessions.of(CONTINUOUS)
    all_day = np.array([bar.session == "continuous" for bar in bars])
    opened = np.where(all_day, days.day_start(starts), sessions.session_start(starts))
    closes = np.where(all_day, days.day_end(starts), sessions.session_end(starts))
    shut = np.array([bar.session == "closed" for bar in bars])
    since, to = (ends - opened) / _MINUTE, (closes - ends) / _MINUTE
    return np.where(shut, np.nan, since), np.where(shut, np.nan, to)
