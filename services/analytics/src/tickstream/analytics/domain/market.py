"""All symbols' one-minute bars of the last trading days, and the figures that follow from them.

Every figure is a function of the bars alone, and its identity of its time: whenever a bar comes
late or is revised, the figures it has a part in are given again, and the last ones given are
those of a reader who had all bars from the start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from tickstream.analytics.domain.grid import Bools, Grid, Symbols
from tickstream.analytics.domain.study import Course, Panel, Study
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Ints
from tickstream.core.model import AnalyticsFigure, Bar

WHOLE_DAYS: Final = 2
"""Trading days that are kept beside the history, so that so many have all of theirs."""
MOST_SYMBOLS: Final = 5_000
"""Symbols with figures; what memory holds of a symbol is arrays, not what was heard of it."""

_DEEP: Final = 60
"""Rows: figures that are given again from further back wait until the market is at rest."""
_PATIENCE: Final = 300 * NANOS_PER_SECOND
"""A symbol this far behind the others in event time isn't waited for."""
_NEVER: Final = np.iinfo(np.int64).max

DayOf = Callable[[Bar], int]
"""Says when the trading day of a bar began."""


class TradingDay:
    """One trading day's bars, and which of its figures have yet to be given.

    Args:
        begin: when it begins.
        symbols: the columns' names.
    """

    def __init__(self, begin: int, symbols: Symbols) -> None:
        self.grid = Grid(begin, symbols)
        self._courses: list[Course[Any]] = []
        self._stale: Ints = np.zeros(0, dtype=np.int64)
        self._changed = 0

    def put(self, bar: Bar) -> int | None:
        """Add a bar, or the revision of one; gives its row, or None when nothing has changed."""
        row = self.grid.put(bar)
        if row is not None:
            self._changed = min(self._changed, row)
        return row

    def spoil(self, column: int | slice, row: int) -> None:
        """A symbol's figures of this row and later ones have yet to be given."""
        self._widen()
        self._stale[column] = np.minimum(self._stale[column], row)

    def restart(self) -> None:
        """Bars of days before, or the symbols, have changed: all states are to be worked out anew."""
        self._courses = []

    @property
    def is_deep(self) -> bool:
        """Whether figures from far back have yet to be given."""
        return int(self._stale.min(initial=_NEVER)) < self.grid.rows - _DEEP

    def keep(self, order: list[int]) -> None:
        """Have these columns only, in this order, as `Symbols.keep`."""
        self._widen()
        self._stale = self._stale[order]
        self.grid.keep(order)
        self.restart()

    def figures(self, through: int, studies: Sequence[Study[Any]], past: Sequence[Grid]) -> Iterator[AnalyticsFigure]:
        """The figures up to the time `through` that have yet to be given, in the order of time."""
        self._widen()
        first = int(self._stale.min(initial=_NEVER))
        rows = self.grid.filled(first, self.grid.row(through) + 1) if first < self.grid.rows else []
        if rows:
            self._bring_up(studies, past)
        for row in rows:
            due = self._stale <= row
            for course in self._courses:
                for found in course.figures(row):
                    if isinstance(found, AnalyticsFigure):
                        yield found
                    else:
                        yield from _each(found, self.grid, row, due)
            self._stale[due] = row + 1

    def _widen(self) -> None:
        lacking = len(self.grid.symbols) - len(self._stale)
        if lacking > 0:
            self._stale = np.concatenate([self._stale, np.full(lacking, _NEVER)])

    def _bring_up(self, studies: Sequence[Study[Any]], past: Sequence[Grid]) -> None:
        for grid in (*past, self.grid):
            grid.settle()
        if not self._courses:
            self._courses = [Course(study, self.grid, past) for study in studies]
        for course in self._courses:
            course.rewind(self._changed)
        self._changed = self.grid.rows


class Market:
    """The market as its closed one-minute bars show it.

    Args:
        day_of: when the trading day of a bar began.
        studies: give the figures, in this order.
        history: how many trading days before its own a figure may look at.
    """

    def __init__(self, day_of: DayOf, studies: Sequence[Study[Any]], history: int) -> None:
        self._day_of = day_of
        self._studies = studies
        self._history = history
        self._symbols = Symbols()
        self._days: dict[int, TradingDay] = {}
        self._touched: int | None = None
        self._past_changed: dict[int, set[str]] = {}
        self._last: dict[str, int] = {}
        self._references: dict[str, tuple[int, float | None]] = {}
        self._in_order = 0

    def take(self, bar: Bar, *, counted: bool = False) -> int:
        """Take a closed one-minute bar into account; gives its trading day.

        Args:
            bar: closed, of one minute.
            counted: its figures were given before; the bar is read again after a restart.
        """
        begin = self._day_of(bar)
        if begin != self._touched:
            self._touch(begin)
        row = self._days[begin].put(bar)
        if row is not None:
            self._last[bar.symbol] = max(self._last.get(bar.symbol, 0), bar.end)
            self._references.pop(bar.symbol, None)
            if not counted:
                self._days[begin].spoil(self._symbols.column(bar.symbol), row)
            for later in [other for other in self._days if other > begin]:
                self._past_changed.setdefault(later, set())
                if not counted:
                    self._past_changed[later].add(bar.symbol)
        return begin

    def _touch(self, begin: int) -> None:
        """A bar of another day than the last one's comes: that day is now the last."""
        day = self._days.pop(begin) if begin in self._days else TradingDay(begin, self._symbols)
        self._days[begin] = day
        self._touched = begin
        for other in self.days[:-WHOLE_DAYS]:
            self._days[other].restart()

    def has_room(self, symbol: str) -> bool:
        """Whether bars of a symbol can be taken: it is known, or one of the first `MOST_SYMBOLS`."""
        return symbol in self._symbols.columns or len(self._symbols.names) < MOST_SYMBOLS

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
        """The trading days that are kept, the one longest without a bar first."""
        return list(self._days)

    @property
    def is_leaving(self) -> bool:
        """Whether there are days too many."""
        return len(self._days) > self._history + WHOLE_DAYS

    def leaving(self) -> Iterator[AnalyticsFigure]:
        """The figures still to be given of the days that `forget_oldest` would let go of."""
        for begin in self.days[: -self._history - WHOLE_DAYS]:
            yield from self._figures(begin, self.newest)

    def forget_oldest(self) -> list[int]:
        """Let go of the days too many; gives them. Their figures should have been given before."""
        gone = self.days[: -self._history - WHOLE_DAYS]
        for begin in gone:
            del self._days[begin]
            self._past_changed.pop(begin, None)
        if gone:
            self._put_in_order()
        return gone

    @property
    def is_waiting(self) -> bool:
        """Whether there are figures to give again that wait for the market to be at rest."""
        return any(self._past_changed.values()) or any(day.is_deep for day in self._days.values())

    def figures(self, through: int, *, at_rest: bool = True) -> Iterator[AnalyticsFigure]:
        """The figures up to `through` that have yet to be given, by days in the order of time.

        Args:
            through: a time.
            at_rest: nothing hurries. Otherwise those wait that are many: from far back, and of days whose past
                has changed. So bars of past days, however many, don't hold up the present.
        """
        if at_rest:
            self._pass_on()
        for begin in sorted(self._days):
            if at_rest or not self._days[begin].is_deep:
                yield from self._figures(begin, through)

    def _pass_on(self) -> None:
        """Let days know that days before them have changed."""
        for begin, symbols in self._past_changed.items():
            self._days[begin].restart()
            for symbol in symbols:
                self._days[begin].spoil(self._symbols.column(symbol), 0)
        self._past_changed = {}

    def reference(self, begin: int, symbol: str) -> float | None:
        """The last close of the trading day before, else the first price of this one."""
        known = self._references.get(symbol)
        if known is None or known[0] != begin:
            known = self._references[symbol] = (begin, self._find_reference(begin, symbol))
        return known[1]

    def _find_reference(self, begin: int, symbol: str) -> float | None:
        column = self._symbols.columns.get(symbol)
        if column is None:
            return None
        for grid in reversed(self._past(begin)):
            price = grid.last_price(column)
            if price is not None:
                return price
        return self._days[begin].grid.first_price(column) if begin in self._days else None

    def _figures(self, begin: int, through: int) -> Iterator[AnalyticsFigure]:
        if len(self._symbols.names) != self._in_order:
            self._put_in_order()
        yield from self._days[begin].figures(through, self._studies, self._past(begin))

    def _past(self, begin: int) -> list[Grid]:
        earlier = sorted(at for at in self._days if at < begin)[-self._history :]
        return [self._days[at].grid for at in earlier]

    def _put_in_order(self) -> None:
        """Have a column for each symbol that has a bar in the kept days, in the order of the names."""
        names = self._symbols.names
        used: set[int] = set()
        for day in self._days.values():
            used.update(np.flatnonzero(day.grid.present()).tolist())
        order = sorted(used, key=names.__getitem__)
        for day in self._days.values():
            day.keep(order)
        self._symbols.keep(order)
        if self._in_order == 1 < len(order):
            # A lone column is summed up in another order than columns side by side.
            for day in self._days.values():
                day.spoil(slice(None), 0)
        self._in_order = len(order)
        self._last = {name: end for name, end in self._last.items() if name in self._symbols.columns}
        self._references.clear()


def _each(panel: Panel, grid: Grid, row: int, due: Bools) -> Iterator[AnalyticsFigure]:
    """A panel's figures, symbol by symbol."""
    steady = grid.steady[row]
    chosen = np.flatnonzero(steady if panel.mutual else steady & due)
    names, ts = list(panel.values), grid.end(row)
    table = np.stack([np.broadcast_to(values, steady.shape)[chosen] for values in panel.values.values()], axis=1)
    for column, numbers in zip(chosen.tolist(), table.tolist(), strict=True):
        values = {name: number for name, number in zip(names, numbers, strict=True) if math.isfinite(number)}
        if values:
            yield AnalyticsFigure(grid.symbols[column], panel.name, ts, panel.window, values)
