"""Forecasts, as they are published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tickstream.analytics.domain.forecast.direction import Direction
from tickstream.analytics.domain.forecast.score import Score
from tickstream.analytics.domain.forecast.volatility import RECENT, Volatility
from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel
from tickstream.analytics.domain.volatility import EwmaVolatility
from tickstream.core.columns import Floats


class Outlook(NamedTuple):
    """What is expected after a row.

    Attributes:
        row: the last one of the regular or the continuous session.
        ewma: exponentially weighted mean of squared returns, [symbols].
    """

    row: int
    ewma: Floats
    volatility: Volatility
    direction: Direction


class Forecasts:
    """Volatility and direction of the next minutes, from the day so far and the day before.

    Args:
        decay: of the exponentially weighted volatility.
    """

    def __init__(self, decay: float) -> None:
        self._ewma = EwmaVolatility(decay)

    def begin(self, grid: Grid, past: Sequence[Grid]) -> Outlook:
        """What the day before has taught, with nothing judged yet."""
        ewma, symbols = self._ewma.begin(grid, past), len(grid.symbols)
        state = Outlook(-1, ewma, Volatility.start(symbols), Direction.start(symbols))
        for earlier in past[-1:]:
            for row in earlier.filled(0, earlier.rows):
                state = self.step(state, earlier, row)
        return Outlook(-1, ewma, state.volatility.next_day(), state.direction.next_day())

    def step(self, state: Outlook, grid: Grid, row: int) -> Outlook:
        """One minute more, and before it those that had no bar; minutes outside of the session are left out."""
        if not grid.steady[row].any():
            return state
        volatility, direction = state.volatility, state.direction
        if state.row >= 0:
            for missed in range(max(state.row + 1, row - RECENT), row):
                volatility = volatility.step(grid.returns[missed], state.ewma)
                direction = direction.step(grid.returns[missed])
        ewma = self._ewma.step(state.ewma, grid, row)
        return Outlook(row, ewma, volatility.step(grid.returns[row], ewma), direction.step(grid.returns[row]))

    def figures(self, state: Outlook, _grid: Grid, row: int) -> Iterator[Panel]:
        """`forecast_ewma`, `forecast_garch` and `forecast_direction`."""
        if state.row != row:
            return
        parameters = dict(zip(("alpha", "beta"), state.volatility.garch.parameters, strict=True))
        for horizon in state.volatility.horizons:
            made, window = horizon.made[-1], f"{horizon.minutes}m"
            ewma = {"volatility": np.sqrt(made.ewma), "naive": np.sqrt(made.naive)}
            garch = {"volatility": np.sqrt(made.garch), "naive": np.sqrt(made.naive), **parameters}
            yield _panel("forecast_ewma", window, ewma, "qlike", horizon.ewma)
            yield _panel("forecast_garch", window, garch, "qlike", horizon.garch)
        chances = {"probability": state.direction.probability, "naive": state.direction.naive}
        yield _panel("forecast_direction", "1m", chances, "brier", state.direction.score)


def _panel(name: str, window: str, forecast: Mapping[str, Floats], loss: str, score: Score) -> Panel:
    """A forecast, whose first value it is, and how those before it did; nothing where there is none."""
    judged = score.judged > 0
    values = {
        **forecast,
        loss: np.where(judged, score.loss, np.nan),
        f"naive_{loss}": np.where(judged, score.naive_loss, np.nan),
        "beats_naive": score.beats_naive,
        "judged": score.judged,
    }
    known = ~np.isnan(next(iter(forecast.values())))
    return Panel(name, window, {key: np.where(known, each, np.nan) for key, each in values.items()})
