"""Expressions as hypothesis makes them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tickstream.alerting.domain.expression import (
    And,
    Arithmetic,
    Call,
    Comparison,
    Cross,
    Expression,
    Extent,
    InActivity,
    InSession,
    Move,
    Negative,
    Not,
    Number,
    Or,
    Series,
    Test,
    Then,
    Value,
    walk,
)

MINUTE = 60 * 10**9
EXTENTS = st.one_of(st.integers(1, 4).map(Extent), st.integers(1, 4).map(lambda n: Extent(n * MINUTE, "time")))
SYMBOLS = st.sampled_from([None, None, "A", "B"])
SERIES = st.one_of(
    st.builds(Series, st.just("bar"), st.sampled_from(["close", "open", "volume"]), SYMBOLS),
    st.builds(Series, st.just("indicator"), st.sampled_from(["rsi_14", "vwap"]), SYMBOLS),
    st.builds(Series, st.just("analytics"), st.just("risk.value"), SYMBOLS, st.just("30m")),
    st.just(Series("market", "breadth.advancers", None, "1d")),
    st.just(Series("group", "breadth.advancers", "group:x y", "1d")),
)
SERIES_OF_GROUPS = st.one_of(
    st.just(Series("group", "breadth.advancers", None, "1d")),
    st.just(Series("group", "breadth.advancers", "group:x y", "1d")),
    st.just(Series("market", "breadth.advancers", None, "1d")),
    st.just(Series("bar", "close", "A")),
    st.just(Series("indicator", "rsi_14", "B")),
    st.just(Series("analytics", "risk.value", "A", "30m")),
)
"""What a rule may speak of that looks at groups."""
NUMBERS = st.one_of(st.integers(0, 6).map(float), st.sampled_from([0.5, 1.25, 1e20])).map(Number)
SESSIONS = st.lists(st.sampled_from(["pre", "regular", "post"]), min_size=1, max_size=2, unique=True).map(tuple)


def _changes(node: Any) -> bool:
    """Whether bars have a part in it: of what is the same for ever, nothing is said about the time before the first."""
    return any(isinstance(each, Series) for each in walk(node))


def _values(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    one = st.tuples(below.filter(_changes))
    return st.one_of(
        st.builds(Negative, below),
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/"]), below, below),
        st.builds(Call, st.just("previous"), one, st.one_of(st.none(), EXTENTS)),
        st.builds(
            Call,
            st.sampled_from(
                ["change", "percent_change", "mean", "sum", "stddev", "highest", "lowest", "median", "mad", "robust_z"]
            ),
            one,
            EXTENTS,
        ),
        st.builds(Call, st.sampled_from(["abs", "sqrt", "log"]), st.tuples(below)),
        st.builds(Call, st.sampled_from(["min", "max"]), st.tuples(below, below)),
    )


def _tests(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(below, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Not, below), st.builds(And, several), st.builds(Or, several), st.builds(Then, below, below, EXTENTS)
    )


def _conditions(series: st.SearchStrategy[Series], *more: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
    values: st.SearchStrategy[Value] = st.recursive(st.one_of(series, NUMBERS), _values, max_leaves=4)
    plain: st.SearchStrategy[Test] = st.one_of(
        st.builds(Comparison, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), values, values),
        st.builds(Cross, st.sampled_from(["above", "below"]), values.filter(_changes), values),
        st.builds(Move, st.sampled_from(["rises", "falls", "moves"]), series, st.sampled_from([1.0, 25.0]), EXTENTS),
        *more,
    )
    return st.recursive(plain, _tests, max_leaves=4)


TESTS = _conditions(SERIES, st.builds(InSession, SESSIONS), st.builds(InActivity, st.just(("feed_down", "halted"))))
TESTS_OF_GROUPS = _conditions(SERIES_OF_GROUPS)


def expressions() -> st.SearchStrategy[Expression]:
    """Whole expressions on 1m bars."""
    whole = st.builds(
        Expression,
        TESTS,
        st.just("1m"),
        st.one_of(st.none(), TESTS),
        st.one_of(st.just(()), SESSIONS),
        st.one_of(st.none(), st.integers(1, 3).map(Extent)),
    )
    return whole.filter(
        lambda e: bool(e.series()) or any(isinstance(node, InSession | InActivity) for node in e.nodes())
    )
