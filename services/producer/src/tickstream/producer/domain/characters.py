"""How the prices of simulated symbols behave."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Character:
    """The behaviour of one symbol.

    Attributes:
        price: where it starts, in dollars.
        drift: expected growth a trading year, as a logarithm: 0.07 is 7 %.
        volatility: standard deviation of the logarithmic return over a trading year, jumps aside.
        market: correlation with the market's common movement, from -1 to 1; two symbols correlate
            by the product of theirs.
        jumps: expected number of jumps a trading day.
        jump: standard deviation of a jump, as a logarithm.
        interval: mean seconds between two trades; they lie between a third and five thirds of it.
        size: mean volume of a trade over a day.
        tick: the smallest step of the price, in dollars.
    """

    price: float
    drift: float = 0.05
    volatility: float = 0.25
    market: float = 0.5
    jumps: float = 0.2
    jump: float = 0.01
    interval: float = 3.0
    size: float = 200.0
    tick: float = 0.01


KNOWN: Final[Mapping[str, Character]] = MappingProxyType(
    {
        "SPY": Character(560.0, 0.07, 0.15, 0.95, 0.02, 0.004, size=400.0),
        "QQQ": Character(480.0, 0.09, 0.20, 0.92, 0.03, 0.005, size=300.0),
        "AAPL": Character(225.0, 0.08, 0.26, 0.75, 0.1, 0.01),
        "MSFT": Character(430.0, 0.08, 0.23, 0.78, 0.08, 0.009),
        "NVDA": Character(130.0, 0.15, 0.52, 0.70, 0.4, 0.018, size=500.0),
        "TSLA": Character(250.0, 0.10, 0.60, 0.55, 0.6, 0.022, size=350.0),
        "AMZN": Character(190.0, 0.09, 0.30, 0.70, 0.15, 0.012),
        "JPM": Character(215.0, 0.06, 0.22, 0.65, 0.06, 0.008),
        "XOM": Character(117.0, 0.04, 0.24, 0.45, 0.08, 0.009),
        "KO": Character(70.0, 0.04, 0.13, 0.40, 0.03, 0.005),
        "BAC": Character(40.0, 0.05, 0.28, 0.62, 0.08, 0.009, size=800.0),
        "GE": Character(170.0, 0.06, 0.29, 0.58, 0.1, 0.010),
    }
)
"""The symbols that are simulated when none are named."""


def character_of(symbol: str) -> Character:
    """A symbol's own behaviour, or one that its name makes up: always the same."""
    known = KNOWN.get(symbol)
    if known is not None:
        return known
    dice = zlib.crc32(symbol.encode())
    price, volatility, market = dice % 1000, dice // 1000 % 1000, dice // 1_000_000 % 1000
    return Character(
        price=round(10.0 * 50.0 ** (price / 1000), 2),
        volatility=0.15 + 0.45 * volatility / 1000,
        market=0.2 + 0.6 * market / 1000,
    )
