"""How much a symbol's price moves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from tickstream.analytics.domain.grid import CONTINUOUS, Grid
from tickstream.analytics.domain.study import Panel, Windowed, known
from tickstream.core.columns import Floats, Ints

REGULAR_MINUTES_A_YEAR: Final = 252 * 390
CONTINUOUS_MINUTES_A_YEAR: Final = 365 * 1440


def minutes_a_year(grid: Grid, row: int) -> Floats:
    """How many minutes a year each symbol is traded for."""
    return np.where(grid.session[row] == CONTINUOUS, CONTINUOUS_MINUTES_A_YEAR, REGULAR_MINUTES_A_YEAR).astype(float)


class Sums(NamedTuple):
    """Of the day's returns so far, by symbol."""

    squares: Floats
    number: Floats


class RealisedVolatility:
    """The sum of squared one-minute returns, over the day so far and over the last minutes.

    Args:
        minutes: lengths of windows.
    """

    def __init__(self, minutes: Sequence[int]) -> None:
        self._minutes = minutes

    def begin(self, grid: Grid, _past: Sequence[Grid]) -> Sums:
        """Nothing yet."""
        return Sums(np.zeros(len(grid.symbols)), np.zeros(len(grid.symbols)))

    def step(self, state: Sums, grid: Grid, row: int) -> Sums:
        """One return more."""
        returns = grid.returns[row]
        return Sums(state.squares + np.nan_to_num(returns) ** 2, state.number + ~np.isnan(returns))

    def figures(self, state: Sums, grid: Grid, row: int) -> Iterator[Panel]:
        """`realised_volatility`."""
        yield Panel("realised_volatility", "1d", _realised(*state, minutes_a_year(grid, row)))
        for minutes in self._minutes:
            returns = grid.returns[grid.window(row, minutes)]
            squares, number = np.nansum(returns**2, axis=0), np.count_nonzero(~np.isnan(returns), axis=0)
            values = _realised(squares, number, minutes_a_year(grid, row))
            yield Panel("realised_volatility", f"{minutes}m", values)


class EwmaVolatility:
    """The exponentially weighted mean of squared one-minute returns.

    Args:
        decay: the weight of what was known before each return.
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay

    def begin(self, grid: Grid, past: Sequence[Grid]) -> Floats:
        """The mean of the last earlier day that has returns."""
        variance = np.full(len(grid.symbols), np.nan)
        for earlier in past:
            number = np.count_nonzero(~np.isnan(earlier.returns), axis=0)
            squares = np.nansum(earlier.returns**2, axis=0)
            variance = np.where(number > 0, squares / np.maximum(number, 1), variance)
        return variance

    def step(self, state: Floats, grid: Grid, row: int) -> Floats:
        """One return more; without anything before it, it is all that is known."""
        square = grid.returns[row] ** 2
        mixed = np.where(np.isnan(state), square, self._decay * state + (1.0 - self._decay) * square)
        return np.where(np.isnan(square), state, mixed)

    def figures(self, state: Floats, grid: Grid, row: int) -> Iterator[Panel]:
        """`ewma_volatility`."""
        annualised = np.sqrt(state * minutes_a_year(grid, row))
        yield Panel(
            "ewma_volatility", "1d", {"variance": state, "volatility": np.sqrt(state), "annualised": annualised}
        )


class GarmanKlass(Windowed):
    """Volatility from opens, highs, lows and closes."""

    def figures(self, _state: None, grid: Grid, row: int) -> Iterator[Panel]:
        """`garman_klass`."""
        rows = grid.window(row, self._minutes)
        steady = grid.steady[rows]
        spread, drift = np.log(grid.high[rows] / grid.low[rows]), np.log(grid.close[rows] / grid.open[rows])
        terms = 0.5 * spread**2 - (2.0 * math.log(2.0) - 1.0) * drift**2
        variance, bars = np.where(steady, terms, 0.0).sum(axis=0), known(np.count_nonzero(steady, axis=0))
        values = {
            "variance": variance,
            "volatility": np.sqrt(variance),
            "annualised": np.sqrt(variance * minutes_a_year(grid, row) / bars),
            "bars": bars,
        }
        yield Panel("garman_klass", f"{self._minutes}m", values)


def _realised(squares: Floats, number: Floats | Ints, a_year: Floats) -> Mapping[str, Floats]:
    returns = known(number)
    variance = np.where(np.isnan(returns), np.nan, squares)
    annualised = np.sqrt(variance * a_year / returns)
    return {"variance": variance, "volatility": np.sqrt(variance), "annualised": annualised, "returns": returns}
