"""At which prices a symbol was traded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel, Stateless
from tickstream.core.columns import Floats, Ints

BINS: Final = 50
VALUE_AREA: Final = 0.7
"""The part of the volume that the value area holds."""


class VolumeProfile(Stateless):
    """The day's volume by price: each bar's at its vwap, in bins between the lowest vwap and the highest."""

    def figures(self, _state: None, grid: Grid, row: int) -> Iterator[Panel]:
        """`volume_profile`."""
        today = slice(0, row + 1)
        rows, columns = np.nonzero(grid.steady[today] & (grid.volume[today] > 0.0))
        vwap, volume = grid.vwap[rows, columns], grid.volume[rows, columns]
        low, high = np.full(len(grid.symbols), np.inf), np.full(len(grid.symbols), -np.inf)
        np.minimum.at(low, columns, vwap)
        np.maximum.at(high, columns, vwap)
        width = np.where(high > low, (high - low) / BINS, np.nan)
        bins = np.nan_to_num(np.floor((vwap - low[columns]) / width[columns])).clip(0, BINS - 1).astype(np.int64)
        shape = (len(grid.symbols), BINS)
        counted: Floats = np.bincount(columns * BINS + bins, volume, shape[0] * shape[1]).astype(np.float64)
        profile = counted.reshape(shape)
        first, last = _value_area(profile)
        size, total = np.nan_to_num(width), profile.sum(axis=1)
        centre = np.where(size > 0.0, profile.argmax(axis=1) + 0.5, 0.0)
        values = {
            "point_of_control": low + centre * size,
            "value_area_low": low + first * size,
            "value_area_high": np.where(size > 0.0, low + (last + 1) * size, low),
            "volume": np.where(total > 0.0, total, np.nan),
        }
        yield Panel("volume_profile", "1d", values)


def _value_area(profile: Floats) -> tuple[Ints, Ints]:
    """The first and the last bin of each symbol's value area.

    It begins with the bin of the largest volume, and takes in the larger of its two neighbours, the upper
    one of equals, until it holds enough.
    """
    every = np.arange(len(profile))
    walled = np.pad(profile, ((0, 0), (1, 1)), constant_values=-1.0)
    first = last = profile.argmax(axis=1)
    inside, wanted = profile.max(axis=1), VALUE_AREA * profile.sum(axis=1)
    for _ in range(profile.shape[1] - 1):
        short = inside < wanted
        if not short.any():
            break
        below, above = walled[every, first], walled[every, last + 2]
        up = short & (above >= below)
        down = short & ~up
        inside = inside + np.where(up, above, 0.0) + np.where(down, below, 0.0)
        first, last = first - down, last + up
    return first, last
