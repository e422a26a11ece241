from __future__ import annotations

from tests.unit.alerting.test_lane import MINUTE, OPEN, bar, bars, rule, short
from tickstream.alerting.backtest.explain import explain
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.lane import Row
from tickstream.alerting.domain.rule import PriceLevel, Rule, RuleBook
from tickstream.alerting.language.parser import parse
from tickstream.alerting.rows import rows_of_bars
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick


def rows(closes: list[float]) -> list[Row]:
    return [row for row in rows_of_bars([*bars(closes), bar(0, 1, symbol="AIG")], "XNYS", {"1m"}) if row is not None]


def test_a_rule_made_later_looks_back_but_tells_nothing_of_before() -> None:
    watching = rule("close > previous(close, 2 bars)")
    given = rows([1, 2, 3, 4, 3, 1, 9])
    whole = backtest(RuleBook([watching]), given, [])
    assert short(whole) == [("firing", 3, 3), ("resolved", 5, 3), ("firing", 7, 9)]
    since = OPEN + 3 * MINUTE
    assert short(backtest(RuleBook([watching]), given, [], since)) == [
        ("firing", 4, 4), ("resolved", 5, 3), ("firing", 7, 9)
    ]  # fmt: skip


def test_rules_on_ticks_are_tried_as_well() -> None:
    ticks = [Tick("SPY", price, 1.0, ts, ts, ts, "s") for ts, price in ((1, 11.0), (2, 9.0), (3, 12.0))]
    book = RuleBook([Rule("r", "level", PriceLevel("above", 10.0))])
    found = backtest(book, [], [TickColumns.of(ticks, TickInterners())], since=2)
    assert [(t.state, t.ts_event) for t in found] == [("firing", 3)]


def test_an_explanation_has_each_part_at_each_bar() -> None:
    found = explain(
        parse("close > 2 and close > previous(close)"), "SPY", rows([1, 3, 2, 4]), OPEN + MINUTE, OPEN + 9 * MINUTE
    )
    assert found.parts == (
        "close > 2 and close > previous(close)",
        "close > 2",
        "close",
        "close > previous(close)",
        "previous(close)",
    )
    assert [step.values for step in found.steps] == [
        (True, True, 3.0, True, 1.0), (False, False, 2.0, False, 3.0), (True, True, 4.0, True, 2.0)
    ]  # fmt: skip
    assert explain(parse("close > 2"), "nobody", rows([1]), 0, OPEN).steps == ()


def test_an_explanation_says_what_is_not_known() -> None:
    found = explain(parse("close > previous(close)"), "SPY", rows([1, 3]), 0, OPEN + 9 * MINUTE)
    assert [step.values for step in found.steps] == [(None, 1.0, None), (True, 3.0, 1.0)]
