from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.unit.alerting.test_lane import bars
from tickstream.alerting.adapters.rehearsals import TooLongError, read_rehearsal, rehearsal_json
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.rule import ByExpression, Rule, RuleBook
from tickstream.alerting.language.parser import parse as parse_expression
from tickstream.alerting.rows import rows_of_bars
from tickstream.alerting.spec import InvalidRuleError

MINUTE = 60_000
LEVEL = {"name": "level", "kind": "price_level", "parameters": {"direction": "above", "level": 110}}


def rule_of(when: str) -> dict[str, object]:
    return {"name": "said", "kind": "expression", "parameters": {"when": when}}


def asked(rule: object = LEVEL, **columns: object) -> dict[str, object]:
    columns_of_three = {
        "start_ms": [0, MINUTE, 2 * MINUTE],
        "end_ms": [MINUTE, 2 * MINUTE, 3 * MINUTE],
        "open": [100, 104, 109],
        "high": [105, 112, 109],
        "low": [99, 103, 101],
        "close": [104, 109, 102],
    }
    return {"rule": rule, "symbol": "SPY", "bars": columns_of_three | columns}


def test_a_level_fires_within_the_bar_that_goes_beyond_it() -> None:
    rehearsal = read_rehearsal(asked(), "XNYS")
    answer = rehearsal_json(rehearsal, rehearsal.run())
    assert (answer["bars"], answer["fired"]) == (3, 1)
    states = [(one["state"], one["value"]) for one in answer["transitions"]]
    assert states == [("firing", 112.0), ("resolved", 109.0)]
    assert all(MINUTE <= one["ts_event_ms"] < 2 * MINUTE for one in answer["transitions"])


def test_a_move_is_measured_over_its_window_across_bars() -> None:
    move = {
        "name": "move",
        "kind": "percent_move",
        "parameters": {"direction": "up", "percent": 12, "window_seconds": 120},
    }
    rehearsal = read_rehearsal(asked(move), "XNYS")
    fired = [one for one in rehearsal.run() if one.state == "firing"]
    assert [round(one.value, 6) for one in fired] == [round((112 / 99 - 1) * 100, 6)]


def test_no_alert_is_made_for_what_is_only_touched() -> None:
    touched = {**LEVEL, "parameters": {"direction": "above", "level": 112}}
    assert read_rehearsal(asked(touched), "XNYS").run() == []


def test_an_expression_says_what_the_service_says_of_the_same_bars() -> None:
    closes = [1, 2, 3, 4, 3, 1, 9]
    records = [replace(each, volume=float(at)) for at, each in enumerate(bars(closes))]
    when = "close > previous(close, 2 bars) and volume > 2 and minutes_since_open < 60"
    columns: dict[str, Any] = {
        name: [getattr(each, name) for each in records] for name in ("open", "high", "low", "close", "volume")
    }
    columns |= {f"{name}_ms": [getattr(each, name) // 10**6 for each in records] for name in ("start", "end")}
    found = read_rehearsal({"rule": rule_of(when), "symbol": "SPY", "bars": columns}, "XNYS").run()
    rows = [row for row in rows_of_bars(records, "XNYS", {"1m"}) if row is not None]
    rule = Rule(str(UUID(int=0)), "said", ByExpression(parse_expression(when)))
    assert found == backtest(RuleBook([rule]), rows, [])
    assert [one.state for one in found] == ["firing", "resolved", "firing"]


def test_indicators_and_sessions_are_taken_as_given() -> None:
    given = asked(rule_of("rsi_14 > 70 during regular"), indicators={"rsi_14": [71, None, 72]}, session=["regular"] * 3)
    assert [one.state for one in read_rehearsal(given, "XNYS").run()] == ["firing"]
    assert read_rehearsal(given | {"bars": {**given["bars"], "session": ["pre"] * 3}}, "XNYS").run() == []  # type: ignore[dict-item]
    # Midnight of 1970-01-01, UTC, is closed in New York.
    assert read_rehearsal(asked(rule_of("close > 1 during regular")), "XNYS").run() == []
    assert read_rehearsal(asked(rule_of("close > 1 during continuous")), "24/7").run()


def test_figures_are_taken_as_given() -> None:
    when = (
        "close > 103 and market.breadth[1d].advancers < 100 and analytics.beta[1d].market > 1"
        ' and "group:Oil/Gas".returns[1d].equal_weighted < 0'
    )
    figures = {
        "market.breadth[1d].advancers": [99, 99, 99],
        "analytics.beta[1d].market": [None, 2, 2],
        '"group:Oil/Gas".returns[1d].equal_weighted': [-1, -1, 1],
    }
    found = read_rehearsal(asked(rule_of(when), figures=figures), "XNYS").run()
    assert [(one.state, one.symbol, one.ts_event) for one in found] == [
        ("firing", "SPY", 2 * MINUTE * 10**6), ("resolved", "SPY", 3 * MINUTE * 10**6)
    ]  # fmt: skip


def test_a_rule_about_groups_takes_a_group_and_no_prices() -> None:
    rule = rule_of("group.breadth[1d].advancers < 3 and market.breadth[1d].advancers > 5 for 2 bars")
    bars = {
        "start_ms": [0, MINUTE, 2 * MINUTE],
        "end_ms": [MINUTE, 2 * MINUTE, 3 * MINUTE],
        "figures": {"group.breadth[1d].advancers": [2, 1, 4], "market.breadth[1d].advancers": [6, 6, 6]},
    }
    given = {"rule": rule, "symbol": "group:banks", "bars": bars}
    found = read_rehearsal(given, "XNYS").run()
    assert [(one.state, one.symbol, one.value) for one in found] == [
        ("pending", "group:banks", 2.0), ("firing", "group:banks", 1.0), ("resolved", "group:banks", 4.0)
    ]  # fmt: skip
    assert read_rehearsal({**given, "rule": {**rule, "symbols": ["group:oil"]}}, "XNYS").run() == []


def test_a_trial_ends_when_it_is_told_to() -> None:
    def check() -> None:
        raise TooLongError

    with pytest.raises(TooLongError):
        read_rehearsal(asked(rule_of("close > 1")), "XNYS").run(check)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        (asked(open=[1, 2]), "/bars"),
        (asked(start_ms=[0, 2 * MINUTE, MINUTE]), "/bars"),
        (asked(end_ms=[0, 1, 2]), "/bars"),
        (asked(low=[999, 1, 1]), "/bars"),
        (asked({**LEVEL, "parameters": {"direction": "above", "level": -1}}), "/rule/parameters/level"),
        (asked({"name": "v", "kind": "volume_spike", "parameters": {"factor": 2}}), "/bars/volume"),
        (asked(rule_of("rsi_14 > 70")), "/bars/indicators/rsi_14"),
        (asked(rule_of("close > 1 on 5m")), "/bars"),
        (asked(rule_of("SPY.close > QQQ.close")), "/rule/parameters/when"),
        (asked(rule_of("market.breadth[1d].advancers < 100")), "/bars/figures/market.breadth[1d].advancers"),
        (
            asked(rule_of('"group:a/b".breadth[1d].advancers < 100')),
            '/bars/figures/"group:a~1b".breadth[1d].advancers',
        ),
        (
            asked(rule_of("group.x[1d].y < 100"), figures={"group.x[1d].y": [1, 2, 3]}),
            "/symbol",
        ),
        (asked(figures={"market.x[1d].y": [1]}), "/bars"),
        (asked(high=None), "/bars/high"),
        (asked(rule_of("close > 1"), close=None), "/bars/close"),
        (asked(rule_of("clse > 1")), "/rule/parameters/when"),
        (asked(volume=[1, 2]), "/bars"),
        (asked(volume=[1, 2, -3]), "/bars/volume/2"),
        (asked(indicators={"rsi_14": [1]}), "/bars"),
        (asked(session=["regular", "open", "regular"]), "/bars/session/1"),
        ({"rule": LEVEL, "symbol": "SPY"}, "/bars"),
        (None, ""),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(given: object, pointer: str) -> None:
    with pytest.raises(InvalidRuleError) as raised:
        read_rehearsal(given, "XNYS")
    assert [problem.pointer for problem in raised.value.problems] == [pointer]
