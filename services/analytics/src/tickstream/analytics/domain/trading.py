"""How much a symbol is traded, by whom, and how easily."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel, Windowed, known
from tickstream.core.columns import Floats

_MILLION: Final = 1e6


class Turnover(NamedTuple):
    """The day's volume so far, and what is usual.

    Attributes:
        volume: [symbols].
        curve: [row, symbol], the mean volume of earlier days up to the end of that row.
        days: [symbols], how many earlier days that is the mean of.
    """

    volume: Floats
    curve: Floats
    days: Floats


class RelativeVolume:
    """The day's volume so far against the mean of earlier days at this time of the day."""

    def begin(self, grid: Grid, past: Sequence[Grid]) -> Turnover:
        """The usual curve."""
        width, rows = len(grid.symbols), max((earlier.rows for earlier in past), default=0)
        curve, days = np.zeros((rows, width)), np.zeros(width)
        for earlier in past:
            volume = np.zeros((rows, width))
            volume[: earlier.rows] = np.where(earlier.steady, earlier.volume, 0.0)
            curve += volume.cumsum(axis=0)
            days += volume.any(axis=0)
        return Turnover(np.zeros(width), curve / np.maximum(days, 1.0), days)

    def step(self, state: Turnover, grid: Grid, row: int) -> Turnover:
        """A minute's volume more."""
        return state._replace(volume=state.volume + np.where(grid.steady[row], grid.volume[row], 0.0))

    def figures(self, state: Turnover, _grid: Grid, row: int) -> Iterator[Panel]:
        """`relative_volume`; none for symbols without an earlier day."""
        if len(state.curve):
            usual = state.curve[min(row, len(state.curve) - 1)]
            usual = np.where(usual > 0.0, usual, np.nan)
            days = np.where(np.isnan(usual), np.nan, state.days)
            values = {"ratio": state.volume / usual, "volume": state.volume + 0.0 * days, "usual": usual, "days": days}
            yield Panel("relative_volume", "1d", values)


class TradeFlow(Windowed):
    """Volume of buyers and of sellers, told apart by the moves of the price (bulk volume classification)."""

    def figures(self, _state: None, grid: Grid, row: int) -> Iterator[Panel]:
        """`trade_flow`."""
        rows = grid.window(row, self._minutes)
        returns, volume = grid.returns[rows], grid.volume[rows]
        number = known(np.count_nonzero(~np.isnan(returns), axis=0))
        deviation = np.sqrt(np.nansum(returns**2, axis=0) / number)
        moved = np.nonzero(np.nan_to_num(returns))
        lean = np.zeros(returns.shape)
        scaled = returns[moved] / (deviation[moved[1]] * math.sqrt(2.0))
        lean[moved] = [math.erf(move) for move in scaled.tolist()]
        total = np.where(np.isnan(returns), 0.0, volume).sum(axis=0)
        net = np.where(np.isnan(returns), 0.0, volume * lean).sum(axis=0)
        values = {
            "imbalance": net / np.where(total > 0.0, total, np.nan),
            "buy_volume": (total + net) / 2.0 + 0.0 * number,
            "sell_volume": (total - net) / 2.0 + 0.0 * number,
        }
        yield Panel("trade_flow", f"{self._minutes}m", values)


class Liquidity(Windowed):
    """How much the price gives way, and an estimate of the spread; there are no quotes to read it from."""

    def figures(self, _state: None, grid: Grid, row: int) -> Iterator[Panel]:
        """`liquidity`."""
        rows = grid.window(row, self._minutes)
        traded = grid.steady[rows] & (grid.trades[rows] > 0)
        value = np.where(traded, grid.volume[rows] * grid.vwap[rows], 0.0)
        moved = (value > 0.0) & ~np.isnan(grid.returns[rows])
        impact = np.where(moved, np.abs(grid.returns[rows]) / np.where(moved, value, 1.0), 0.0).sum(axis=0)
        values = {
            "amihud": impact / known(np.count_nonzero(moved, axis=0)) * _MILLION,
            "spread": _spread(np.where(traded, grid.high[rows], np.nan), grid.low[rows], grid.close[rows]),
            "value": value.sum(axis=0),
        }
        yield Panel("liquidity", f"{self._minutes}m", values)


def _spread(high: Floats, low: Floats, close: Floats) -> Floats:
    """Abdi and Ranaldo's estimate from successive bars; NaN in `high` leaves a bar out."""
    middle, last = (np.log(high) + np.log(low)) / 2.0, np.log(close)
    terms = (last[:-1] - middle[:-1]) * (last[:-1] - middle[1:])
    number = known(np.count_nonzero(~np.isnan(terms), axis=0))
    spread: Floats = np.sqrt(np.maximum(4.0 * np.nansum(terms, axis=0) / number, 0.0))
    return spread
