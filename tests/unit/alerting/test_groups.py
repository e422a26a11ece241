"""Rules about groups of symbols; what they say is written down by hand."""

from __future__ import annotations

from typing import Any

from tests.unit.alerting.test_lane import MINUTE, OPEN, bar, feed, lane_of, rule
from tickstream.alerting.backtest.explain import explain
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.rule import RuleBook
from tickstream.alerting.language.parser import parse
from tickstream.alerting.rows import rows_of_figures
from tickstream.core.model import AnalyticsFigure

ADVANCERS = "group.breadth[1d].advancers"


def figure(scope: str, minute: int, name: str = "breadth", /, **values: float) -> AnalyticsFigure:
    """A figure of the minute that `bar` has, too."""
    return AnalyticsFigure(scope, name, OPEN + (minute + 1) * MINUTE, "1d", values)


def told(lane: Lane) -> list[tuple[str, str, float, float]]:
    return [(t.symbol, t.state, (t.ts_event - OPEN) / MINUTE, t.value) for t in lane.changes.transitions]


def test_each_group_has_an_alert_of_its_own() -> None:
    lane = lane_of(rule(f"{ADVANCERS} < 3 until {ADVANCERS} > 4 for 2 bars"))
    rows = {
        "group:oil": [2, 3, 4, 5],
        "group:consumer staples": [5, 2, 1, 1],
        "market": [1, 1, 1, 1],
        "A": [1, 1, 1, 1],
    }
    for minute in range(4):
        feed(lane, *(figure(scope, minute, advancers=float(values[minute])) for scope, values in rows.items()))
    assert told(lane) == [
        ("group:oil", "pending", 1, 2), ("group:oil", "firing", 2, 2),
        ("group:consumer staples", "pending", 2, 2), ("group:consumer staples", "firing", 3, 1),
        ("group:oil", "resolved", 4, 5),
    ]  # fmt: skip


def test_groups_are_chosen_as_symbols_are() -> None:
    for pattern, firing in (("group:b*", ["group:banks"]), ("*", ["group:banks", "group:oil"]), ("group:x", [])):
        lane = lane_of(rule(f"{ADVANCERS} < 3", symbols=(pattern,)))
        feed(lane, figure("group:banks", 0, advancers=1.0), figure("group:oil", 0, advancers=2.0))
        assert [symbol for symbol, *_ in told(lane)] == firing


def test_a_group_is_compared_with_the_market_and_with_symbols_of_the_same_minute() -> None:
    when = (
        "group.returns[1d].equal_weighted < market.returns[1d].equal_weighted - 1 and SPY.close > 10"
        " and SPY.analytics.beta[1d].market > 0"
    )
    records: list[Any] = [
        figure("group:oil", 0, "returns", equal_weighted=-2.0),
        figure("market", 0, "returns", equal_weighted=0.5),
        bar(0, 11),
        figure("SPY", 0, "beta", market=1.0),
    ]
    for turn in range(4):
        lane = lane_of(rule(when))
        order = records[turn:] + records[:turn]
        for record in order[:-1]:
            feed(lane, record)
            assert told(lane) == []
        feed(lane, order[-1])
        assert told(lane) == [("group:oil", "firing", 1, -2.0)]


def test_a_rule_about_symbols_looks_at_a_group_as_it_does_at_the_market() -> None:
    lane = lane_of(rule('close > 10 and "group:oil & gas".breadth[1d].advancers < 3'))
    feed(lane, bar(0, 11), bar(0, 12, symbol="QQQ"), bar(0, 9, symbol="AIG"))
    assert told(lane) == []
    feed(lane, figure("group:oil & gas", 0, advancers=2.0), figure("group:banks", 0, advancers=2.0))
    assert told(lane) == [("SPY", "firing", 1, 11), ("QQQ", "firing", 1, 12)]


def test_a_rule_that_names_its_groups_is_one_alert_of_the_first() -> None:
    text = '"group:oil".returns[1d].equal_weighted > "group:banks".returns[1d].equal_weighted + market.gap[1d].percent'
    lane = lane_of(rule(text, symbols=("SPY",)))
    feed(lane, figure("group:banks", 0, "returns", equal_weighted=1.0), figure("market", 0, "gap", percent=1.0))
    feed(lane, figure("group:oil", 0, "returns", equal_weighted=2.5), bar(0, 1))
    assert told(lane) == [("group:oil", "firing", 1, 2.5)]


def test_a_revised_figure_retracts_the_alert_of_its_group() -> None:
    lane = lane_of(rule(f"{ADVANCERS} < 3"))
    feed(lane, figure("group:oil", 0, advancers=2.0), figure("group:oil", 1, advancers=3.0))
    feed(lane, figure("group:oil", 0, advancers=3.0))
    assert [state for _, state, _, _ in told(lane)] == ["firing", "resolved", "resolved"]
    assert "retracted" in lane.changes.transitions[-1].reason


def test_rules_about_the_session_of_bars_and_the_market_are_looked_at_by_the_bar() -> None:
    lane = lane_of(rule("market.breadth[1d].advancers < 3 and session is regular", symbols=("SPY",)))
    feed(lane, figure("market", 0, advancers=2.0), bar(0, 1), bar(0, 1, symbol="QQQ"))
    assert told(lane) == [("SPY", "firing", 1, 2.0)]


def test_a_backtest_and_an_explanation_know_groups() -> None:
    given = [figure("group:oil", minute, advancers=float(count)) for minute, count in enumerate([4, 2, 3])]
    rows = [row for row in rows_of_figures(given) if row is not None]
    found = backtest(RuleBook([rule(f"{ADVANCERS} < 3")]), rows, [])
    assert [(t.symbol, t.state, t.value) for t in found] == [
        ("group:oil", "firing", 2.0),
        ("group:oil", "resolved", 3.0),
    ]
    explained = explain(parse(f"{ADVANCERS} < 3"), "group:oil", rows, 0, OPEN + 9 * MINUTE)
    assert [step.values for step in explained.steps] == [(False, 4.0), (True, 2.0), (False, 3.0)]
