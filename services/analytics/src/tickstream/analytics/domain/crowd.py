"""Figures of many symbols together: the market, or a group."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tickstream.analytics.domain.grid import Bools, Grid
from tickstream.core.columns import Floats
from tickstream.core.model import AnalyticsFigure

TOP: Final = 10
"""How many symbols a list of movers names."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the symbols stand within the trading day; each array is [symbols], NaN where nothing is known.

    Attributes:
        members: those that count.
        days: how many earlier days are known.
        past_high: of those days' trades; `past_low` likewise.
        reference: the last close of the trading day before, or else the day's first price.
        volume: of the day so far; `value` likewise, volume times price.
        high: of the day's trades so far; `low` likewise.
        rose: whether the last row had a new high of the day; `sank` likewise a new low.
    """

    members: Bools
    days: int
    past_high: Floats
    past_low: Floats
    reference: Floats
    price: Floats
    volume: Floats
    value: Floats
    high: Floats
    low: Floats
    rose: Bools
    sank: Bools


class Crowd:
    """Movers, breadth, new highs and lows, and the return of all together.

    Args:
        scope: of the figures.
        history: how many earlier days new highs and lows are compared with.
        members: the symbols, or None for all.
    """

    def __init__(self, scope: str, history: int, members: Collection[str] | None = None) -> None:
        self._scope = scope
        self._history = history
        self._members = None if members is None else frozenset(members)

    def begin(self, grid: Grid, past: Sequence[Grid]) -> Standing:
        """What the days before say."""
        unknown, none = np.full(len(grid.symbols), np.nan), np.zeros(len(grid.symbols))
        reference = past_high = past_low = unknown
        for earlier in past:
            last = earlier.last_rows(earlier.rows, earlier.revision >= 0)
            reference = np.where(last >= 0, earlier.close[last, np.arange(len(last))], reference)
            traded = earlier.trades > 0
            past_high = np.fmax(past_high, np.fmax.reduce(np.where(traded, earlier.high, np.nan), axis=0))
            past_low = np.fmin(past_low, np.fmin.reduce(np.where(traded, earlier.low, np.nan), axis=0))
        members = np.array([self._members is None or symbol in self._members for symbol in grid.symbols], dtype=bool)
        no = np.zeros(len(grid.symbols), dtype=bool)
        return Standing(
            members, len(past), past_high, past_low, reference, unknown, none, none, unknown, unknown, no, no
        )

    def step(self, state: Standing, grid: Grid, row: int) -> Standing:
        """The standing a minute later."""
        here, traded = grid.revision[row] >= 0, grid.trades[row] > 0
        high, low = np.where(traded, grid.high[row], np.nan), np.where(traded, grid.low[row], np.nan)
        volume = np.nan_to_num(grid.volume[row])
        return replace(
            state,
            reference=np.where(here & np.isnan(state.reference), grid.open[row], state.reference),
            price=np.where(here, grid.close[row], state.price),
            volume=state.volume + volume,
            value=state.value + volume * np.nan_to_num(grid.vwap[row]),
            high=np.fmax(state.high, high),
            low=np.fmin(state.low, low),
            rose=high > state.high,
            sank=low < state.low,
        )

    def figures(self, state: Standing, grid: Grid, row: int) -> Iterator[AnalyticsFigure]:
        """`gainers`, `losers`, `most_active`, `breadth`, `highs_lows` and `returns`."""
        known = np.flatnonzero(state.members & ~np.isnan(state.price))
        if not len(known):
            return
        ts, symbols = grid.end(row), [grid.symbols[column] for column in known.tolist()]
        price, reference = state.price[known], state.reference[known]
        volume, change = state.volume[known], (price / reference - 1.0) * 100.0
        rising, falling = price > reference, price < reference
        day = {
            "gainers": _top(symbols, np.where(rising, change, np.nan), largest=True),
            "losers": _top(symbols, np.where(falling, change, np.nan), largest=False),
            "most_active": _top(symbols, np.where(volume > 0, volume, np.nan), largest=True),
            "breadth": _breadth(rising, falling, volume),
            "returns": _returns(change, state.value[known]),
            "highs_lows": _count(new_highs=state.rose[known], new_lows=state.sank[known]),
        }
        for name, values in day.items():
            finite = {key: value for key, value in values.items() if math.isfinite(value)}
            yield AnalyticsFigure(self._scope, name, ts, "1d", finite)
        if state.days:
            highs, lows = state.high > state.past_high, state.low < state.past_low
            values = _count(new_highs=highs[known], new_lows=lows[known]) | {"days": float(state.days)}
            yield AnalyticsFigure(self._scope, "highs_lows", ts, f"{self._history}d", values)


def _top(symbols: Sequence[str], values: Floats, *, largest: bool) -> dict[str, float]:
    order = np.argsort(-values if largest else values, kind="stable")[:TOP]
    return {symbols[at]: float(values[at]) for at in order.tolist() if not math.isnan(values[at])}


def _count(**chosen: Bools) -> dict[str, float]:
    return {name: float(np.count_nonzero(which)) for name, which in chosen.items()}


def _breadth(rising: Bools, falling: Bools, volume: Floats) -> dict[str, float]:
    still = ~(rising | falling)
    counts = _count(advancers=rising, decliners=falling, unchanged=still)
    volumes = {
        "up_volume": float(volume[rising].sum()),
        "down_volume": float(volume[falling].sum()),
        "unchanged_volume": float(volume[still].sum()),
    }
    net = {"net_advances": counts["advancers"] - counts["decliners"]}
    ratio = {"advance_decline_ratio": counts["advancers"] / counts["decliners"]} if counts["decliners"] else {}
    return counts | volumes | net | ratio


def _returns(change: Floats, value: Floats) -> Mapping[str, float]:
    total = value.sum()
    weighted = {"volume_weighted": float((change * value).sum() / total)} if total > 0 else {}
    return {"equal_weighted": float(change.mean()), "symbols": float(len(change))} | weighted
