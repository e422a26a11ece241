"""The figures' definitions; docs/analytics.md has the formulas with their sources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Floats

TOP: Final = 10
"""How many symbols a list of movers names."""

REGULAR_MINUTES_A_YEAR: Final = 252 * 390
CONTINUOUS_MINUTES_A_YEAR: Final = 365 * 1440


@dataclass(frozen=True, slots=True)
class Quote:
    """Where a symbol stands within its trading day.

    Attributes:
        reference: the previous trading day's last close, or else the day's first price.
        volume: of the day so far.
    """

    symbol: str
    price: float
    reference: float
    volume: float

    @property
    def change(self) -> float:
        """Price against reference, in the price's currency."""
        return self.price - self.reference

    @property
    def change_pct(self) -> float:
        """Price against reference, in percent."""
        return (self.price / self.reference - 1.0) * 100.0


def gainers(quotes: Iterable[Quote]) -> Mapping[str, float]:
    """Those that have risen, in percent, the largest rise first."""
    return _top(((quote.symbol, quote.change_pct) for quote in quotes if quote.change > 0), largest=True)


def losers(quotes: Iterable[Quote]) -> Mapping[str, float]:
    """Those that have fallen, in percent, the largest fall first."""
    return _top(((quote.symbol, quote.change_pct) for quote in quotes if quote.change < 0), largest=False)


def most_active(quotes: Iterable[Quote]) -> Mapping[str, float]:
    """Those with the largest volume of the day so far."""
    return _top(((quote.symbol, quote.volume) for quote in quotes if quote.volume > 0), largest=True)


def _top(pairs: Iterable[tuple[str, float]], *, largest: bool) -> Mapping[str, float]:
    return dict(sorted(pairs, key=lambda pair: (-pair[1] if largest else pair[1], pair[0]))[:TOP])


def breadth(quotes: Iterable[Quote]) -> Mapping[str, float]:
    """How many symbols have risen, fallen or done neither, and the day's volume of each group."""
    counts = {"advancers": 0.0, "decliners": 0.0, "unchanged": 0.0}
    volumes = {"up_volume": 0.0, "down_volume": 0.0, "unchanged_volume": 0.0}
    for quote in quotes:
        group = 0 if quote.change > 0 else 1 if quote.change < 0 else 2
        counts[tuple(counts)[group]] += 1
        volumes[tuple(volumes)[group]] += quote.volume
    return counts | volumes


def realised_volatility(returns: Floats, minutes_a_year: int) -> Mapping[str, float]:
    """Of one-minute log returns: their sum of squares, its root, and that root for a year.

    Args:
        returns: one at least.
        minutes_a_year: of trading.
    """
    variance = float(np.sum(returns**2))
    return {
        "variance": variance,
        "volatility": math.sqrt(variance),
        "annualised": math.sqrt(variance * minutes_a_year / len(returns)),
        "returns": float(len(returns)),
    }
