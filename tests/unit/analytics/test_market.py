from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.analytics.domain.market import WHOLE_DAYS, Market
from tickstream.analytics.domain.prices import last_trades
from tickstream.analytics.domain.studies import Choices, studies
from tickstream.analytics.handler import TradingDays
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import AnalyticsFigure, Bar, Tick
from tickstream.core.scopes import MARKET

MINUTE = 60 * 10**9
DAY = 86_400 * 10**9
HISTORY = 2
SYMBOLS = ("AIG", "BAC", "SPY")
Key = tuple[str, str, str, int]


def bar(symbol: str, minute: int, close: float, volume: float = 100.0, day: int = 1, **other: Any) -> Bar:
    start = day * DAY + minute * MINUTE
    given = Bar(
        symbol, "1m", start, start + MINUTE, close - 0.5, close, close - 1, close, volume, close, 1, "closed", 0,
        "traded", "regular",
    )  # fmt: skip
    return replace(given, **other)


def market() -> Market:
    return Market(lambda bar: bar.start // DAY * DAY, studies(Choices(history=HISTORY)), HISTORY)


SPARSE = (0, 1, 17, 18)
"""Minutes of which some lie further apart than the states that are kept of a day."""


def walks(minutes: Iterable[int], days: int = 2) -> list[Bar]:
    minutes = list(minutes)
    rng = np.random.default_rng(3)
    bars = []
    for day in range(1, days + 1):
        prices = {symbol: 50.0 + number for number, symbol in enumerate(SYMBOLS)}
        for minute in minutes:
            for symbol in SYMBOLS:
                prices[symbol] *= math.exp(rng.normal(0, 0.001))
                bars.append(bar(symbol, minute, prices[symbol], float(rng.integers(0, 1000)), day))
    return bars


def figures(bars: list[Bar], every: int = 1) -> dict[Key, dict[str, float]]:
    """The last figure of each identity, when bars come as given."""
    found: list[AnalyticsFigure] = []
    whole = market()
    for number, each in enumerate(bars):
        whole.take(each)
        if number % every == 0:
            found += whole.figures(whole.complete_through, at_rest=number % 3 == 0)
    found += whole.figures(whole.newest)
    return {(f.scope, f.name, f.window, f.ts_event): dict(f.values) for f in found}


def test_figures_equal_those_of_an_independent_computation() -> None:
    bars = [each for each in walks(range(65)) if each.start >= DAY + 60 * MINUTE]
    found = figures(bars)
    frame = pl.DataFrame(
        [{"s": b.symbol, "end": b.end, "day": b.start // DAY, "o": b.open, "c": b.close, "v": b.volume} for b in bars]
    )
    ts = 2 * DAY + 61 * MINUTE
    now = frame.filter((pl.col("day") == 2) & (pl.col("end") <= ts))
    before = frame.filter(pl.col("day") == 1).group_by("s").agg(ref=pl.col("c").last())
    table = (
        now.group_by("s")
        .agg(c=pl.col("c").last(), v=pl.col("v").sum())
        .join(before, on="s")
        .with_columns(pct=(pl.col("c") / pl.col("ref") - 1) * 100)
    )
    up, down = table.filter(pl.col("pct") > 0), table.filter(pl.col("pct") < 0)
    assert found[MARKET, "gainers", "1d", ts] == pytest.approx(dict(up.select("s", "pct").iter_rows()))
    assert found[MARKET, "losers", "1d", ts] == pytest.approx(dict(down.select("s", "pct").iter_rows()))
    active = table.sort("v", descending=True)
    assert list(found[MARKET, "most_active", "1d", ts].items()) == list(active.select("s", "v").iter_rows())
    breadth = found[MARKET, "breadth", "1d", ts]
    assert (breadth["advancers"], breadth["decliners"], breadth["unchanged"]) == (up.height, down.height, 0)
    assert (breadth["up_volume"], breadth["down_volume"]) == (up["v"].sum(), down["v"].sum())
    closes = now.filter(pl.col("s") == "SPY").with_columns(r=pl.col("c").log().diff())["r"]
    for window, returns in (("30m", closes.tail(30)), ("1d", closes.drop_nulls())):
        values = found["SPY", "realised_volatility", window, ts]
        variance = (returns**2).sum()
        assert values["variance"] == pytest.approx(variance, rel=1e-12)
        assert values["volatility"] == pytest.approx(math.sqrt(variance), rel=1e-12)
        assert values["annualised"] == pytest.approx(math.sqrt(variance / len(returns) * 252 * 390), rel=1e-12)
        assert values["returns"] == len(returns)


def test_a_revised_bar_revises_the_figures_since() -> None:
    bars = walks(range(20), days=1)
    late = replace(bars[6], close=bars[6].close * 1.1, volume=1e6, revision=1)
    corrected = [late if b is bars[6] else b for b in bars]
    assert figures([*bars, late]) == figures(corrected)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_the_order_of_arrival_and_the_revisions_the_last_figures_are_the_same(data: st.DataObject) -> None:
    bars = data.draw(st.permutations(walks(SPARSE)))
    bars = bars[: data.draw(st.integers(1, len(bars)))]
    wrong = data.draw(st.sets(st.integers(0, len(bars) - 1), max_size=10))
    first = [replace(b, close=b.low, volume=1.0) if at in wrong else b for at, b in enumerate(bars)]
    final = [replace(b, revision=1) if at in wrong else b for at, b in enumerate(bars)]
    arriving = first + data.draw(st.permutations([final[at] for at in sorted(wrong)]))
    in_order = sorted(final, key=lambda b: (b.end, b.symbol))
    assert figures(arriving, data.draw(st.integers(1, 50))) == figures(in_order, every=1000)


def test_new_highs_and_lows_and_returns_are_those_of_the_group() -> None:
    def trade(symbol: str, minute: int, low: float, high: float, day: int = 1, **other: Any) -> Bar:
        return bar(symbol, minute, high, 10.0, day, low=low, vwap=high, **other)

    bars = [
        trade("A", 0, 9, 10), trade("B", 0, 19, 20), trade("C", 0, 29, 30), trade("D", 0, 39, 40),
        trade("A", 0, 9.5, 9.8, 2), trade("B", 0, 19, 21, 2), trade("C", 0, 28, 30, 2), trade("D", 0, 39, 40, 2),
        trade("A", 1, 9.4, 9.9, 2), trade("B", 1, 19, 20, 2), trade("C", 1, 27, 33, 2, trades=0),
        trade("D", 1, 39, 40, 2),
    ]  # fmt: skip
    chosen = Choices(history=HISTORY, groups={"two": ["A", "B", "X"]})
    whole = Market(lambda bar: bar.start // DAY * DAY, studies(chosen), HISTORY)
    for each in bars:
        whole.take(each)
    found = {(f.scope, f.name, f.window, f.ts_event): f.values for f in whole.figures(whole.newest)}
    first, second = 2 * DAY + MINUTE, 2 * DAY + 2 * MINUTE
    two = "group:two"
    assert found[MARKET, "highs_lows", "1d", first] == {"new_highs": 0, "new_lows": 0}
    assert found[MARKET, "highs_lows", "1d", second] == {"new_highs": 1, "new_lows": 1}
    assert found[MARKET, "highs_lows", "2d", first] == {"new_highs": 1, "new_lows": 1, "days": 1}
    assert found[two, "highs_lows", "2d", second] == {"new_highs": 1, "new_lows": 0, "days": 1}
    changes, values = [-1.0, 0.0], [9.8 * 10 + 9.9 * 10, 21 * 10 + 20 * 10]
    assert found[two, "returns", "1d", second] == pytest.approx(
        {"equal_weighted": -0.5, "volume_weighted": np.average(changes, weights=values), "symbols": 2}
    )
    assert found[two, "gainers", "1d", second] == {}
    assert found[two, "losers", "1d", second] == pytest.approx({"A": -1.0})
    assert found[two, "breadth", "1d", second]["net_advances"] == -1
    assert found[two, "breadth", "1d", second]["advance_decline_ratio"] == 0
    assert found[MARKET, "breadth", "1d", second]["net_advances"] == 0


def test_a_bar_of_a_past_day_revises_the_present_once_the_market_is_at_rest() -> None:
    bars = walks((0, 1, 2, 69))
    late = replace(bars[5], close=bars[5].close * 1.1, volume=1e6, revision=1)
    whole = market()
    for each in bars:
        whole.take(each)
    list(whole.figures(whole.newest))
    whole.take(late)
    assert whole.is_waiting
    assert list(whole.figures(whole.newest, at_rest=False)) == []
    whole.take(bar("SPY", 70, 50.0, day=2))
    assert {f.ts_event for f in whole.figures(whole.newest, at_rest=False)} == {2 * DAY + 71 * MINUTE}
    given = {f.ts_event for f in whole.figures(whole.newest)}
    assert not whole.is_waiting
    assert {late.end, DAY + 70 * MINUTE, 2 * DAY + MINUTE, 2 * DAY + 71 * MINUTE} <= given


def test_figures_that_were_not_taken_are_given_the_next_time() -> None:
    bars = walks(range(10))
    at_once, in_portions = market(), market()
    for each in bars:
        at_once.take(each)
        in_portions.take(each)
    portions: list[AnalyticsFigure] = []
    while portion := list(islice(in_portions.figures(in_portions.newest), 100)):
        portions += portion
    whole = list(at_once.figures(at_once.newest))
    assert {repr(f) for f in portions} == {repr(f) for f in whole}
    assert portions[-1] == whole[-1]


def test_no_figure_is_given_before_every_symbol_has_come() -> None:
    whole = market()
    for minute in range(3):
        for symbol in SYMBOLS:
            whole.take(bar(symbol, minute, 50.0))
    whole.take(bar("SPY", 3, 51.0))
    assert max(f.ts_event for f in whole.figures(whole.complete_through)) == DAY + 3 * MINUTE
    assert list(whole.figures(whole.complete_through)) == []
    for minute in range(4, 10):
        whole.take(bar("SPY", minute, 51.0))
    assert max(f.ts_event for f in whole.figures(whole.complete_through)) == DAY + 10 * MINUTE


def test_bars_read_again_after_a_restart_give_no_figures_and_the_next_one_the_same() -> None:
    bars = walks(range(30))
    cut = len(bars) - 3
    whole, restarted = market(), market()
    for each in bars[:cut]:
        whole.take(each)
        restarted.take(each, counted=True)
    list(whole.figures(whole.newest))
    assert list(restarted.figures(restarted.newest)) == []
    for each in bars[cut:]:
        whole.take(each)
        restarted.take(each)
    assert list(whole.figures(whole.newest)) == list(restarted.figures(restarted.newest)) != []


def test_only_the_last_days_are_kept_and_what_leaves_was_given() -> None:
    whole, given = market(), []
    for each in walks(range(3), days=6):
        whole.take(each)
        given += list(whole.leaving())
        whole.forget_oldest()
    assert whole.days == [day * DAY for day in range(7 - WHOLE_DAYS - HISTORY, 7)]
    assert {f.ts_event // DAY for f in given} == {1, 2}


def test_returns_of_other_sessions_and_of_the_first_bar_do_not_count() -> None:
    bars = [bar("SPY", 0, 50.0, session="pre"), bar("SPY", 1, 60.0), bar("SPY", 2, 66.0)]
    values = figures(bars)["SPY", "realised_volatility", "1d", DAY + 3 * MINUTE]
    assert values["returns"] == 1
    assert values["volatility"] == pytest.approx(math.log(66 / 60))


def test_a_symbol_without_a_day_before_is_compared_with_its_first_price() -> None:
    found = figures([bar("SPY", 0, 50.0), bar("SPY", 1, 51.0)])
    assert found[MARKET, "gainers", "1d", DAY + 2 * MINUTE] == pytest.approx({"SPY": (51.0 / 49.5 - 1) * 100})


def test_the_newest_trade_of_each_symbol_is_found_suspicious_ones_aside() -> None:
    ticks = [
        Tick("SPY", 1.0, 1, 5, 5, 1, "s"),
        Tick("BAC", 2.0, 1, 9, 9, 1, "s"),
        Tick("SPY", 3.0, 1, 8, 8, 2, "s"),
        Tick("SPY", 4.0, 1, 8, 8, 3, "s"),
        Tick("SPY", 5.0, 1, 9, 9, 4, "s", flags=1),
    ]
    found = {
        t.symbol: (t.price, t.ts_event, t.first_price) for t in last_trades(TickColumns.of(ticks, TickInterners()))
    }
    assert found == {"SPY": (4.0, 8, 1.0), "BAC": (2.0, 9, 2.0)}
    assert last_trades(TickColumns.of([], TickInterners())) == []


def test_days_are_those_of_the_calendar_and_end_somewhere() -> None:
    days = TradingDays("XNYS")
    noon = 1_381_248_000 * 10**9
    begin = 1_381_204_800 * 10**9
    assert [days.of(ts) for ts in (noon, begin, begin - 1, noon)] == [begin, begin, begin - DAY, begin]
    assert [days.knows(ts) for ts in (noon, 0, -(2**62), 2**62)] == [True, False, False, False]


def test_symbols_beyond_the_most_have_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickstream.analytics.domain.market.MOST_SYMBOLS", 2)
    whole = market()
    for symbol in ("A", "B"):
        assert whole.has_room(symbol)
        whole.take(bar(symbol, 0, 50.0))
    assert (whole.has_room("A"), whole.has_room("C")) == (True, False)
