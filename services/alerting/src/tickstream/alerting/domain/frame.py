"""The last rows of some symbols, and the values that series have there.

Arrays are (symbols, rows), the newest row in the last column. Rows of other tapes, and of other
symbols, are found by their ends: a row without a counterpart has no value there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.expression import FIGURED, Expression, Series
from tickstream.alerting.domain.tape import Tape, TapeKey
from tickstream.core.columns import Floats, Ints
from tickstream.core.scopes import MARKET

Places = NDArray[np.intp]
Need = tuple[TapeKey, str | None]
"""A tape that an expression needs a row of, and whose; None is the symbol that is looked at."""

FIGURES: Final = TapeKey("figures")
FIGURES_INTERVAL: Final = "1m"
"""Of the bars that figures are made of."""


def clock_of(expression: Expression) -> TapeKey:
    """The tape whose rows are the moments at which an expression is looked at."""
    series = expression.series()
    of_many = series and all(each.source in ("market", "group") for each in series) and not expression.speaks_of_bars
    if of_many or expression.is_of_groups:
        return FIGURES
    return TapeKey("bars", expression.interval, tuple(sorted(expression.sessions)))


def subject_of(expression: Expression) -> str | None:
    """The only symbol that an expression can be about: the first that it names when it names all; else None.

    That is a group, or the market, where nothing else is spoken of.
    """
    series = expression.series()
    if any(each.symbol is None and each.source != "market" for each in series):
        return None
    of_many = clock_of(expression) == FIGURES
    named = [each.symbol for each in series if each.symbol is not None and (of_many or each.source != "group")]
    if of_many:
        named.append(MARKET)
    return named[0] if named else None


def need_of(series: Series, clock: TapeKey) -> Need:
    """Where a series is found when rows of `clock` are looked at."""
    if series.source in FIGURED:
        return FIGURES, MARKET if series.source == "market" else series.symbol
    if clock == FIGURES:
        clock = TapeKey("bars", FIGURES_INTERVAL)
    if series.source == "indicator":
        return TapeKey("indicators", clock.interval), series.symbol
    return clock, series.symbol


def field_of(series: Series) -> str:
    """What a series is called on its tape."""
    return f"{series.name}[{series.window}]" if series.window else series.name


def needs_of(expression: Expression) -> frozenset[Need]:
    """Everything that a moment needs rows of, beside that of its own tape."""
    clock = clock_of(expression)
    needs = {need_of(series, clock) for series in expression.series()}
    return frozenset(need for need in needs if need != (clock, None) and need != (clock, subject_of(expression)))


class Frame:
    """Rows of a tape, beside those of the others at the same times.

    Args:
        key: of the tape whose rows are looked at.
        tapes: all of them.
        symbols: whose rows.
    """

    def __init__(self, key: TapeKey, tapes: Mapping[TapeKey, Tape], symbols: Sequence[str]) -> None:
        self.key = key
        self.symbols = symbols
        self.tape = tapes[key]
        self._tapes = tapes
        self.places: Places = np.array([self.tape.symbols[symbol] for symbol in symbols], dtype=np.intp)
        self._found: dict[tuple[TapeKey, str | None, int], tuple[Places, Places]] = {}
        self._series: dict[tuple[Series, int], Floats] = {}

    def ends(self, length: int) -> Ints:
        """When the last rows ended; 0 where there is none."""
        return self.tape.ends(self.places, length)

    def own(self, field: str, length: int) -> Floats:
        """A field of the rows themselves; NaN where the tape has no such field."""
        if field not in self.tape.fields:
            return np.full((len(self.places), length), np.nan)
        return self.tape.column(field, self.places, length)

    def series(self, series: Series, length: int) -> Floats:
        """The values of a series at the last rows."""
        found = self._series.get((series, length))
        if found is None:
            found = self._series[series, length] = self._read(series, length)
        return found

    def present(self, need: Need, length: int) -> NDArray[np.bool_]:
        """Where there is a row of another tape or symbol."""
        return self._match(need, length)[1] >= 0

    def since(self, need: Need) -> Ints:
        """For each symbol the earliest end that has changed on another tape."""
        key, symbol = need
        tape = self._tapes[key]
        places = self._places(tape, symbol)
        return np.where(places >= 0, tape.since[places], np.iinfo(np.int64).max)

    def _read(self, series: Series, length: int) -> Floats:
        need = need_of(series, self.key)
        if need == (self.key, None):
            return self.own(field_of(series), length)
        places, columns = self._match(need, length)
        tape, field = self._tapes[need[0]], field_of(series)
        if field not in tape.fields:
            return np.full(columns.shape, np.nan)
        return np.where(columns >= 0, tape.values(field)[places[:, None], columns], np.nan)

    def _match(self, need: Need, length: int) -> tuple[Places, Places]:
        """The place of each symbol on another tape, and the columns there of the same ends, -1 where there is none."""
        key, symbol = need
        found = self._found.get((key, symbol, length))
        if found is None:
            tape = self._tapes[key]
            places, ends = self._places(tape, symbol), self.ends(length)
            found = self._found[key, symbol, length] = places, _columns(tape, places, ends)
        return found

    def _places(self, tape: Tape, symbol: str | None) -> Places:
        if symbol is not None:
            return np.full(len(self.places), tape.symbols.get(symbol, -1), dtype=np.intp)
        return np.array([tape.symbols.get(each, -1) for each in self.symbols], dtype=np.intp)


def _columns(tape: Tape, places: Places, ends: Ints) -> Places:
    columns = np.empty(ends.shape, dtype=np.intp)
    length = ends.shape[1]
    if length <= tape.depth:
        tail = np.arange(tape.depth - length, tape.depth)
        if (tape.end[places, tape.depth - length :] == ends).all() and (places >= 0).all():
            columns[:] = np.where(ends > 0, tail, -1)
            return columns
    for row, place in enumerate(places.tolist()):
        if place < 0:
            columns[row] = -1
            continue
        known = tape.end[place]
        at = np.minimum(np.searchsorted(known, ends[row]), tape.depth - 1)
        columns[row] = np.where((known[at] == ends[row]) & (ends[row] > 0), at, -1)
    return columns
