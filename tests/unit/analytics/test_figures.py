"""Each figure of a symbol against an independent computation, on recorded trades and on made ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import argrelextrema
from scipy.stats import binned_statistic, norm

from tests.unit.analytics.test_market import DAY, HISTORY, MINUTE, bar, figures
from tickstream.analytics.domain.levels import MOST, REACH, TOLERANCE
from tickstream.core.model import Bar, SessionName

RECORDING = Path(__file__).parents[3] / "data" / "demo" / "2013-10-08.parquet"
WINDOW = 30
DECAY = 0.94
Values = Mapping[str, float]
Oracle = Callable[[Sequence[Bar]], Values]
"""Takes a symbol's steady bars of the day so far, gives what the figure should say."""


@cache
def recorded() -> tuple[Bar, ...]:
    """One-minute bars of half a session, with the last minutes before the open."""
    trades = pl.read_parquet(RECORDING).filter(pl.col("flags") & 1 == 0).cast({"symbol": pl.String})
    minutes = (
        trades.with_columns(start=pl.col("ts_event") // MINUTE * MINUTE, value=pl.col("price") * pl.col("volume"))
        .group_by("symbol", "start")
        .agg(
            o=pl.col("price").first(), h=pl.col("price").max(), l=pl.col("price").min(), c=pl.col("price").last(),
            v=pl.col("volume").sum(), w=pl.col("value").sum() / pl.col("volume").sum(), n=pl.len(),
        )
        .sort("start", "symbol")
    )  # fmt: skip
    begin = minutes["start"].min()
    assert isinstance(begin, int)
    return tuple(
        Bar(s, "1m", t, t + MINUTE, o, h, lo, c, v, w, n, "closed", 0, "traded", session_of(t))
        for s, t, o, h, lo, c, v, w, n in minutes.iter_rows()
        if t < begin + 180 * MINUTE
    )


def session_of(start: int) -> SessionName:
    return "regular" if start % DAY >= (13 * 60 + 30) * MINUTE else "pre"


@st.composite
def made(draw: st.DrawFn) -> list[Bar]:
    """Bars of two days with gaps, quiet minutes and minutes before the open."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for day in (1, 2):
        price = 50.0
        for minute in range(draw(st.integers(1, 60))):
            path = price * np.exp(rng.normal(0, 0.001, 4).cumsum())
            quiet, absent = rng.random(2) < 0.1
            first, last = float(path[0]), float(path[-1])
            if not absent:
                traded = bar(
                    "SPY", minute, last, float(rng.integers(1, 999)), day,
                    open=first, high=float(path.max()), low=float(path.min()), vwap=float(path.mean()),
                    trades=3, session="pre" if minute < 3 else "regular",
                )  # fmt: skip
                still = bar(
                    "SPY", minute, price, 0.0, day,
                    open=price, high=price, low=price, trades=0, session="pre" if minute < 3 else "regular",
                )  # fmt: skip
                found.append(still if quiet else traded)
                price = found[-1].close
    return found


def last_minutes(bars: Sequence[Bar], minutes: int = WINDOW) -> list[Bar]:
    return [each for each in bars if each.end > bars[-1].end - minutes * MINUTE]


def returns(bars: Sequence[Bar]) -> pd.Series:
    closes = pd.Series([each.close for each in bars], index=[each.end for each in bars])
    return np.log(closes).diff()


def windowed(bars: Sequence[Bar]) -> pd.Series:
    """The returns of the window, and those of its bars that have one."""
    found = returns(bars)
    return found[found.index > bars[-1].end - WINDOW * MINUTE].dropna()


def garman_klass(bars: Sequence[Bar]) -> Values:
    window = last_minutes(bars)
    total = sum(
        math.log(b.high / b.low) ** 2 / 2 - (2 * math.log(2) - 1) * math.log(b.close / b.open) ** 2 for b in window
    )
    annual = math.sqrt(max(total, 0) / len(window) * 252 * 390)
    return {
        "variance": total,
        "volatility": math.sqrt(max(total, 0)),
        "annualised": annual,
        "bars": len(window),
    }


def trend(bars: Sequence[Bar]) -> Values:
    window = last_minutes(bars)
    closes = np.log([b.close for b in window])
    if len(window) < 3:
        return {}
    fit = sm.OLS(closes, sm.add_constant([b.end / MINUTE - window[0].end / MINUTE for b in window])).fit()
    if np.ptp(closes) == 0:
        return {"slope": 0.0, "bars": len(window)}
    return {
        "slope": fit.params[1],
        "t_statistic": fit.tvalues[1],
        "r_squared": fit.rsquared,
        "bars": len(window),
    }


def trade_flow(bars: Sequence[Bar]) -> Values:
    moves = windowed(bars)
    if not len(moves):
        return {}
    volume = np.array([b.volume for b in bars if b.end in moves.index])
    deviation = float(np.sqrt(np.mean(moves.to_numpy() ** 2)))
    buy = float((volume * norm.cdf(moves / deviation)).sum()) if deviation else volume.sum() / 2
    total = volume.sum()
    imbalance = {"imbalance": (2 * buy - total) / total} if total else {}
    return imbalance | {"buy_volume": buy, "sell_volume": total - buy}


def liquidity(bars: Sequence[Bar]) -> Values:
    window, moves = last_minutes(bars), windowed(bars)
    traded = {b.end: b for b in window if b.trades}
    ratios = [abs(moves[end]) / (b.volume * b.vwap) for end, b in traded.items() if end in moves.index]
    terms = []
    for end, b in traded.items():
        after = traded.get(end + MINUTE)
        if after is not None:
            middle, next_middle = (math.log(x.high * x.low) / 2 for x in (b, after))
            terms.append((math.log(b.close) - middle) * (math.log(b.close) - next_middle))
    amihud = {"amihud": 1e6 * np.mean(ratios)} if ratios else {}
    spread = {"spread": math.sqrt(max(4 * float(np.mean(terms)), 0))} if terms else {}
    return amihud | spread | {"value": sum(b.volume * b.vwap for b in traded.values())}


def volume_profile(bars: Sequence[Bar]) -> Values:
    vwap = [b.vwap for b in bars if b.volume]
    volume = [b.volume for b in bars if b.volume]
    if not vwap:
        return {}
    if min(vwap) == max(vwap):
        price = dict.fromkeys(("point_of_control", "value_area_low", "value_area_high"), vwap[0])
        return price | {"volume": sum(volume)}
    held, edges, _ = binned_statistic(vwap, volume, "sum", bins=50)
    first = last = most = int(np.argmax(held))
    while held[first : last + 1].sum() < 0.7 * sum(volume):
        above = held[last + 1] if last < 49 else -1
        below = held[first - 1] if first else -1
        first, last = (first, last + 1) if above >= below else (first - 1, last)
    return {
        "point_of_control": (edges[most] + edges[most + 1]) / 2,
        "value_area_low": edges[first],
        "value_area_high": edges[last + 1],
        "volume": sum(volume),
    }


def swings(prices: Sequence[float]) -> list[int]:
    """Above those before, not below those after."""
    return [
        at
        for at in range(REACH, len(prices) - REACH)
        if prices[at] > max(prices[at - REACH : at]) and prices[at] >= max(prices[at + 1 : at + REACH + 1])
    ]


def levels(bars: Sequence[Bar]) -> Values:
    highs, lows = [b.high for b in bars], [-b.low for b in bars]
    turns = sorted([(at, 0, highs[at]) for at in swings(highs)] + [(at, 1, -lows[at]) for at in swings(lows)])
    found: list[list[float]] = []
    for at, _, price in turns:
        near = min(found, key=lambda level: abs(level[0] / price - 1), default=None)
        if near is not None and abs(near[0] / price - 1) <= TOLERANCE:
            near[:] = [(near[0] * near[1] + price) / (near[1] + 1), near[1] + 1, at]
        else:
            if len(found) == MOST:
                found.remove(min(found, key=lambda level: level[1:]))
            found.append([price, 1, at])
    below = max(((p, n) for p, n, _ in found if p <= bars[-1].close), default=None)
    above = min(((p, n) for p, n, _ in found if p > bars[-1].close), default=None)
    support = {"support": below[0], "support_touches": below[1]} if below else {}
    resistance = {"resistance": above[0], "resistance_touches": above[1]} if above else {}
    return support | resistance | {"levels": len(found)}


ORACLES: dict[tuple[str, str], Oracle] = {
    ("garman_klass", "30m"): garman_klass,
    ("trend", "30m"): trend,
    ("trade_flow", "30m"): trade_flow,
    ("liquidity", "30m"): liquidity,
    ("volume_profile", "1d"): volume_profile,
    ("levels", "1d"): levels,
}


def check(bars: Sequence[Bar], every: int) -> None:
    found = figures(list(bars), every=1000)
    steady = [each for each in bars if each.session == "regular"]
    for last in steady[::every]:
        so_far = [b for b in steady if b.symbol == last.symbol and last.end - DAY < b.end <= last.end]
        so_far = [b for b in so_far if b.end // DAY == last.end // DAY]
        for (name, window), oracle in ORACLES.items():
            key = (last.symbol, name, window, last.end)
            assert found.get(key, {}) == pytest.approx(oracle(so_far), rel=1e-7, abs=1e-11), key


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_figures_of_recorded_bars_equal_those_of_other_libraries() -> None:
    check(recorded(), every=23)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@settings(max_examples=20, deadline=None)
@given(made())
def test_figures_of_made_bars_equal_those_of_other_libraries(bars: list[Bar]) -> None:
    check(bars, every=7)


def test_swings_are_the_extrema_that_scipy_finds_where_no_two_prices_are_equal() -> None:
    prices = np.random.default_rng(5).normal(size=400).cumsum()
    (expected,) = argrelextrema(prices, np.greater, order=REACH)
    inner = [at for at in expected.tolist() if REACH <= at < len(prices) - REACH]
    assert swings(prices.tolist()) == inner != []


def test_ewma_volatility_begins_with_the_mean_of_the_day_before() -> None:
    rng = np.random.default_rng(2)
    closes = {day: 50 * np.exp(rng.normal(0, 0.001, 60).cumsum()) for day in (1, 2)}
    bars = [bar("SPY", minute, float(c), day=day) for day in (1, 2) for minute, c in enumerate(closes[day])]
    found = figures(bars)
    squares = {day: np.diff(np.log(closes[day])) ** 2 for day in (1, 2)}
    for day, series in ((1, squares[1]), (2, np.concatenate([[squares[1].mean()], squares[2]]))):
        variance = pd.Series(series).ewm(alpha=1 - DECAY, adjust=False).mean().iloc[-1]
        values = found["SPY", "ewma_volatility", "1d", day * DAY + 60 * MINUTE]
        assert values["variance"] == pytest.approx(variance, rel=1e-12)
        assert values["annualised"] == pytest.approx(math.sqrt(variance * 252 * 390), rel=1e-12)


def test_relative_volume_is_against_the_mean_of_earlier_days_at_the_minute() -> None:
    rng = np.random.default_rng(4)
    bars = [
        bar("SPY", minute, 50.0, float(rng.integers(0, 999)), day, session="pre" if minute < 5 else "regular")
        for day in range(1, 5)
        for minute in range(40 if day != 3 else 20)
    ]
    found = figures(bars)
    frame = pl.DataFrame([{"day": b.start // DAY, "minute": b.start % DAY // MINUTE, "v": b.volume} for b in bars])
    frame = frame.filter(pl.col("minute") >= 5)
    for minute in (5, 19, 30, 39):
        so_far = frame.filter(pl.col("minute") <= minute).group_by("day").agg(pl.col("v").sum())
        by_day = dict(so_far.iter_rows())
        usual = np.mean([by_day[day] for day in range(4 - HISTORY, 4)])
        values = found["SPY", "relative_volume", "1d", 4 * DAY + (minute + 1) * MINUTE]
        expected = {"ratio": by_day[4] / usual, "volume": by_day[4], "usual": usual, "days": HISTORY}
        assert values == pytest.approx(expected)
    assert not any(key[1] == "relative_volume" and key[3] < 2 * DAY for key in found)
