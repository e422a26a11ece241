"""Rules of all kinds of nonsense: taken, or refused in words, and nothing else."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.expressions import expressions
from tickstream.alerting.domain.lookback import MOST_ROWS, lookback
from tickstream.alerting.language.errors import ExpressionError
from tickstream.alerting.language.parser import parse
from tickstream.alerting.spec import InvalidRuleError, RuleSpec
from tickstream.alerting.spec import parse as parse_rule

_TOKEN = re.compile(r'"[^"]*"|\w+|\s+|.')
_WORDS = (
    "and", "or", "not", "then", "within", "until", "on", "during", "for", "bars", "close", "rsi_14", "SPY", '"A"', "(",
    ")", "[", "]", ",", ".", "%", ">", "==", "-", "/", "0", "5000", "1e400", "9" * 400, "5m", "1d", "100t", "ticks",
    "mean", "crosses_above", "rises", "session", "is", "regular", "market", "group",
    '"group:a b"', "'", '"', "\0", "\u2028", "é", "٣", "\n",
)  # fmt: skip


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """A valid expression in which some tokens, or characters, were lost, doubled, exchanged or put in."""
    text = str(draw(expressions()))
    parts = _TOKEN.findall(text) if draw(st.booleans()) else list(text)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(parts) - 1)))
        word = draw(st.one_of(st.sampled_from(_WORDS), st.characters()))
        doubled = parts[at : at + 1] * 2
        parts[at : at + 1] = draw(st.sampled_from([[], [word], [*parts[at : at + 1], " ", word], doubled]))
    return "".join(parts)


def check(text: str) -> None:
    """It is an expression, or refused as it should be."""
    refusal: ExpressionError | None = None
    try:
        found = parse(text)
    except ExpressionError as error:
        refusal = error
    else:
        assert parse(str(found)) == found
        assert found.interval == "ticks" or lookback(found) <= MOST_ROWS
    if refusal is not None:
        assert refusal.reason
        assert 1 <= refusal.line <= text.count("\n") + 1
        assert 1 <= refusal.column <= len(text) + 2
        assert refusal.excerpt.endswith("^")


@settings(max_examples=400)
@given(nearly())
def test_an_expression_that_is_nearly_right_is_taken_or_refused_at_a_place(text: str) -> None:
    check(text)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_at_a_place(text: str) -> None:
    check(text)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from(["expression", "price_level", "above", "XNYS", "regular", "mon", "09:30-16:00", "*", "info"]),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(
            st.one_of(st.text(max_size=5), st.sampled_from(["when", "level", "sessions", "days", "times", "calendar"])),
            below, max_size=4,
        ),
    ),
    max_leaves=8,
)  # fmt: skip
_FIELDS = (
    "name", "kind", "parameters", "symbols", "severity", "labels", "for_seconds", "cooldown_seconds",
    "keep_firing_for_seconds", "schedule", "enabled", "nothing",
)  # fmt: skip
_RULE = {"name": "r", "kind": "expression", "parameters": {"when": "close > 1"}}


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=4))
def test_whatever_is_written_as_a_rule_is_taken_or_refused_with_its_places(given: dict[str, Any]) -> None:
    rule: RuleSpec | None = None
    refusal: InvalidRuleError | None = None
    try:
        rule = parse_rule(_RULE | given)
    except InvalidRuleError as error:
        refusal = error
    assert refusal is None or (refusal.problems and all(problem.detail for problem in refusal.problems))
    assert rule is None or parse_rule(rule.model_dump(mode="json")) == rule


@given(_VALUES)
def test_what_is_no_rule_at_all_is_refused(given: Any) -> None:
    refused = False
    try:
        parse_rule(given)
    except InvalidRuleError:
        refused = True
    assert refused
