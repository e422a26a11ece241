"""Any function of TA-Lib by its entry: names, values, warming, refusals, and another list after a restart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from talib import abstract as abstract_api

from tickstream.core.columns import Floats
from tickstream.processor.domain.catalogue import ENTRIES, Catalogue, usual
from tickstream.processor.domain.functions import PAGE
from tickstream.processor.domain.series import Held, Series

abstract: Any = abstract_api
PRICES = ("open", "high", "low", "close", "volume")
NONE_OF_BARS = {"add", "beta", "correl", "div", "mult", "sub", "mavp", "maxindex", "minindex", "minmaxindex", "vwap"}
EVERY = [name.lower() for name in abstract.__TA_FUNCTION_NAMES__ if name.lower() not in NONE_OF_BARS]
CONTRACT = (
    "sma_20 ema_20 rsi_14 macd_12_26_9 macd_12_26_9_signal macd_12_26_9_hist bbands_20_2_upper bbands_20_2_middle "
    "bbands_20_2_lower atr_14 adx_14 stoch_14_3_3_k stoch_14_3_3_d cci_20 roc_10 willr_14 mfi_14 obv vwap"
)


def market(length: int, seed: int, quiet: float = 0.2, flat: int = 50) -> Floats:
    """A random walk with quiet bars, bars without volume, bars without a range and a flat stretch."""
    random = np.random.default_rng(seed)
    steps = np.round(random.normal(0, 0.05, (length, 4)), 2)
    still = random.random(length) < quiet
    still[length // 2 : length // 2 + flat] = True
    steps[still | (random.random(length) < 0.1), :] = 0
    prices = 100 + np.cumsum(steps.ravel()).reshape(length, 4)
    prices[still] = prices[still, -1:]
    volume = np.where(still | (random.random(length) < 0.1), 0.0, random.integers(1, 1000, length))
    return np.array([prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], volume])


def of(*entries: str, **given: Any) -> Catalogue:
    return Catalogue.of(entries, {}, **given)


def closed(series: Series, bars: Floats) -> Floats:
    return np.array([series.close(tuple(bar)) for bar in bars.T.tolist()])


def batch(name: str, bars: Floats, *given: float) -> list[Floats]:
    """TA-Lib's own answer over whole series, NaN where there is no full history or no finite value."""
    function = abstract.Function(name.upper())
    keys = sorted(function.parameters, key=lambda key: "matype" in key)
    parameters = dict(zip(keys, given, strict=False))
    found = function(dict(zip(PRICES, bars, strict=True)), **parameters)
    outputs = [
        np.asarray(output, dtype=np.float64).copy() for output in (found if isinstance(found, list) else [found])
    ]
    for output in outputs:
        output[: function.lookback] = np.nan
        output[~np.isfinite(output)] = np.nan
    return outputs


def assert_batch(catalogue: Catalogue, entries: list[str], found: Floats, bars: Floats) -> None:
    names = iter(catalogue.names)
    column = 0
    for entry in entries:
        name, *given = entry.split(":")
        for expected in batch(name, bars, *(float(text) if "." in text else int(text) for text in given)):
            values, label = found[:, column], f"{entry} as {next(names)}"
            np.testing.assert_array_equal(np.isnan(values), np.isnan(expected), label)
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=label)
            column += 1
    assert column == found.shape[1]


def test_the_usual_names_are_those_of_the_contract() -> None:
    assert usual().names == tuple(CONTRACT.split())
    assert usual().plan("1m").kept == PAGE


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3, 0.9]))
def test_every_function_has_talibs_values_and_no_bar_poisons_it(seed: int, quiet: float) -> None:
    catalogue, bars = of(*EVERY), market(400, seed, quiet)
    assert_batch(catalogue, EVERY, closed(Series(catalogue.plan("1m")), bars), bars)


def test_every_function_keeps_talibs_values_when_old_bars_are_let_go() -> None:
    entries = [*EVERY, "ema:200", "rsi:60", "sma:1500"]
    # What a phase is where nothing moves is made of rounding alone, so there's no flat stretch.
    catalogue, bars = of(*entries), market(7000, 5, flat=0)
    plan = catalogue.plan("1m")
    assert plan.kept == 2 * PAGE
    found = closed(Series(plan), bars)
    assert_batch(catalogue, entries, found, bars)


def test_every_function_goes_on_to_the_bit_after_a_restart() -> None:
    plan, bars = of(*EVERY).plan("1m"), market(2200, 9)
    whole = Series(plan)
    closed(whole, bars[:, :2100])
    reopened = Series(plan, Held(bars[:, whole.anchor : 2100], whole.anchor, whole.stands))
    np.testing.assert_array_equal(closed(reopened, bars[:, 2100:]), closed(whole, bars[:, 2100:]))


def test_another_list_after_a_restart_is_as_if_it_had_been_there_before() -> None:
    entries = ["ad", "nvi", "obv", "wad", "pvt", "ema:30"]
    bars = market(2300, 4)
    before, always = Series(), Series(of(*entries).plan("1m"))
    closed(before, bars[:, :2200])
    closed(always, bars[:, :2200])
    after = Series(of(*entries).plan("1m"), Held(bars[:, before.anchor : 2200], before.anchor, before.stands))
    np.testing.assert_array_equal(closed(after, bars[:, 2200:]), closed(always, bars[:, 2200:]))


@pytest.mark.parametrize(("first", "second"), [("ema:200", "ema:20"), ("ema:20", "ema:200")])
def test_a_list_that_goes_by_more_or_fewer_bars_goes_on_with_those_that_are_kept(first: str, second: str) -> None:
    bars = market(3 * PAGE + 800, 4)
    cut = 3 * PAGE + 100
    before = Series(of(first, "obv").plan("1m"))
    closed(before, bars[:, :cut])
    after = Series(of(second, "obv").plan("1m"), Held(bars[:, before.anchor : cut], before.anchor, before.stands))
    found = closed(after, bars[:, cut:])
    np.testing.assert_allclose(found[:, 0], batch("ema", bars, int(second[4:]))[0][cut:], rtol=1e-4)
    np.testing.assert_allclose(found[:, 1], batch("obv", bars)[0][cut:])


def test_a_bar_that_is_not_finite_has_no_values_and_those_after_it_begin_anew() -> None:
    bars = market(300, 2)
    bars[4, 100] = np.inf
    series = Series()
    assert np.isnan(series.peek((1.0, 1.0, 1.0, 1.0, float("nan")))).all()
    found = closed(series, bars)
    assert np.isnan(found[100]).all()
    fresh = closed(Series(), bars[:, 101:])
    np.testing.assert_array_equal(found[101:], fresh)
    assert np.isfinite(found[150:]).all()


def test_a_volume_beyond_all_bounds_takes_no_value_away_once_it_has_left_the_window() -> None:
    bars = market(300, 2, quiet=0.0)
    bars[4, 100:102] = 1e308
    catalogue = of("mfi:14", "cmf:20", "vwma:20", "obv")
    found = closed(Series(catalogue.plan("1m")), bars)
    assert not np.isinf(found).any()
    assert np.isfinite(found[125:145, :3]).all()


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("rsi", "rsi_14"),
        ("bbands:20:2.5", "bbands_20_2.5_upper bbands_20_2.5_middle bbands_20_2.5_lower"),
        ("bbands:20:2:2:1", "bbands_20_2_2_1_upper bbands_20_2_2_1_middle bbands_20_2_2_1_lower"),
        ("stochf:5:3", "stochf_5_3_k stochf_5_3_d"),
        ("macdext:12:26:9:1:1:1", "macdext_12_26_9_1_1_1 macdext_12_26_9_1_1_1_signal macdext_12_26_9_1_1_1_hist"),
        ("aroon:14", "aroon_14_down aroon_14_up"),
        ("cdlengulfing", "cdlengulfing"),
        ("sar", "sar_0.02_0.2"),
    ],
)
def test_names_are_made_of_the_function_its_parameters_and_its_outputs(entry: str, names: str) -> None:
    assert of(entry).names == (*names.split(), "vwap")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("rsy:14", "the name must be that of a function of TA-Lib"),
        ("RSI:14", "the name must be that of a function of TA-Lib in lower case"),
        ("", "the name must be"),
        ("rsi:x", "timeperiod must be a whole number, was 'x'"),
        ("rsi:3.5", "timeperiod must be a whole number, was '3.5'"),
        ("rsi:1", "timeperiod must be in TA-Lib's range for RSI, was 1"),
        ("rsi:-5", "timeperiod must be in TA-Lib's range for RSI, was -5"),
        ("bbands:20:nan", "nbdevup must be a number of a usual size"),
        ("rsi:14:2", "rsi takes no parameters but timeperiod, was given 2"),
        ("obv:1", "obv takes no parameters, was given 1"),
        ("vwap:1", "vwap takes no parameters"),
        ("mavp", "mavp takes two series of one's choice"),
        ("correl:30", "correl takes two series of one's choice"),
        ("maxindex:30", "maxindex must depend on 16384 bars at most"),
        ("sma:20000", "sma must depend on 16384 bars at most"),
        ("rsi:14@2m", "2m must be one of the intervals, 1m, 5m"),
        ("rsi:14@", "nothing must be one of the intervals"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused_with_its_reason(entry: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the words are looked at below
        of("sma:20", entry, intervals=("1m", "5m"))
    assert f"{entry!r}: {words}" in str(refused.value)


def test_what_is_there_twice_is_refused_and_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"'rsi:14': rsi_14 is there already, by 'rsi'; 'foo': the name") as refused:
        of("rsi", "rsi:14", "foo")
    assert "must be a list of NAME[:PARAMETER...][@INTERVAL...]" in str(refused.value)


def test_each_entry_may_have_intervals_of_its_own() -> None:
    catalogue = of("rsi:14@1m", "sma:20", "obv@1h@1m", "vwap@1h", intervals=("1m", "5m", "1h"), usual=("5m",))

    def names(interval: str) -> list[str]:
        return [catalogue.names[place] for place in catalogue.places(interval)]

    assert (names("1m"), names("5m"), names("1h")) == (["rsi_14", "obv"], ["sma_20"], ["obv", "vwap"])
    bars = market(100, 1)
    found = closed(Series(catalogue.plan("1m")), bars)
    np.testing.assert_array_equal(found[:, 0], talib.RSI(bars[3], 14))
    assert np.isnan(found[:, 1]).all()
    assert not catalogue.is_on("1d")


def test_the_usual_entries_are_those_of_the_setting() -> None:
    assert of(*ENTRIES).names == usual().names
