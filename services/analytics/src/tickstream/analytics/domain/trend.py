"""Where a symbol's price is going."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel, Windowed, known

_LEAST: Final = 3
"""Bars without which a line has no error."""


class Trend(Windowed):
    """The least-squares line through the logarithms of closes over time."""

    def figures(self, _state: None, grid: Grid, row: int) -> Iterator[Panel]:
        """`trend`."""
        rows = grid.window(row, self._minutes)
        steady = grid.steady[rows]
        bars = known(np.count_nonzero(steady, axis=0), _LEAST)
        minute = np.where(steady, np.arange(len(steady), dtype=float)[:, None], 0.0)
        # Relative to the last close, so that prices that stand still have no slope at all, not one of rounding errors.
        height = np.where(steady, np.log(grid.close[rows] / grid.close[row]), 0.0)
        along = np.where(steady, minute - minute.sum(axis=0) / bars, 0.0)
        above = np.where(steady, height - height.sum(axis=0) / bars, 0.0)
        spread = (along**2).sum(axis=0)
        slope = (along * above).sum(axis=0) / spread
        unexplained = ((above - slope * along) ** 2).sum(axis=0)
        values = {
            "slope": slope,
            "t_statistic": slope / np.sqrt(unexplained / (bars - 2.0) / spread),
            "r_squared": 1.0 - unexplained / (above**2).sum(axis=0),
            "bars": bars,
        }
        yield Panel("trend", f"{self._minutes}m", values)
