from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.alerting.domain.windows import PriceWindow

SERIES = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 30)), min_size=1, max_size=80)


@given(SERIES, st.integers(1, 20), st.integers(1, 30))
def test_extremes_are_those_of_the_trades_within_the_span(steps: list[tuple[int, int]], span: int, batch: int) -> None:
    ts = np.cumsum([gap for gap, _ in steps]).astype(np.int64)
    prices = np.array([price for _, price in steps], dtype=float)
    window = PriceWindow(span)
    for start in range(0, len(ts), batch):
        chosen = slice(start, start + batch)
        lows, highs = window.extend(ts[chosen], prices[chosen])
        window = PriceWindow.load(span, json.loads(json.dumps(window.dump())))
        for offset, row in enumerate(range(start, min(start + batch, len(ts)))):
            inside = prices[: row + 1][ts[: row + 1] > ts[row] - span]
            assert (lows[offset], highs[offset]) == (inside.min(), inside.max())


def test_what_is_kept_is_bounded_by_the_distinct_prices() -> None:
    rng = np.random.default_rng(1)
    window = PriceWindow(10**12)
    ts = np.arange(50_000, dtype=np.int64)
    prices = np.round(100 + np.cumsum(rng.normal(0, 0.01, 50_000)), 2)
    window.extend(ts, prices)
    assert len(window.dump()["lows"]) + len(window.dump()["highs"]) <= len(np.unique(prices)) + 1
