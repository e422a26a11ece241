"""Prices that a symbol turned at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tickstream.analytics.domain.grid import Bools, Grid
from tickstream.analytics.domain.study import Panel
from tickstream.core.columns import Floats

REACH: Final = 5
"""A swing's high is above those of so many bars before, and not below those of as many after."""
TOLERANCE: Final = 0.001
"""Swings this close to a level, as a part of its price, belong to it."""
MOST: Final = 16
"""Levels that are kept of a symbol."""

_LATER: Final = 10_000
"""More than any row's number."""


@dataclass(frozen=True, slots=True)
class Swings:
    """What the day's bars so far have left.

    Attributes:
        highs: of the last bars, [2 REACH + 1, symbols], the newest last; `lows` likewise.
        price: of the levels, [MOST, symbols], NaN where there is none: the mean of its swings.
        touches: how many swings each level has.
        seen: the row in which the last of them was confirmed.
    """

    highs: Floats
    lows: Floats
    price: Floats
    touches: Floats
    seen: Floats


class Levels:
    """Support and resistance: swings, gathered to levels one after the other (leader clustering)."""

    def begin(self, grid: Grid, _past: Sequence[Grid]) -> Swings:
        """No bar, no level."""
        width = len(grid.symbols)
        bars, levels = np.full((2 * REACH + 1, width), np.nan), np.zeros((MOST, width))
        return Swings(bars, bars, np.full((MOST, width), np.nan), levels, levels)

    def step(self, state: Swings, grid: Grid, row: int) -> Swings:
        """A bar more; one that makes the bar `REACH` before it a swing gives or moves a level."""
        steady = grid.steady[row]
        highs, lows = _shift(state.highs, grid.high[row], steady), _shift(state.lows, grid.low[row], steady)
        state = replace(state, highs=highs, lows=lows)
        for swing, price in ((_is_peak(highs), highs[REACH]), (_is_peak(-lows), lows[REACH])):
            chosen = np.flatnonzero(swing & steady)
            if len(chosen):
                state = _touch(state, chosen, price[chosen], row)
        return state

    def figures(self, state: Swings, grid: Grid, row: int) -> Iterator[Panel]:
        """`levels`."""
        close, price = grid.close[row], state.price
        support = np.fmax.reduce(np.where(price <= close, price, np.nan), axis=0)
        resistance = np.fmin.reduce(np.where(price > close, price, np.nan), axis=0)
        values = {
            "support": support,
            "support_touches": _touches(state, support),
            "resistance": resistance,
            "resistance_touches": _touches(state, resistance),
            "levels": np.count_nonzero(~np.isnan(price), axis=0).astype(float),
        }
        yield Panel("levels", "1d", values)


def _shift(bars: Floats, newest: Floats, steady: Bools) -> Floats:
    return np.where(steady, np.vstack([bars[1:], newest]), bars)


def _is_peak(bars: Floats) -> Bools:
    middle = bars[REACH]
    peak: Bools = np.all(bars[:REACH] < middle, axis=0) & np.all(bars[REACH + 1 :] <= middle, axis=0)
    return peak


def _touch(state: Swings, chosen: np.ndarray[tuple[int], np.dtype[np.intp]], at: Floats, row: int) -> Swings:
    """Swings of some columns, one each: to the nearest level, or a new one in place of the weakest."""
    price, touches, seen = state.price.copy(), state.touches.copy(), state.seen.copy()
    apart = np.nan_to_num(np.abs(price[:, chosen] / at - 1.0), nan=np.inf)
    nearest, weakest = apart.argmin(axis=0), (touches * _LATER + seen)[:, chosen].argmin(axis=0)
    near = apart.min(axis=0) <= TOLERANCE
    level = np.where(near, nearest, weakest)
    before = np.where(near, touches[level, chosen], 0.0)
    price[level, chosen] = (np.where(near, price[level, chosen], 0.0) * before + at) / (before + 1.0)
    touches[level, chosen] = before + 1.0
    seen[level, chosen] = row
    return replace(state, price=price, touches=touches, seen=seen)


def _touches(state: Swings, price: Floats) -> Floats:
    found = np.where(state.price == price, state.touches, 0.0).max(axis=0)
    return np.where(np.isnan(price), np.nan, found)
