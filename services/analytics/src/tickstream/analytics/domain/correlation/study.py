"""Correlations and betas, as they are published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from tickstream.analytics.domain.correlation.comoments import Comovement, RollingComoments, strongest, summary
from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import AnalyticsFigure
from tickstream.core.scopes import MARKET

STRONGEST: Final = 10
"""How many others `correlated` names."""
EVERY: Final = 5
"""Minutes from one time to the next: windows change little in one, and a late bar gives all symbols' figures again."""
EVERY_PAIR: Final = 15
"""The same for the figures of all pairs, a multiple of `EVERY`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The symbols whose returns are compared, and sums over the windows.

    The sums are shared by all states of a day, being far larger than the rest. They are where figures were
    given last, and a step from a state before that takes them back.

    Attributes:
        row: the state's.
        columns: of the symbols; those that came later are last.
        sums: by the window's name; of the equal-weighted market first, then of the symbols.
    """

    row: int
    columns: Ints
    sums: Mapping[str, RollingComoments]


class Correlation:
    """Correlations among the most active symbols, and their betas.

    Args:
        minutes: lengths of windows, beside the day so far.
        most: how many symbols are compared: those of the largest turnover on the day before, and then those who come.
        benchmark: a symbol that is always among them.
    """

    def __init__(self, minutes: Sequence[int], most: int, benchmark: str) -> None:
        self._spans: dict[str, int | None] = {**{f"{span}m": span for span in minutes}, "1d": None}
        self._most = most
        self._benchmark = benchmark

    def begin(self, grid: Grid, past: Sequence[Grid]) -> Compared:
        """The most active symbols of the day before."""
        turnover = np.zeros(len(grid.symbols))
        if past:
            turnover += np.nansum(past[-1].close * past[-1].volume, axis=0)
        if self._benchmark in grid.symbols:
            turnover[grid.symbols.index(self._benchmark)] = np.inf
        sums = {window: RollingComoments(span) for window, span in self._spans.items()}
        return Compared(-1, _largest(turnover, self._most), sums)

    def step(self, state: Compared, grid: Grid, row: int) -> Compared:
        """With the symbols that are new, as far as there is room."""
        for sums in state.sums.values():
            sums.rewind(state.row + 1)
        here = grid.steady[row]
        turnover = np.where(here, 1.0 + grid.close[row] * grid.volume[row], 0.0)
        turnover[state.columns] = 0.0
        new = _largest(turnover, self._most - len(state.columns))
        return Compared(row, np.concatenate((state.columns, new)), state.sums)

    def figures(self, state: Compared, grid: Grid, row: int) -> Iterator[Panel | AnalyticsFigure]:
        """`correlation` of the market, `beta` and `correlated`; less often all `correlations` and `betas`."""
        if (row + 1) % EVERY or not grid.steady[row].any():
            return
        order = np.argsort(state.columns)
        pairs = np.ix_(order + 1, order + 1)
        for window, sums in state.sums.items():
            found = sums.at(row, partial(_returns, grid, state.columns)).comovement()
            minute = _Minute(grid, row, window, state.columns[order])
            yield from minute.market(found.correlation[pairs])
            yield self._beta(found, grid, state.columns, window)
            yield from minute.pairs("correlated", found.correlation[pairs], STRONGEST)
            if (row + 1) % EVERY_PAIR == 0:
                yield from minute.pairs("correlations", found.correlation[pairs])
                yield from minute.pairs("betas", found.beta[pairs])

    def _beta(self, found: Comovement, grid: Grid, columns: Ints, window: str) -> Panel:
        places = {"market": 0}
        if self._benchmark in grid.symbols:
            places["benchmark"] = 1 + int(np.argmax(columns == grid.symbols.index(self._benchmark)))
        values = {}
        for name, place in places.items():
            for suffix, matrix in (("", found.beta), ("_correlation", found.correlation)):
                values[name + suffix] = np.full(len(grid.symbols), np.nan)
                values[name + suffix][columns] = matrix[1:, place]
        return Panel("beta", window, values, mutual=True)


def _returns(grid: Grid, columns: Ints, row: int) -> Floats:
    """A row's returns: of the equal-weighted market, then of the columns."""
    returns = grid.returns[row]
    known = returns[~np.isnan(returns)]
    market = known.mean() if len(known) else np.nan
    return np.concatenate(([market], returns[columns]))


class _Minute(NamedTuple):
    """A minute's figures of pairs, from matrices of the columns."""

    grid: Grid
    row: int
    window: str
    columns: Ints

    def market(self, correlation: Floats) -> Iterator[AnalyticsFigure]:
        """`correlation`, unless no pair has one."""
        values = summary(correlation)
        if values:
            yield AnalyticsFigure(MARKET, "correlation", self.grid.end(self.row), self.window, values)

    def pairs(self, name: str, matrix: Floats, most: int | None = None) -> Iterator[AnalyticsFigure]:
        """A figure for each symbol that has a bar: its values with the others, the strongest only or all by name."""
        values = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
        others = strongest(values, most) if most else np.broadcast_to(np.arange(len(values)), values.shape)
        symbols = np.array([self.grid.symbols[column] for column in self.columns], dtype=object)
        ts = self.grid.end(self.row)
        for place in np.flatnonzero(self.grid.steady[self.row, self.columns]):
            chosen = others[place][~np.isnan(values[place, others[place]])]
            if len(chosen):
                found = dict(zip(symbols[chosen].tolist(), values[place, chosen].tolist(), strict=True))
                yield AnalyticsFigure(symbols[place], name, ts, self.window, found)


def _largest(values: Floats, number: int) -> Ints:
    """The places of so many of the largest values above 0; of equals the first."""
    order = np.argsort(-values, kind="stable")[: max(number, 0)]
    return order[values[order] > 0]
