"""Indicators bar by bar against TA-Lib's batch functions and tables of others."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.oracle import indicators_of
from tickstream.core.columns import Floats
from tickstream.processor.domain import catalogue
from tickstream.processor.domain.functions import PAGE
from tickstream.processor.domain.series import Held, Series

KEPT = PAGE
LIMIT = KEPT + PAGE
NAMES = catalogue.usual().names
TABLES = Path(__file__).parents[2] / "data" / "indicators"


def walk(length: int, seed: int = 3, quiet: float = 0.2) -> Floats:
    """Bars of a random walk, some without a trade: open, high, low, close, volume."""
    random = np.random.default_rng(seed)
    bars = np.empty((5, length))
    close = 100.0
    for at in range(length):
        if random.random() < quiet:
            bars[:, at] = (close, close, close, close, 0.0)
            continue
        prices = np.round(close + np.cumsum(random.normal(0, 0.05, 4)), 2)
        bars[:, at] = (prices[0], prices.max(), prices.min(), prices[-1], random.integers(0, 1000))
        close = prices[-1]
    return bars


def closed(series: Series, bars: Floats) -> Floats:
    return np.array([series.close(tuple(bar)) for bar in bars.T.tolist()])


def assert_near(found: Floats, bars: Floats) -> None:
    for name, expected in indicators_of(*bars).items():
        values = found[:, NAMES.index(name)]
        np.testing.assert_array_equal(np.isnan(values), np.isnan(expected), name)
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=name)


def test_every_name_of_the_catalogue_has_a_value() -> None:
    assert {*indicators_of(*walk(100)), "vwap"} == set(NAMES)
    assert not np.isnan(closed(Series(), walk(100))[-1]).any()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 120), st.integers(0, 50))
def test_values_are_those_of_batch_talib(length: int, seed: int) -> None:
    bars = walk(length, seed)
    assert_near(closed(Series(), bars), bars)


def test_values_stay_those_of_batch_talib_when_old_bars_are_let_go() -> None:
    bars = walk(LIMIT + KEPT + 100)
    assert_near(closed(Series(), bars), bars)


@pytest.mark.parametrize("length", [1, 19, 20, 33, 34, 500, LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + KEPT, 3 * KEPT + 5])
def test_a_series_reopened_on_its_kept_bars_goes_on_to_the_bit(length: int) -> None:
    bars = walk(length + 50)
    whole = Series()
    closed(whole, bars[:, :length])
    reopened = Series(held=Held(bars[:, whole.anchor : length], whole.anchor, whole.stands))
    np.testing.assert_array_equal(closed(whole, bars[:, length:]), closed(reopened, bars[:, length:]))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_revised_bars_count_as_if_they_had_come_so_in_the_first_place(data: st.DataObject) -> None:
    final = walk(data.draw(st.integers(1, 40), "warm-up"), 1).T.tolist()
    series = Series()
    found = [series.close(tuple(bar)) for bar in final]
    for seed in range(data.draw(st.integers(1, 6), "revisions")):
        dropped = data.draw(st.integers(0, len(final)), "dropped")
        came = walk(dropped + data.draw(st.integers(0, 30), "more"), seed + 10).T.tolist()
        final[len(final) - dropped :] = came
        found[len(found) - dropped :] = series.revise(dropped, [tuple(bar) for bar in came])
    if final:
        bars = np.array(final).T
        assert_near(np.array(found), bars)
        np.testing.assert_array_equal(np.array(found), closed(Series(), bars))


@pytest.mark.parametrize("kept", [KEPT, KEPT + 300])
@pytest.mark.parametrize(("more", "dropped"), [(-1, 30), (0, 1), (0, 70), (40, 40), (40, 100), (PAGE + 5, 60)])
def test_bars_revised_across_the_point_where_old_ones_are_let_go(kept: int, more: int, dropped: int) -> None:
    bars = walk(kept + PAGE + more + 50)
    first, revised = kept + PAGE + more, kept + PAGE + more - dropped
    changed = bars.copy()
    changed[:, revised:first] = walk(dropped, 99)
    series = Series(kept=kept)
    closed(series, bars[:, :first])
    found = series.revise(dropped, [tuple(bar) for bar in changed[:, revised:first].T.tolist()])
    straight = Series(kept=kept)
    before = closed(straight, changed[:, :first])
    np.testing.assert_allclose(np.array(found), before[revised:], rtol=1e-9, atol=1e-9)
    assert (series.anchor, series.stands) == (straight.anchor, straight.stands)
    np.testing.assert_array_equal(closed(series, changed[:, first:]), closed(straight, changed[:, first:]))
    whole = closed(Series(kept=3 * kept), changed[:, :first])
    np.testing.assert_allclose(before, whole, rtol=1e-9, atol=1e-9)


def test_no_more_bars_are_revised_than_are_kept_and_none_vanish() -> None:
    series = Series()
    closed(series, walk(5))
    with pytest.raises(ValueError, match="at most the 5 bars"):
        series.revise(6, [(1.0, 1.0, 1.0, 1.0, 1.0)] * 6)
    with pytest.raises(ValueError, match="as many or more"):
        series.revise(2, [(1.0, 1.0, 1.0, 1.0, 1.0)])


def test_a_look_at_a_forming_bar_changes_nothing_and_tells_what_closing_would() -> None:
    bars = walk(60)
    series, plain = Series(), Series()
    for bar in map(tuple, bars.T.tolist()):
        series.peek((1.0, 2.0, 0.5, 1.5, 7.0))
        seen, after = series.peek(bar), series.close(bar)
        assert after == pytest.approx(plain.close(bar), nan_ok=True, abs=0)
        known = ~np.isnan(seen)
        np.testing.assert_array_equal(np.array(seen)[known], np.array(after)[known])


def test_flat_bars_without_volume_never_poison_a_series() -> None:
    bars = walk(400, quiet=0.0)
    bars[:, 100:200] = np.array([[50.0], [50.0], [50.0], [50.0], [0.0]])
    found = closed(Series(), bars)
    assert np.isfinite(found[40:]).all()
    assert_near(found, bars)


@pytest.mark.parametrize(
    ("table", "column", "name", "settled", "tolerance"),
    [
        ("spy_bollinger_bands.txt", 6, "bbands_20_2_upper", 0, 1e-4),
        ("spy_bollinger_bands.txt", 5, "bbands_20_2_middle", 0, 1e-4),
        ("spy_bollinger_bands.txt", 7, "bbands_20_2_lower", 0, 1e-4),
        ("spy_with_williamsR14.txt", 5, "willr_14", 0, 1e-3),
        ("spy_with_obv.txt", 6, "obv", 0, 2000.0),  # the table has seven digits
        ("spy_atr_wilder.txt", 5, "atr_14", 150, 1e-5),  # the table begins another way
        ("spy_with_macd.txt", 5, "macd_12_26_9", 0, 1e-5),
        ("spy_with_macd.txt", 6, "macd_12_26_9_signal", 0, 1e-5),
    ],
)
def test_values_are_those_of_a_published_table(
    table: str, column: int, name: str, settled: int, tolerance: float
) -> None:
    with (TABLES / table).open() as file:
        head, *rows = [row for row in csv.reader(file) if row]
    series = Series()
    compared = 0
    for number, row in enumerate(rows):
        volume = float(row[5]) if "Volume" in head[5] else 0.0
        prices = [float(text) for text in row[1:5]]
        found = series.close((prices[0], prices[1], prices[2], prices[3], volume))[NAMES.index(name)]
        if number >= settled and row[column].strip() and not math.isnan(found):
            assert found == pytest.approx(float(row[column]), abs=tolerance)
            compared += 1
    assert compared > 150
