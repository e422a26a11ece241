"""The choppiness index of E. W. Dreiss: near 100 a market goes sideways, near 0 straight up or down.

100 x log10(sum of true ranges / (highest high - lowest low)) / log10(n), over n bars
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Choppiness:
    """The index over `n` bars: `choppiness:14`."""

    n: int = 14
    inputs: ClassVar = ("high", "low", "close")
    outputs: ClassVar = ("",)

    def __post_init__(self) -> None:
        if not isinstance(self.n, int) or not 2 <= self.n <= 1000:
            raise ValueError(f"n must be a whole number from 2 to 1000, was {self.n}")

    @property
    def lookback(self) -> int:
        """The true range of the first bar takes the close before it."""
        return self.n

    @property
    def memory(self) -> int:
        """It looks at no bars before those."""
        return self.n + 1

    def compute(self, high: NDArray[np.float64], low: NDArray[np.float64], close: NDArray[np.float64]) -> list[float]:
        """The index at the last bar; none where the market didn't move."""
        ranges = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
        span = high[1:].max() - low[1:].min()
        return [100 * math.log10(ranges.sum() / span) / math.log10(self.n) if span else math.nan]
