"""The lowest and the highest price within a sliding window of event time, exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tickstream.core.columns import Floats, Ints

_NO_TIMES = np.empty(0, dtype=np.int64)
_NO_PRICES = np.empty(0, dtype=np.float64)


@dataclass(slots=True)
class SlidingLow:
    """The lowest value within (t - span, t].

    What is kept are the values that can still become the lowest one, those below everything
    after them: for prices on a grid never more than the distinct prices of the window.

    Args:
        span: length of the window, nanoseconds.
        ts, values: what is kept.
    """

    span: int
    ts: Ints = field(default_factory=lambda: _NO_TIMES)
    values: Floats = field(default_factory=lambda: _NO_PRICES)

    def extend(self, ts: Ints, values: Floats) -> Floats:
        """Take a batch in ascending order of time, and give the lowest value at each of its times."""
        all_ts, all_values = np.concatenate([self.ts, ts]), np.concatenate([self.values, values])
        ends = np.arange(len(self.ts), len(all_ts))
        starts = np.searchsorted(all_ts, ts - self.span, side="right")
        lows = _range_minima(all_values, starts, ends)
        self._keep(all_ts, all_values)
        return lows

    def _keep(self, ts: Ints, values: Floats) -> None:
        lowest_after = np.minimum.accumulate(values[::-1])[::-1]
        useful = np.append(values[:-1] < lowest_after[1:], True) & (ts > ts[-1] - self.span)
        self.ts, self.values = ts[useful], values[useful]


def _range_minima(values: Floats, starts: Ints, ends: Ints) -> Floats:
    """The minimum of `values[start : end + 1]` for each pair, by a sparse table."""
    widths = ends - starts + 1
    levels = np.floor(np.log2(widths)).astype(np.int64)
    result = np.empty(len(starts))
    table = values
    for level in range(int(levels.max(initial=0)) + 1):
        rows = np.flatnonzero(levels == level)
        result[rows] = np.minimum(table[starts[rows]], table[ends[rows] - (1 << level) + 1])
        table = np.minimum(table[: -(1 << level) or None], table[1 << level :])
    return result


@dataclass(slots=True)
class PriceWindow:
    """The lowest and the highest price within (t - span, t]."""

    span: int
    _low: SlidingLow = field(init=False)
    _negated_high: SlidingLow = field(init=False)

    def __post_init__(self) -> None:
        self._low, self._negated_high = SlidingLow(self.span), SlidingLow(self.span)

    def extend(self, ts: Ints, prices: Floats) -> tuple[Floats, Floats]:
        """Take a batch in ascending order of time, and give both extremes at each of its times."""
        return self._low.extend(ts, prices), -self._negated_high.extend(ts, -prices)

    def dump(self) -> dict[str, list[float]]:
        """What `load` needs to go on from here."""
        return {
            "low_ts": self._low.ts.tolist(),
            "lows": self._low.values.tolist(),
            "high_ts": self._negated_high.ts.tolist(),
            "highs": (-self._negated_high.values).tolist(),
        }

    @classmethod
    def load(cls, span: int, dumped: dict[str, list[float]]) -> PriceWindow:
        """The window that was dumped."""
        window = cls(span)
        window._low = SlidingLow(
            span, np.array(dumped["low_ts"], dtype=np.int64), np.array(dumped["lows"], dtype=float)
        )
        highs = -np.array(dumped["highs"], dtype=float)
        window._negated_high = SlidingLow(span, np.array(dumped["high_ts"], dtype=np.int64), highs)
        return window
