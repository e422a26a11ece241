"""One symbol's closed one-minute bars of one trading day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

import numpy as np

from tickstream.core.columns import Floats
from tickstream.core.model import Bar

_STEADY = frozenset({"regular", "continuous"})
"""The sessions whose returns count for volatility."""


@dataclass(slots=True)
class DaySeries:
    """Bars in the order of their ends; a later revision takes the place of its bar.

    Attributes:
        first_price: the open of the first bar.
    """

    _bars: list[Bar] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)

    def put(self, bar: Bar) -> bool:
        """Add a bar, or the revision of one; says whether anything has changed."""
        at = bisect_left(self._ends, bar.end)
        if at < len(self._ends) and self._ends[at] == bar.end:
            if self._bars[at].revision >= bar.revision:
                return False
            self._bars[at] = bar
        else:
            self._ends.insert(at, bar.end)
            self._bars.insert(at, bar)
        return True

    @property
    def first_price(self) -> float:
        """The open of the day's first bar."""
        return self._bars[0].open

    @property
    def last_price(self) -> float:
        """The close of the day's last bar."""
        return self._bars[-1].close

    @property
    def is_continuous(self) -> bool:
        """Whether the symbol trades round the clock."""
        return self._bars[-1].session == "continuous"

    def price_at(self, ts: int) -> float | None:
        """The close of the last bar that had ended by `ts`."""
        at = bisect_right(self._ends, ts)
        return self._bars[at - 1].close if at else None

    def volume_through(self, ts: int) -> float:
        """The day's volume in bars that had ended by `ts`."""
        return float(sum(bar.volume for bar in self._bars[: bisect_right(self._ends, ts)]))

    def ends_at(self, ts: int) -> bool:
        """Whether a bar whose returns count ended at `ts`."""
        at = bisect_left(self._ends, ts)
        return at < len(self._ends) and self._ends[at] == ts and self._bars[at].session in _STEADY

    def returns(self, ts: int, span: int | None) -> Floats:
        """Log returns from close to close of the bars that ended in (ts - span, ts].

        Only bars of the regular or the continuous session count, and the day's first one has no
        return. A span of None is the whole day.
        """
        closes: list[float] = []
        counted = 0
        for at in range(bisect_right(self._ends, ts) - 1, -1, -1):
            bar = self._bars[at]
            if bar.session not in _STEADY:
                continue
            closes.append(bar.close)
            if span is not None and bar.end <= ts - span:
                break
            counted += 1
        return np.diff(np.log(closes[::-1]))[-counted:] if counted else np.empty(0)
