from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.expressions import MINUTE, TESTS, TESTS_OF_GROUPS
from tests.unit.alerting.interpreter import Interpreter, Market
from tickstream.alerting.domain.compute import Computer
from tickstream.alerting.domain.expression import Test as Condition
from tickstream.alerting.domain.frame import FIGURES, Frame
from tickstream.alerting.domain.names import ACTIVITY, SESSION, SESSIONS
from tickstream.alerting.domain.tape import Tape, TapeKey
from tickstream.alerting.language.parser import parse

BARS, INDICATORS = TapeKey("bars", "1m"), TapeKey("indicators", "1m")
GROUPS = ["group:x y", "group:z"]
DEPTH = 60
CODES = {False: 0, None: 1, True: 2}

_SMALL = st.integers(0, 6).map(float)
_BAR = st.fixed_dictionaries(
    {"close": _SMALL, "open": _SMALL, "volume": _SMALL, "activity": st.integers(0, 3).map(float)}
)


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Two symbols, and figures of the market and of two groups, with minutes missing here and there."""
    bars: dict[str, Any] = {}
    indicators: dict[tuple[str, int], dict[str, float]] = {}
    figures: dict[tuple[str, int], dict[str, float]] = {}
    for symbol in ("A", "B"):
        minutes = draw(st.lists(st.integers(1, 12), min_size=1, unique=True).map(sorted))
        sessions = st.sampled_from(["pre", "regular", "post"])
        bars[symbol] = [(minute * MINUTE, draw(sessions), draw(_BAR)) for minute in minutes]
        for minute in draw(st.lists(st.integers(1, 12), unique=True)):
            indicators[symbol, minute * MINUTE] = {"rsi_14": draw(_SMALL), "vwap": draw(_SMALL)}
            figures[symbol, minute * MINUTE] = {"risk.value[30m]": draw(_SMALL)}
            figures["market", minute * MINUTE] = {"breadth.advancers[1d]": draw(_SMALL)}
    for group in GROUPS:
        for minute in draw(st.lists(st.integers(1, 12), min_size=1, unique=True)):
            figures[group, minute * MINUTE] = {"breadth.advancers[1d]": draw(_SMALL)}
    return Market(bars, indicators, figures)


def tapes_of(market: Market) -> dict[TapeKey, Tape]:
    tapes = {
        BARS: Tape(["close", "open", "volume", SESSION, ACTIVITY], DEPTH),
        INDICATORS: Tape(["rsi_14", "vwap"], DEPTH),
        FIGURES: Tape(["risk.value[30m]", "breadth.advancers[1d]"], DEPTH),
    }
    for symbol, rows in market.bars.items():
        for end, session, fields in rows:
            tapes[BARS].put(symbol, end, {**fields, SESSION: float(SESSIONS.index(session))})
    for (symbol, end), fields in market.indicators.items():
        tapes[INDICATORS].put(symbol, end, fields)
    for (symbol, end), fields in sorted(market.figures.items(), key=lambda pair: pair[0][1]):
        tapes[FIGURES].put(symbol, end, fields)
    return tapes


@settings(max_examples=150, deadline=None)
@given(TESTS, markets())
def test_all_symbols_at_once_are_what_each_bar_by_itself_is(condition: Condition, market: Market) -> None:
    compare(condition, market, Frame(BARS, tapes_of(market), ["A", "B"]))


@settings(max_examples=150, deadline=None)
@given(TESTS_OF_GROUPS, markets())
def test_all_groups_at_once_are_what_each_minute_by_itself_is(condition: Condition, market: Market) -> None:
    compare(condition, market, Frame(FIGURES, tapes_of(market), GROUPS))


def compare(condition: Condition, market: Market, frame: Frame) -> None:
    """Hold what is worked out for all at once against what is worked out plainly."""
    views = [Interpreter(market, symbol) for symbol in frame.symbols]
    length = max(len(plain.bars) for plain in views)
    held = Computer(frame).held(condition, length)
    begins, goes_on = (np.broadcast_to(each, (2, length)) for each in held)
    for row, plain in enumerate(views):
        count = len(plain.bars)
        expected = [(CODES[plain.begins(condition, at)], CODES[plain.goes_on(condition, at)]) for at in range(count)]
        found = list(zip(begins[row, -count:].tolist(), goes_on[row, -count:].tolist(), strict=True))
        assert found == expected, plain.symbol


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close > 2", [0, 2, 2, 0, 2]),
        ("close crosses_above 2", [0, 2, 0, 0, 2]),
        ("close rises 100% within 2 bars", [1, 2, 0, 0, 2]),
        ("previous(close) > 2", [1, 0, 2, 2, 0]),
        ("percent_change(close, 2m) >= 300", [1, 1, 2, 0, 0]),
        ("close < 2 then close > 2 within 1 bar", [0, 2, 0, 0, 2]),
        ("close / (close - 1) > 0", [1, 2, 2, 1, 2]),
    ],
)
def test_conditions_begin_where_they_say(text: str, expected: list[int]) -> None:
    closes = [1.0, 3.0, 4.0, 1.0, 3.0]
    bars = [(minute * MINUTE, "regular", {"close": close}) for minute, close in enumerate(closes, 1)]
    frame = Frame(BARS, tapes_of(Market({"A": bars}, {}, {})), ["A"])
    assert Computer(frame).held(parse(text).condition, 5).begins[0].tolist() == expected
