from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.alerting.expressions import expressions
from tickstream.alerting.domain.expression import Comparison, Cross, Expression, Extent, Number, Series
from tickstream.alerting.domain.rule import PercentMove, PriceLevel
from tickstream.alerting.language.errors import ExpressionError
from tickstream.alerting.language.parser import MAX_LENGTH, parse
from tickstream.alerting.spec import InvalidRuleError
from tickstream.alerting.spec import parse as parse_rule


def refused(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return caught.value


def test_an_expression_becomes_a_tree() -> None:
    found = parse("close crosses_above bbands_20_2_upper on 5m for 2 bars")
    cross = Cross("above", Series("bar", "close"), Series("indicator", "bbands_20_2_upper"))
    assert found == Expression(cross, "5m", hold=Extent(2))
    assert parse("SPY.close > 1 during regular, pre").sessions == ("regular", "pre")
    of_one = Series("group", "breadth.advancers", "group:Oil & Gas", "1d")
    assert parse('"group:Oil & Gas".breadth[1d].advancers > 1').series() == (of_one,)
    assert parse("group.breadth[1d].advancers > 1").series() == (replace(of_one, symbol=None),)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("close - 1 - 2 > 3", "(close - 1) - 2 > 3"),
        ("close - 2 * 3 > 1", "close - (2 * 3) > 1"),
        ("-close * 2 < 1", "(-close) * 2 < 1"),
        ("close > 1 or open > 2 and low > 3", "close > 1 or (open > 2 and low > 3)"),
        ("not close > 1 and open > 2", "(not close > 1) and open > 2"),
        ("close > 1 then open > 2 within 5m", "(close > 1) then (open > 2) within 300s"),
        ("close rises by 2% within 5 bars", "close rises 2% within 5 bars"),
        ("vwap > indicator.vwap", "vwap > (indicator.vwap)"),
        ('"SPY".close > 1', "SPY.close > 1"),
        ("group.breadth[1d].advancers > 1", "(group.breadth[1d].advancers) > 1"),
        ("close > 1 for 2 bars on 5m", "close > 1 on 5m for 2 bars"),
    ],
)
def test_texts_that_mean_the_same_are_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("clse > 3", 1, "no value 'clse'; did you mean close?"),
        ("close > 3 and rsy_14 < 30", 15, "did you mean rsi_14?"),
        ("meen(close, 3 bars) > 1", 1, "did you mean mean?"),
        ("close > 3 during regulr", 18, "did you mean regular?"),
        ("close >", 8, "ends too early: expected a value"),
        ("close > 5 bars", 11, "found 'bars'"),
        ("close crosses above 3", 7, "crosses_above or crosses_below"),
        ("close", 1, "expected a condition"),
        ("close > (open > 3)", 10, "expected a value, found a condition"),
        ("mean(close) > 3", 1, "how far back"),
        ("abs(close, 3 bars) > 1", 12, "no time"),
        ("close > 3 on 7m", 14, "must go into a day"),
        ("close > 3 on 1m on 5m", 20, "one clause 'on'"),
        ("close ? 3", 7, "has no meaning here"),
        ('close > "x', 9, "without its end"),
        ("price > 3", 1, "say on ticks"),
        ("close > 3 on ticks", 1, "on ticks takes price"),
        ("price > 3 on ticks for 2 bars", 1, "neither bars"),
        ("close rises 2% within 1h on 100t", 1, "say how many bars"),
        ("close rises 2% within 2d on 1s", 1, "look back at most"),
        ("close rises 0% within 2 bars", 13, "more than 0%"),
        ("mean(close, 1.5 bars) > 3", 13, "must be whole"),
        ("analytics.breadth.advancers > 3", 1, "analytics.NAME[WINDOW].VALUE"),
        ("SPY.market.breadth[1d].advancers > 3", 5, "belong to no symbol"),
        ("SPY.group.breadth[1d].advancers > 3", 5, "a group's figures belong to no symbol"),
        ("group.breadth.advancers > 3", 1, "expected group.NAME[WINDOW].VALUE"),
        ('1 < "group:banks".close', 5, 'expected "group:banks".NAME[WINDOW].VALUE'),
        ('1 < "group:banks"', 5, 'expected "group:banks".NAME[WINDOW].VALUE'),
        ('1 < "group:banks".analytics.breadth[1d].advancers', 5, 'expected "group:banks".NAME[WINDOW].VALUE'),
        ('1 < "group:".breadth[1d].advancers', 5, "a group's name has letters, digits, blanks"),
        ('1 < "group:' + "ä" * 30 + '".breadth[1d].advancers', 5, "1 to 58 bytes"),
        ("1 < group:banks.breadth[1d].advancers", 10, 'what has one is quoted, such as "group:NAME"'),
        ('1 < "a b".close', 5, "a symbol has 1 to 64 letters"),
        ("group.breadth[1d].advancers < 3 and close > 1", 37, "expected whose, as in SPY.close"),
        ("group.breadth[1d].advancers < 3 until analytics.beta[1d].market > 1", 39, "is a symbol's, and the rule"),
        ("group.breadth[1d].advancers < 3 and session is regular", 48, "expected a schedule"),
        ("group.breadth[1d].advancers < 3 during regular", 40, "expected a schedule"),
        ("group.breadth[1d].advancers < 3 on 5m", 36, "expected 1m"),
        ("mean > 3", 1, "is a function"),
        ("1 > 2", 1, "must speak of a value"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, column: int, said: str) -> None:
    error = refused(text)
    assert (error.line, error.column) == (1, column)
    assert said in error.reason
    line, mark = error.excerpt.split("\n")
    assert line == text
    assert mark.index("^") == column - 1


def test_an_error_of_a_later_line_shows_that_line() -> None:
    error = refused("close > 3\n\tand clos > 4")
    assert (error.line, error.column, error.excerpt) == (2, 6, "\tand clos > 4\n\t    ^^^^")


def test_length_and_depth_are_bounded() -> None:
    assert "at most" in refused("close > 1" + " " * MAX_LENGTH).reason
    assert "levels" in refused("not " * 50 + "close > 1").reason
    assert "levels" in refused("-" * 900 + "close > 1").reason
    assert "levels" in refused("(" * 900 + "close" + ")" * 900 + "> 1").reason


@given(expressions())
def test_what_is_printed_parses_to_the_same(expression: Expression) -> None:
    assert parse(str(expression)) == expression


_WORDS = re.findall(
    r"\S+",
    """close open price rsi_14 sma_20 SPY QQQ market group "group:a" analytics indicator
    . , ( ) [ ] 1d 5m 1 2.5 1e9 > >= == != + - * /
    % and or not then within until on during for session is regular bars bar mean previous crosses_above rises moves
    ticks 100t "BTC-USD" " ' $ \\ é""",
)


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_WORDS), max_size=40).map(" ".join)))
def test_whatever_is_written_is_taken_or_refused_in_words(text: str) -> None:
    error: ExpressionError | None = None
    try:
        found = parse(text)
    except ExpressionError as refusal:
        error = refusal
    else:
        assert parse(str(found)) == found
    assert error is None or (error.reason and 1 <= error.line <= text.count("\n") + 1)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("price > 100 on ticks", PriceLevel("above", 100.0)),
        ("100 > price on ticks", PriceLevel("below", 100.0)),
        ("price crosses_below 99 until price >= 100 on ticks", PriceLevel("below", 99.0, 1.0, crossing=True)),
        ("price falls 2% within 5m on ticks", PercentMove("down", 2.0, 300 * 10**9)),
    ],
)
def test_expressions_on_ticks_are_the_kinds_that_watch_trades(text: str, condition: Any) -> None:
    spec = parse_rule({"name": "r", "kind": "expression", "parameters": {"when": text}})
    assert spec.parameters.condition() == condition


def test_a_volume_spike_is_short_for_an_expression() -> None:
    given = {"factor": 4, "bars": 20, "hysteresis": 1}
    spec = parse_rule({"name": "r", "kind": "volume_spike", "parameters": given})
    condition: Any = spec.parameters.condition()
    ratio = parse("volume / mean(previous(volume), 20 bars) >= 4").condition
    assert condition.expression.condition == ratio
    assert isinstance(condition.expression.until, Comparison)
    assert condition.expression.until.right == Number(3.0)


def test_a_rule_with_a_bad_expression_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidRuleError) as caught:
        parse_rule({"name": "r", "kind": "expression", "parameters": {"when": "clse > 3"}})
    (problem,) = caught.value.problems
    assert problem.pointer == "/parameters/when"
    assert "line 1, column 1" in problem.detail
    assert problem.detail.endswith("clse > 3\n^^^^")
