from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.protocol import (
    Limits,
    RefusalError,
    Subscribe,
    UnsubscribeOne,
    UnsubscribeSymbols,
    parse_empty,
    parse_subscribe,
    parse_unsubscribe,
)

LIMITS = Limits(max_symbols=3, max_subscriptions=5, commands_per_second=10, max_hz=20)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(["channel", "symbols", "interval", "mode", "maxHz", "history", "resume", "subscription"])


def subscribe(**fields: object) -> Subscribe:
    return parse_subscribe([fields], LIMITS)


def test_ticks_are_conflated_unless_asked_otherwise_and_alerts_are_not() -> None:
    assert subscribe(channel="ticks", symbols=["A"]).mode == "latest"
    assert subscribe(channel="alerts", symbols=["*"]).mode == "all"
    assert subscribe(channel="ticks", symbols=["A"], mode="all", maxHz=None).mode == "all"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "bad_request"),
        (["ticks"], "bad_request"),
        ([{}, {}], "bad_request"),
        ([{"symbols": ["A"]}], "bad_request"),
        ([{"channel": 7, "symbols": ["A"]}], "bad_request"),
        ([{"channel": "quotes", "symbols": ["A"]}], "unknown_channel"),
        ([{"channel": "ticks"}], "bad_request"),
        ([{"channel": "ticks", "symbols": []}], "bad_request"),
        ([{"channel": "ticks", "symbols": "A"}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A", 1]}], "bad_request"),
        ([{"channel": "ticks", "symbols": [""]}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["*", "A"]}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A", "B", "C", "D"]}], "too_many_symbols"),
        ([{"channel": "ticks", "symbols": ["A"], "interval": "1m"}], "bad_request"),
        ([{"channel": "bars", "symbols": ["A"]}], "bad_request"),
        ([{"channel": "bars", "symbols": ["A"], "interval": "7m"}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "mode": "some"}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "maxHz": 0}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "maxHz": True}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "history": 5001}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "history": 1.5}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "resume": 5}], "bad_request"),
        ([{"channel": "ticks", "symbols": ["A"], "maxhz": 5}], "bad_request"),
    ],
)
def test_a_subscribe_that_breaks_a_rule_is_refused_with_its_code(arguments: list[object], code: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        parse_subscribe(arguments, LIMITS)
    assert refusal.value.fields() == {"code": code, "message": str(refusal.value)}


def test_bars_of_time_and_of_activity_have_intervals() -> None:
    for interval in ("1s", "10s", "2m", "1d", "100t", "10000v", "1000000d"):
        assert subscribe(channel="bars", symbols=["A"], interval=interval).interval == interval


def test_unsubscribe_has_two_forms() -> None:
    assert parse_unsubscribe([{"subscription": "s1"}], LIMITS) == UnsubscribeOne("s1")
    wanted = UnsubscribeSymbols("ticks", ("A",), everything=False)
    assert parse_unsubscribe([{"channel": "ticks", "symbols": ["A"]}], LIMITS) == wanted
    for both in ({"subscription": "s1", "channel": "ticks"}, {}, {"subscription": 1}):
        with pytest.raises(RefusalError):
            parse_unsubscribe([both], LIMITS)


@given(st.lists(JSON | st.dictionaries(FIELDS, JSON | st.sampled_from(["ticks", "bars", ["A"], "1m"])), max_size=3))
def test_whatever_a_client_sends_is_taken_or_refused(arguments: list[Any]) -> None:
    for parse in (parse_subscribe, parse_unsubscribe):
        with contextlib.suppress(RefusalError):
            parse(arguments, LIMITS)
    with contextlib.suppress(RefusalError):
        parse_empty(arguments)
