from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.analytics.domain.anomaly.study import Anomaly, EachSymbol, WholeMarket
from tickstream.analytics.domain.correlation.study import STRONGEST, Correlation
from tickstream.analytics.domain.forecast.study import Forecasts
from tickstream.analytics.domain.market import Market
from tickstream.analytics.domain.study import Study
from tickstream.core.columns import Floats
from tickstream.core.model import AnalyticsFigure, Bar
from tickstream.core.scopes import MARKET

MINUTE: Final = 60 * 10**9
DAY: Final = 86_400 * 10**9
OPEN: Final = 30
"""The row of a day's first bar."""
Key = tuple[str, str, str, int]
Figures = dict[Key, dict[str, float]]


def market(most: int = 200) -> Market:
    studies: list[Study[Any]] = [
        Correlation((30,), most, "SPY"), Anomaly(EachSymbol()), Anomaly(WholeMarket(), MARKET), Forecasts(0.94),
    ]  # fmt: skip
    return Market(lambda bar: bar.start // DAY * DAY, studies, 1)


def bars(symbols: Sequence[str], minutes: int, days: int = 1, seed: int = 3) -> list[Bar]:
    """In the order of time; SPY moves the others along, the last symbol comes 25 minutes late."""
    rng = np.random.default_rng(seed)
    found = []
    for day in range(1, days + 1):
        prices = dict.fromkeys(symbols, 50.0)
        for minute in range(minutes):
            common = rng.normal(0, 6e-4)
            for place, symbol in enumerate(symbols):
                before, own = prices[symbol], 0.0 if symbol == "SPY" else rng.normal(0, 3e-4) * (1 + place)
                prices[symbol] = round(before * math.exp(common + own), 3)
                high, low = (max(before, prices[symbol]) + 0.01, min(before, prices[symbol]) - rng.uniform(0, 0.02))
                start = day * DAY + (OPEN + minute) * MINUTE
                volume = float(rng.integers(1, 900) * (place + 1))
                if symbol != symbols[-1] or minute >= 25:
                    found.append(
                        Bar(symbol, "1m", start, start + MINUTE, before, high, low, prices[symbol], volume,
                            prices[symbol], 9, "closed", 0, "traded", "regular")
                    )  # fmt: skip
    return found


def figures(given: Sequence[Bar], every: int = 50, most: int = 200) -> Figures:
    """The last figure of each identity, when bars come as given."""
    whole = market(most)
    found: list[AnalyticsFigure] = []
    for number, bar in enumerate(given):
        whole.take(bar)
        if number % every == 0:
            found += whole.figures(whole.newest)
    found += whole.figures(whole.newest)
    return {(f.scope, f.name, f.window, f.ts_event): dict(f.values) for f in found}


def returns(given: Sequence[Bar], day: int) -> pd.DataFrame:
    """By the row of the day; log returns of one minute."""
    closes = pd.DataFrame(
        [(b.symbol, (b.start - day * DAY) // MINUTE, b.close) for b in given if b.start // DAY == day],
        columns=["symbol", "row", "close"],
    )
    table: pd.DataFrame = np.log(closes.pivot_table(index="row", columns="symbol", values="close"))
    return table.diff()


@given(st.randoms(use_true_random=False))
@settings(max_examples=3)
def test_late_and_revised_bars_give_in_the_end_what_bars_in_order_give(random: Any) -> None:
    ordered = bars(("AIG", "BAC", "SPY", "XOM"), 62)
    read = [(number + random.choice((0, 0, 0, 30, 90)), bar) for number, bar in enumerate(ordered)]
    for number in random.sample(range(len(ordered)), 5):
        wrong = replace(ordered[number], close=ordered[number].close * 1.01, volume=1e5, revision=-1)
        read.append((number - 0.5, replace(wrong, revision=0)))
        read[number] = (read[number][0], replace(ordered[number], revision=1))
    mixed = [bar for _at, bar in sorted(read, key=lambda pair: pair[0])]
    assert figures(mixed, every=40) == figures(ordered, every=25)


def test_what_comes_later_changes_no_figure() -> None:
    one, other = bars(("AIG", "SPY"), 60), bars(("AIG", "SPY"), 60, seed=4)
    at = DAY + (OPEN + 45) * MINUTE
    mixed = [bar for bar in one if bar.end <= at] + [bar for bar in other if bar.end > at]
    before, after = ({k: v for k, v in figures(each, 5).items() if k[3] <= at} for each in (one, mixed))
    assert before == after


def test_correlations_and_betas_are_those_of_the_returns() -> None:
    given = bars(("AIG", "BAC", "SPY", "XOM"), 75)
    found = figures(given)
    row = OPEN + 59
    ts = DAY + (row + 1) * MINUTE
    for window, span in (("30m", 30), ("1d", 1000)):
        frame = returns(given, 1).loc[:row].iloc[-span:]
        matrix, market_return = frame.corr(), frame.mean(axis=1)
        for symbol in frame:
            wanted = matrix[symbol].drop(symbol)
            assert found[symbol, "correlations", window, ts] == pytest.approx(wanted.to_dict())
            strongest = list(found[symbol, "correlated", window, ts])
            assert strongest == wanted.abs().sort_values(ascending=False).index[:STRONGEST].tolist()
            both = frame[symbol].dropna().index
            betas = found[symbol, "beta", window, ts]
            own, whole, spy = (each.loc[both] for each in (frame[symbol], market_return, frame["SPY"]))
            assert betas["market"] == pytest.approx(np.polyfit(whole, own, 1)[0])
            assert betas["benchmark"] == pytest.approx(np.polyfit(spy, own, 1)[0])
            assert betas["market_correlation"] == pytest.approx(np.corrcoef(whole, own)[0, 1])
            for other, beta in found[symbol, "betas", window, ts].items():
                pair = frame[[symbol, other]].dropna()
                assert beta == pytest.approx(np.polyfit(pair[other], pair[symbol], 1)[0])
        summary = found[MARKET, "correlation", window, ts]
        assert summary["mean"] == pytest.approx(matrix.to_numpy()[np.triu_indices(4, 1)].mean())
        assert summary["first_eigenvalue_share"] == pytest.approx(np.linalg.eigvalsh(matrix.to_numpy())[-1] / 4)
    assert ("AIG", "correlations", "30m", ts - MINUTE) not in found
    assert ("AIG", "beta", "30m", ts - MINUTE) not in found
    assert (MARKET, "correlation", "30m", ts - 5 * MINUTE) in found


def test_the_most_active_of_the_day_before_are_compared_and_always_the_benchmark() -> None:
    found = figures(bars(("AIG", "SPY", "T", "WMT", "XOM"), 40, days=2), every=40, most=3)
    assert {scope for scope, name, _window, ts in found if name == "beta" and ts > 2 * DAY} == {"SPY", "T", "WMT"}
    first = {scope for scope, name, _window, ts in found if name == "beta" and ts < 2 * DAY}
    assert len(first) == 3
    assert "SPY" in first


def test_a_minute_of_unusual_volume_stands_out_and_says_by_what() -> None:
    given = bars(("AIG", "BAC", "SPY"), 50)
    odd = next(bar for bar in given if bar.symbol == "AIG" and bar.start == DAY + (OPEN + 45) * MINUTE)
    found = figures([replace(bar, volume=1e6) if bar is odd else bar for bar in given])
    values = found["AIG", "anomaly", "60m", odd.end]
    assert max(("return", "volume", "range"), key=lambda name: values[f"{name}_share"]) == "volume"
    assert values["return_share"] + values["volume_share"] + values["range_share"] == pytest.approx(1.0)
    assert values["volume_z"] > 5
    assert values["distance"] > found["AIG", "anomaly", "60m", odd.end - MINUTE]["distance"]
    history = pd.Series([math.log1p(b.volume) for b in given if b.symbol == "AIG" and b.end < odd.end])
    spread = 1.4826 * (history - history.median()).abs().median()
    assert values["volume_z"] == pytest.approx((math.log1p(1e6) - history.median()) / spread)
    whole = found[MARKET, "anomaly", "60m", odd.end]
    assert sum(whole[f"{name}_share"] for name in WholeMarket.least) == pytest.approx(1.0)


def test_a_lasting_change_of_volume_is_told_with_the_minute_it_began() -> None:
    given = bars(("AIG", "BAC", "SPY"), 60)
    since = DAY + (OPEN + 40) * MINUTE
    found = figures([replace(bar, volume=bar.volume * 40) if bar.start >= since else bar for bar in given])
    told = sorted(k[3] for k, v in found.items() if k[:2] == ("BAC", "change") and v["volume_change"] == 1)
    assert told
    assert told[0] - since <= 6 * MINUTE
    began = told[0] - found["BAC", "change", "60m", told[0]]["volume_minutes"] * MINUTE
    assert abs(began - since) <= 2 * MINUTE
    assert not [k for k, v in found.items() if k[1] == "change" and k[3] <= since and v.get("volume_change")]


def test_forecasts_are_judged_beside_the_naive_one() -> None:
    given = bars(("SPY", "XOM"), 70)
    found = figures(given)
    squares: Floats = returns(given, 1)["SPY"].to_numpy() ** 2
    last = DAY + (OPEN + 70) * MINUTE
    for name in ("forecast_ewma", "forecast_garch"):
        losses, naives = [], []
        for row in range(20, 65):
            at = found["SPY", name, "5m", DAY + (OPEN + row + 1) * MINUTE]
            realised = squares[row + 1 : row + 6].sum()
            losses.append(realised / at["volatility"] ** 2 - math.log(realised / at["volatility"] ** 2) - 1)
            naives.append(realised / at["naive"] ** 2 - math.log(realised / at["naive"] ** 2) - 1)
            assert at["naive"] ** 2 == pytest.approx(np.nanmean(squares[max(row - 29, 0) : row + 1]) * 5)
        values = found["SPY", name, "5m", last]
        assert values["judged"] == len(losses)
        assert values["qlike"] == pytest.approx(np.mean(losses))
        assert values["naive_qlike"] == pytest.approx(np.mean(naives))
        assert values["beats_naive"] == float(np.mean(losses) < np.mean(naives))
    chance = found["SPY", "forecast_direction", "1m", last]
    assert 0 < chance["probability"] < 1
    assert chance["beats_naive"] == float(chance["brier"] < chance["naive_brier"])


def test_forecasts_of_a_second_day_begin_at_its_open_and_are_judged_anew() -> None:
    found = figures(bars(("SPY", "XOM"), 45, days=2), every=50)
    first, second = DAY + (OPEN + 1) * MINUTE, 2 * DAY + (OPEN + 1) * MINUTE
    assert ("SPY", "forecast_garch", "5m", first) not in found
    assert found["SPY", "forecast_garch", "5m", second]["judged"] == 0
    assert "qlike" not in found["SPY", "forecast_garch", "5m", second]
