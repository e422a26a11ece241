"""Trades of a batch in the orders in which they are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints, TickColumns
from tickstream.processor.domain.arrays import sorted_rows
from tickstream.processor.domain.windows import Codes

_COARSE: Final = 1024.0
_LARGEST: Final = 1e290


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades to be counted, sorted by symbol, then event time, then arrival.

    Attributes:
        arrival: the rows in an order in which each symbol's come as they arrived; None when they do already.
        counted: for each interval in use which trades count in it; None when all do.
    """

    symbol: Codes
    ts: Ints
    price: Floats
    volume: Floats
    arrival: NDArray[np.intp] | None = None
    counted: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def sums(self) -> Floats:
        """What each trade adds to a window's sums: 3 x n; nothing so large that sums would overflow."""
        volume = np.minimum(self.volume, _LARGEST)
        with np.errstate(over="ignore"):
            value = np.minimum(self.price * volume, _LARGEST)
        coarse = np.rint(value * _COARSE) / _COARSE
        return np.stack((volume, coarse, value - coarse))


def by_pair(symbols: Codes, sources: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Rows in a stable order by symbol and source, where each pair begins, whether a symbol has several."""
    order = sorted_rows(symbols)
    by_symbol, by_source = symbols[order], sources[order]
    other_symbol = by_symbol[1:] != by_symbol[:-1]
    other_source = by_source[1:] != by_source[:-1]
    mixed = bool((other_source & ~other_symbol).any())
    if mixed:
        order = np.lexsort((sources, symbols))
        by_symbol, by_source = symbols[order], sources[order]
        other_symbol = by_symbol[1:] != by_symbol[:-1]
        other_source = by_source[1:] != by_source[:-1]
    return order, np.concatenate(([0], np.flatnonzero(other_symbol | other_source) + 1)), mixed


def by_time(ticks: TickColumns, symbols: Codes, rows: NDArray[np.intp], taken: NDArray[np.bool_] | None) -> Trades:
    """Rows of a batch, which are sorted by symbol and arrival, as windows take them."""
    symbol, ts = symbols[rows], ticks.ts_event[rows]
    arrival = None
    if ((ts[1:] < ts[:-1]) & (symbol[1:] == symbol[:-1])).any():
        by_time = np.lexsort((rows, ts, symbol))
        arrival = np.argsort(by_time)
        rows, ts = rows[by_time], ts[by_time]
    counted = None if taken is None else taken[:, rows]
    return Trades(symbol, ts, ticks.price[rows], ticks.volume[rows], arrival, counted)


def by_arrival(ticks: TickColumns, symbols: Codes, rows: NDArray[np.intp]) -> Trades:
    """The same rows as counted bars take them."""
    return Trades(symbols[rows], ticks.ts_event[rows], ticks.price[rows], ticks.volume[rows])
