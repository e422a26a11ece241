from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.alerting.test_day import DAY, at
from tests.unit.alerting.test_lane import OPEN, feed, lane_of
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rule import ByExpression, Rule
from tickstream.alerting.language.parser import parse as parse_expression
from tickstream.alerting.spec import KINDS, InvalidRuleError, StoredRule, parse
from tickstream.core.model import Bar

MINUTE = 60 * 10**9
CLOSE = 389
"""The last minute of a regular session."""


def made(kind: str, **parameters: Any) -> Rule:
    when: Any = None
    spec = parse({"name": kind, "kind": kind, "parameters": parameters})
    return StoredRule(uuid.UUID(int=1), spec, 1, when, when).rule()


def tell(watching: Rule, given: Sequence[Bar]) -> list[Transition]:
    lane = lane_of(watching)
    feed(lane, *given)
    return lane.changes.transitions


def lives(watching: Rule, given: Sequence[Bar]) -> list[tuple[str, int]]:
    """States, and the number of the bar that brought them, from the Tuesday's open on."""
    return [(t.state, (t.ts_event - OPEN) // MINUTE - 1) for t in tell(watching, given)]


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        (
            "price_spike",
            {},
            "abs(robust_z(bar_return, 60 bars)) >= 3.5 on 1m during continuous, regular",
        ),
        (
            "price_spike",
            {"direction": "down", "z": 5, "bars": 30, "min_percent": 0.2, "hysteresis": 2, "interval": "5m"},
            (
                "-robust_z(bar_return, 30 bars) >= 5 and -bar_return >= 0.2 until -robust_z(bar_return, 30 bars) < 3"
                " on 5m during continuous, regular"
            ),
        ),
        (
            "volume_surge",
            {},
            (
                "mean(volume, 5 bars) / median(previous(volume, 5 bars), 60 bars) >= 3"
                " and (session is continuous or minutes_since_open > 30) on 1m during continuous, regular"
            ),
        ),
        (
            "volume_surge",
            {"against": "days", "factor": 2, "hysteresis": 0.5, "skip_minutes": 0, "interval": "5m"},
            (
                "analytics.relative_volume[1d].ratio >= 2 until analytics.relative_volume[1d].ratio < 1.5"
                " on 5m during continuous, regular"
            ),
        ),
        (
            "volatility_regime",
            {"regime": "low", "skip_minutes": 0},
            (
                "sqrt(mean(bar_return * bar_return, 240 bars) / mean(bar_return * bar_return, 20 bars)) >= 2 until"
                " sqrt(mean(bar_return * bar_return, 240 bars) / mean(bar_return * bar_return, 20 bars)) < 1.5"
                " on 1m during continuous, regular"
            ),
        ),
        (
            "gap",
            {"direction": "up"},
            (
                "(session_open / previous_close - 1) * 100 >= 2 and (session_low > previous_close"
                " or session_high < previous_close or minutes_since_open <= 1) and minutes_to_close > 0"
                " on 1m during regular"
            ),
        ),
        ("new_high", {}, "high > highest(previous(high), 20 bars) on 1d during continuous, regular"),
        (
            "new_low",
            {"of": "session"},
            "session_low < previous(session_low) and minutes_since_open > 30 on 1m during continuous, regular",
        ),
        (
            "circuit_breaker",
            {"level": 1},
            (
                "SPY.session_low <= SPY.previous_close * 0.93 and SPY.minutes_to_close >= 35 until"
                " SPY.session_low > SPY.previous_close * 0.93 or SPY.minutes_to_close <= 0 on 1m during regular"
            ),
        ),
        (
            "circuit_breaker",
            {"level": 3, "symbol": "^SPX"},
            '"^SPX".session_low <= "^SPX".previous_close * 0.8 on 1m during regular',
        ),
        ("feed_stale", {}, "activity is feed_down on 1m during continuous, regular"),
    ],
)
def test_a_kind_is_short_for_an_expression(kind: str, parameters: dict[str, Any], text: str) -> None:
    condition = made(kind, **parameters).condition
    assert isinstance(condition, ByExpression)
    assert condition.expression == parse_expression(text)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("price_spike", {"z": 3, "hysteresis": 3}),
        ("price_spike", {"interval": "1d"}),
        ("volume_surge", {"factor": 2, "hysteresis": 2}),
        ("volatility_regime", {"short_bars": 240}),
        ("volatility_regime", {"factor": 1.5, "hysteresis": 1.5}),
        ("circuit_breaker", {"level": 4}),
        ("circuit_breaker", {"level": 1, "symbol": "S*"}),
        ("feed_stale", {"activities": []}),
        ("gap", {"percent": 0}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(kind: str, parameters: dict[str, Any]) -> None:
    assert kind in KINDS
    with pytest.raises(InvalidRuleError) as caught:
        made(kind, **parameters)
    assert caught.value.problems[0].pointer.startswith("/parameters")


def walk(seed: int) -> list[Bar]:
    """A regular session with heavy tails in returns and volumes."""
    rng = np.random.default_rng(seed)
    closes = 100 * np.cumprod(1 + 0.0005 * rng.standard_t(3, CLOSE + 1))
    volumes = np.round(rng.lognormal(5, 1, CLOSE + 1))
    opens = [100.0, *closes[:-1].tolist()]
    given = zip(range(CLOSE + 1), closes.tolist(), opens, volumes.tolist(), strict=True)
    return [
        at(minute, close, open=start, high=max(start, close), low=min(start, close), volume=volume)
        for minute, close, start, volume in given
    ]


def firings(holds: Sequence[bool]) -> list[int]:
    return [at for at, held in enumerate(holds) if held and not (at and holds[at - 1])]


def fired(watching: Rule, given: Sequence[Bar]) -> list[int]:
    return [at for state, at in lives(watching, given) if state == "firing"]


def test_a_price_spike_is_the_return_that_pandas_finds_far_from_the_median() -> None:
    given = walk(1)
    closes = pd.Series([bar.close for bar in given])
    returns = (closes / closes.shift(fill_value=100.0) - 1) * 100
    windows = returns.rolling(60)
    spread = windows.apply(lambda window: np.median(np.abs(window - np.median(window))), raw=True)
    holds = (0.6745 * (returns - windows.median()) / spread).abs() >= 3.5
    expected = firings(holds.tolist())
    assert len(expected) > 5
    assert fired(made("price_spike"), given) == expected


def test_a_volume_surge_is_the_mean_that_pandas_finds_over_the_median_before() -> None:
    given = walk(2)
    volumes = pd.Series([bar.volume for bar in given])
    holds = volumes.rolling(5).mean() / volumes.shift(5).rolling(60).median() >= 3
    expected = firings(holds.tolist())
    assert len(expected) > 3
    assert fired(made("volume_surge"), given) == expected


def test_a_volatility_regime_is_the_ratio_of_what_pandas_finds() -> None:
    given = walk(3)
    closes = pd.Series([bar.close for bar in given])
    squares = (closes / closes.shift(fill_value=100.0) - 1) ** 2
    ratios = np.sqrt(squares.rolling(20).mean() / squares.rolling(120).mean()).tolist()
    expected, firing = [], False
    for minute, ratio in enumerate(ratios):
        if ratio < 1.2 if firing else ratio >= 1.4:
            firing = not firing
            expected.append(("firing" if firing else "resolved", minute))
    found = lives(made("volatility_regime", long_bars=120, factor=1.4, hysteresis=0.2), given)
    assert found == expected
    assert len(expected) > 3


def session(day: int, start: float, *lows: float) -> list[Bar]:
    """The first bars of a session, and its last one."""
    given = [
        at(day * DAY + minute, low + 0.5, open=start if minute == 0 else low, high=max(start, low + 1), low=low)
        for minute, low in enumerate(lows)
    ]
    return [*given, at(day * DAY + CLOSE, 100.0, low=lows[-1])]


def test_a_gap_lasts_until_it_is_filled_and_begins_no_more_that_day() -> None:
    given = [*session(0, 100.0, 99.0), *session(1, 103.0, 101.0, 100.5, 100.0, 101.0)]
    found = tell(made("gap"), given)
    assert [(t.state, (t.ts_event - OPEN) // MINUTE - 1 - DAY) for t in found] == [("firing", 0), ("resolved", 2)]
    assert found[0].value == pytest.approx(3.0)
    assert found[0].summary == "SPY gap from the previous close in percent 3, >= 2 on 1m"


def test_a_gap_that_is_not_filled_lasts_until_the_close() -> None:
    given = [*session(0, 100.0, 99.0), *session(1, 103.0, 101.0, 102.0), *session(2, 100.0, 99.0)]
    assert lives(made("gap", direction="up"), given) == [("firing", DAY), ("resolved", DAY + CLOSE)]
    assert lives(made("gap", direction="down"), given) == []


def test_a_gap_that_is_filled_within_its_first_bar_is_told() -> None:
    given = [*session(0, 100.0, 99.0), *session(1, 103.0, 99.9, 102.0)]
    assert lives(made("gap"), given) == [("firing", DAY), ("resolved", DAY + 1)]


def test_what_was_traded_before_the_open_is_no_part_of_a_gap() -> None:
    early = [at(DAY - 30, 150.0), at(DAY - 1, 150.0)]
    given = [*session(0, 100.0, 99.0), at(CLOSE + 30, 80.0), *early, *session(1, 101.0, 101.0)]
    assert lives(made("gap"), given) == []


def test_a_new_high_of_the_session_is_one_after_its_first_minutes() -> None:
    closes = {0: 10.0, 20: 12.0, 31: 11.0, 40: 12.5, 41: 12.5, 60: 13.0}
    given = [at(-5, 20.0), *(at(minute, close) for minute, close in closes.items())]
    assert lives(made("new_high", of="session"), given) == [("firing", 40), ("resolved", 41), ("firing", 60)]


def test_a_new_low_is_one_of_so_many_days() -> None:
    lows = [5.0, 6.0, 4.0, 7.0, 6.5, 3.9]
    days = [at(day * DAY, low, interval="1d", session="regular") for day, low in enumerate(lows)]
    found = [t.ts_event for t in tell(made("new_low", bars=3), days) if t.state == "firing"]
    assert found == [days[5].end]


def fall(*lows: tuple[int, float]) -> list[Bar]:
    """After a close at 100."""
    falling = [at(DAY + minute, low, low=low, high=100.0, open=100.0) for minute, low in lows]
    return [at(0, 100.0), at(CLOSE, 100.0), *falling, at(DAY + CLOSE, 99.0), at(2 * DAY, 99.0)]


def test_a_level_of_the_circuit_breaker_is_reached_once_a_day() -> None:
    given = fall((0, 95.0), (60, 93.0), (90, 97.0), (120, 92.0))
    assert lives(made("circuit_breaker", level=1), given) == [("firing", DAY + 60), ("resolved", DAY + CLOSE)]
    assert lives(made("circuit_breaker", level=2), given) == []


@pytest.mark.parametrize(("minute", "fires"), [(354, True), (355, False)])
def test_levels_one_and_two_are_for_before_twenty_five_past_three(minute: int, fires: bool) -> None:
    """The bar of minute 354 ends at 15:25."""
    given = fall((0, 95.0), (minute, 86.0))
    assert bool(fired(made("circuit_breaker", level=2), given)) is fires


def test_level_three_is_for_the_whole_day() -> None:
    given = fall((0, 95.0), (380, 80.0))
    assert lives(made("circuit_breaker", level=3), given) == [("firing", DAY + 380), ("resolved", 2 * DAY)]


def test_a_circuit_breaker_is_one_alert_of_the_index() -> None:
    given = [bar for each in fall((10, 90.0)) for bar in (each, at((each.start - OPEN) // MINUTE, 1.0, symbol="AIG"))]
    found = tell(made("circuit_breaker", level=1), given)
    assert [(t.symbol, t.state) for t in found] == [("SPY", "firing"), ("SPY", "resolved")]


def test_a_stale_feed_fires_where_other_rules_know_nothing() -> None:
    down: dict[str, Any] = {"activity": "feed_down", "trades": 0, "volume": 0.0}
    given = [at(0, 10.0), at(1, 10.0, **down), at(2, 10.0, **down), at(3, 10.0)]
    found = tell(made("feed_stale"), given)
    assert [(t.state, t.summary) for t in found] == [
        ("firing", "SPY activity is feed_down, on 1m"),
        ("resolved", "SPY activity is feed_down, no longer on 1m"),
    ]
    assert lives(made("feed_stale", activities=["quiet", "halted"]), given) == []
