from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.records import BARS
from tickstream.core.codec import Codecs
from tickstream.core.columns import BarColumns, Strings
from tickstream.core.errors import BadRecordError
from tickstream.core.model import Bar, IndicatorSet

CODECS = Codecs()
ENOUGH = 40
"""As many records are encoded in columns, not one by one."""
BAR = Bar("SPY", "1m", 0, 60, 1.0, 2.0, 0.5, 1.5, 10.0, 1.2, 3, "closed", 0, "traded", "regular")


@settings(deadline=None)
@given(st.lists(BARS, max_size=40))
def test_bars_by_the_batch_are_the_bytes_of_bars_one_by_one(bars: list[Bar]) -> None:
    for batch in (bars, bars + [BAR] * ENOUGH):
        columns = BarColumns.of(batch)
        assert columns.to_bars() == batch
        assert CODECS.of(Bar).encode_columns(columns) == CODECS.of(Bar).encode_many(batch)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vwap": float("nan")}, "vwap must be finite, was nan"),
        ({"high": float("inf")}, "high must be finite, was inf"),
        ({"trades": -1}, "trades must not be negative, was -1"),
        ({"revision": -1}, "revision must not be negative, was -1"),
        ({"revision": 2**31}, "revision must fit in 32 bits, was 2147483648"),
        ({"symbol": "x" * 65}, "symbol must be at most 64 bytes long, was 65"),
    ],
)
def test_bars_that_break_a_rule_are_not_written(change: dict[str, object], reason: str) -> None:
    bad = dataclasses.replace(BAR, **change)  # type: ignore[arg-type] # wrong on purpose
    for bars in ([BAR, bad], [BAR] * ENOUGH + [bad]):
        with pytest.raises(BadRecordError, match=reason):
            CODECS.of(Bar).encode_columns(BarColumns.of(bars))


def test_chosen_bars_keep_their_order() -> None:
    bars = [dataclasses.replace(BAR, symbol=symbol) for symbol in "ABCD"]
    columns = BarColumns.of(bars)
    assert columns.take(np.array([3, 1])).to_bars() == [bars[3], bars[1]]
    assert columns.take(np.array([True, False, False, True])).to_bars() == [bars[0], bars[3]]


FIGURE = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=70), unique=True, max_size=12)


@st.composite
def figures(draw: st.DrawFn) -> tuple[list[str], list[list[float]]]:
    names = draw(NAMES)
    return names, draw(st.lists(st.lists(FIGURE, min_size=len(names), max_size=len(names)), max_size=20))


@settings(deadline=None)
@given(figures())
@example((["sma_20", "obv"], [[1.0, float("nan")], [float("nan")] * 2, [-0.0, 5e-324]]))
@example(([f"i{index}" for index in range(70)], [[1.0] * 70, [float("nan")] * 70]))
def test_indicators_by_the_batch_are_the_bytes_of_indicators_one_by_one(
    drawn: tuple[list[str], list[list[float]]],
) -> None:
    names, rows = drawn
    count = len(rows)
    bars = [dataclasses.replace(BAR, symbol=f"S{row % 3}", start=row * 2**40, revision=row) for row in range(count)]
    columns = BarColumns.of(bars)
    values = np.array(rows, dtype=np.float64).reshape(count, len(names))
    written = CODECS.of(IndicatorSet).encode_rows(
        columns.symbol, columns.interval, columns.start, columns.end, columns.state, columns.revision, names, values
    )
    expected = [
        IndicatorSet(
            symbol=bar.symbol,
            interval=bar.interval,
            start=bar.start,
            end=bar.end,
            state=bar.state,
            revision=bar.revision,
            values={name: value for name, value in zip(names, row, strict=True) if not np.isnan(value)},
            warming=tuple(name for name, value in zip(names, row, strict=True) if np.isnan(value)),
        )
        for bar, row in zip(bars, rows, strict=True)
    ]
    assert written == CODECS.of(IndicatorSet).encode_many(expected)


@pytest.mark.parametrize(
    ("revision", "name", "reason"),
    [
        (-1, "x", "revision must not be negative, was -1"),
        (2**31, "x", "revision must fit in 32 bits, was 2147483648"),
        (0, "x" * 257, "an item of warming must be at most 256 bytes long, was 257"),
    ],
)
def test_indicators_that_break_a_rule_are_not_written(revision: int, name: str, reason: str) -> None:
    with pytest.raises(BadRecordError, match=reason):
        CODECS.of(IndicatorSet).encode_rows(
            Strings.of(["A"]),
            Strings.of(["1m"]),
            np.array([0]),
            np.array([60]),
            Strings.of(["closed"]),
            np.array([revision]),
            [name],
            np.array([[1.0]]),
        )
