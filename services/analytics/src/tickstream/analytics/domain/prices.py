"""The newest price of each symbol, for those who only want to know where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tickstream.core.columns import TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS


@dataclass(frozen=True, slots=True)
class LastTrade:
    """A symbol's newest trade of a batch by event time; `first_price` is that of its oldest one."""

    symbol: str
    price: float
    volume: float
    ts_event: int
    first_price: float


def last_trades(ticks: TickColumns) -> list[LastTrade]:
    """Each symbol's newest trade of a batch; of equally new ones the last, suspicious prints aside."""
    ticks = ticks.take((ticks.flags & FLAG_SUSPICIOUS) == 0)
    order = np.lexsort((np.arange(len(ticks)), ticks.ts_event, ticks.symbol.codes))
    bounds = np.flatnonzero(np.diff(ticks.symbol.codes[order])) + 1
    return [
        LastTrade(
            ticks.symbol.values[ticks.symbol.codes[rows[-1]]],
            float(ticks.price[rows[-1]]),
            float(ticks.volume[rows[-1]]),
            int(ticks.ts_event[rows[-1]]),
            float(ticks.price[rows[0]]),
        )
        for rows in np.split(order, bounds)
        if len(rows)
    ]
