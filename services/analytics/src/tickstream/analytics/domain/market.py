"""All symbols' one-minute bars of the last trading days, and the figures that follow from them.

Every figure is a function of the bars alone, and its identity of its time: whenever a bar comes
late or is revised, the figures it has a part in are given again, and the last ones given are
those of a reader who had all bars from the start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tickstream.analytics.domain.figures import (
    CONTINUOUS_MINUTES_A_YEAR,
    REGULAR_MINUTES_A_YEAR,
    Quote,
    breadth,
    gainers,
    losers,
    most_active,
    realised_volatility,
)
from tickstream.analytics.domain.series import DaySeries
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.model import AnalyticsFigure, Bar
from tickstream.core.topics import INTERVALS

INTERVAL: Final = "1m"
MARKET: Final = "market"
DAYS: Final = 3
"""How many trading days are kept: those that bars came for last."""

_MINUTE: Final = INTERVALS[INTERVAL]
_SPANS: Final[dict[str, int | None]] = {"30m": 30 * _MINUTE, "1d": None}
_PATIENCE: Final = 300 * NANOS_PER_SECOND
"""A symbol this far behind the others in event time isn't waited for."""

DayOf = Callable[[Bar], int]
"""Says when the trading day of a bar began."""


@dataclass(slots=True)
class TradingDay:
    """One trading day's bars by symbol.

    Attributes:
        ends: the times at which bars ended, ascending.
        stale_from: figures of this time and later have yet to be given; None when all are.
        touched: the number of the last bar that came for the day.
    """

    series: dict[str, DaySeries] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    stale_from: int | None = None
    touched: int = 0

    def stale(self, through: int) -> list[int]:
        """The times up to `through` whose figures have yet to be given."""
        if self.stale_from is None:
            return []
        return self.ends[bisect_left(self.ends, self.stale_from) : bisect_right(self.ends, through)]

    def given(self, through: int) -> None:
        """The figures up to `through` have been given."""
        later = bisect_right(self.ends, through)
        if self.stale_from is not None and self.stale_from <= through:
            self.stale_from = self.ends[later] if later < len(self.ends) else None


class Market:
    """The market as its closed one-minute bars show it.

    Args:
        day_of: when the trading day of a bar began.
    """

    def __init__(self, day_of: DayOf) -> None:
        self._day_of = day_of
        self._days: dict[int, TradingDay] = {}
        self._last: dict[str, int] = {}
        self._taken = 0

    def take(self, bar: Bar, *, counted: bool = False) -> int:
        """Take a closed one-minute bar into account; gives its trading day.

        Args:
            bar: closed, of one minute.
            counted: its figures were given before; the bar is read again after a restart.
        """
        self._taken += 1
        begin = self._day_of(bar)
        day = self._days.setdefault(begin, TradingDay())
        day.touched = self._taken
        if not day.series.setdefault(bar.symbol, DaySeries()).put(bar):
            return begin
        at = bisect_left(day.ends, bar.end)
        if at == len(day.ends) or day.ends[at] != bar.end:
            insort(day.ends, bar.end)
        self._last[bar.symbol] = max(self._last.get(bar.symbol, 0), bar.end)
        if not counted:
            day.stale_from = bar.end if day.stale_from is None else min(day.stale_from, bar.end)
        return begin

    @property
    def newest(self) -> int:
        """The latest end of a bar."""
        return max(self._last.values(), default=0)

    @property
    def complete_through(self) -> int:
        """The time up to which every symbol's bars are here, those far behind aside."""
        newest = self.newest
        return min((end for end in self._last.values() if end >= newest - _PATIENCE), default=0)

    @property
    def days(self) -> list[int]:
        """The trading days that are kept, the one longest untouched first."""
        return sorted(self._days, key=lambda begin: self._days[begin].touched)

    def forget_oldest(self) -> list[int]:
        """Let go of the days too many; gives them. Their stale figures should have been given before."""
        gone = self.days[:-DAYS]
        for begin in gone:
            del self._days[begin]
        return gone

    def figures(self, through: int) -> Iterator[AnalyticsFigure]:
        """The figures up to `through` that have yet to be given, in the order of time."""
        for begin in sorted(self._days):
            day = self._days[begin]
            for ts in day.stale(through):
                yield from self._figures_at(begin, ts)
            day.given(through)

    def leaving(self) -> Iterator[AnalyticsFigure]:
        """The figures still to be given of days that `forget_oldest` would let go of."""
        for begin in self.days[:-DAYS]:
            for ts in self._days[begin].stale(self.newest):
                yield from self._figures_at(begin, ts)

    def reference(self, begin: int, symbol: str) -> float | None:
        """The last close of the trading day before, else the first price of this one."""
        earlier = [b for b, day in self._days.items() if b < begin and symbol in day.series]
        if earlier:
            return self._days[max(earlier)].series[symbol].last_price
        day = self._days.get(begin)
        return day.series[symbol].first_price if day is not None and symbol in day.series else None

    def _figures_at(self, begin: int, ts: int) -> Iterator[AnalyticsFigure]:
        quotes = list(self._quotes(begin, ts))
        yield AnalyticsFigure(MARKET, "gainers", ts, "1d", gainers(quotes))
        yield AnalyticsFigure(MARKET, "losers", ts, "1d", losers(quotes))
        yield AnalyticsFigure(MARKET, "most_active", ts, "1d", most_active(quotes))
        yield AnalyticsFigure(MARKET, "breadth", ts, "1d", breadth(quotes))
        for symbol, series in sorted(self._days[begin].series.items()):
            if series.ends_at(ts):
                minutes = CONTINUOUS_MINUTES_A_YEAR if series.is_continuous else REGULAR_MINUTES_A_YEAR
                for window, span in _SPANS.items():
                    returns = series.returns(ts, span)
                    if len(returns):
                        values = realised_volatility(returns, minutes)
                        yield AnalyticsFigure(symbol, "realised_volatility", ts, window, values)

    def _quotes(self, begin: int, ts: int) -> Iterator[Quote]:
        for symbol, series in sorted(self._days[begin].series.items()):
            price, reference = series.price_at(ts), self.reference(begin, symbol)
            if price is not None and reference is not None:
                yield Quote(symbol, price, reference, series.volume_through(ts))
