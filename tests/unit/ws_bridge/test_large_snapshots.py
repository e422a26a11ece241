"""A snapshot too large for one answer comes in parts, and may be broken off anywhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.nodes import LIMITS, SYMBOLS, Log, Node, fields_of, served
from tickstream.ws_bridge.domain.hub import Subscribed
from tickstream.ws_bridge.domain.protocol import parse_unsubscribe
from tickstream.ws_bridge.domain.sharing import Room

SMALL = Room(records=10_000, bytes=10**7, frame_records=1, snapshot_bytes=10**6, frame_bytes=1, answer_bytes=40)
"""A record and no other fits into an answer, and into a frame."""


def frames(node: Node, client: str) -> list[dict[str, Any]]:
    return [json.loads(frame.packet[1:])[1] for frame in node.hub.collect(client, 1.0)]


def node_with_all(log: Log) -> Node:
    for symbol in SYMBOLS:
        log.publish(symbol)
    node = Node(log, SMALL)
    for partition in (0, 1):
        node.live(partition, 10)
    return node


def numbers(records: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["symbol"], one["seq"]) for one in records]


def test_the_rest_comes_before_what_is_live_and_is_never_lost() -> None:
    log = Log()
    node = node_with_all(log)
    answer = node.subscribe("x", channel="ticks", symbols=["*"], maxHz=0.01)
    assert isinstance(answer, Subscribed)
    assert (len(answer.snapshot), answer.more) == (1, 3)
    log.publish("A")
    node.live(0, 1)
    got = fields_of(answer)["snapshot"]
    for more in (3, 2, 1):
        assert len(node.hub.subscriptions.all["s1"].rest) == more
        [frame] = frames(node, "x")
        assert frame["lost"] == 0
        got += frame["data"]
    assert sorted(numbers(got)) == [(symbol, 1) for symbol in SYMBOLS]
    [frame] = frames(node, "x")
    assert numbers(frame["data"]) == [("A", 2)]


@given(st.integers(0, 5), st.lists(st.sampled_from(SYMBOLS), max_size=5), st.sampled_from(["all", "latest"]))
def test_a_client_that_comes_back_amid_the_parts_has_everything_once(taken: int, later: list[str], mode: str) -> None:
    log = Log()
    node = node_with_all(log)
    answer = node.subscribe("x", channel="ticks", symbols=list(SYMBOLS), mode=mode)
    assert isinstance(answer, Subscribed)
    told = fields_of(answer)
    got, token, lost = told["snapshot"], told["resume"], 0
    for symbol in later:
        log.publish(symbol)
    for partition in (0, 1):
        node.live(partition, 10)
    for frame in [frame for _ in range(taken) for frame in frames(node, "x")]:
        got, token, lost = got + frame["data"], frame["resume"], lost + frame["lost"]
    node.hub.leave("x")
    back = served(node, node.subscribe("x", channel="ticks", symbols=list(SYMBOLS), mode=mode, resume=token))
    assert back["recovered"] is True
    while rest := frames(node, "x"):
        got, lost = got + rest[0]["data"], lost + rest[0]["lost"]
    assert len(set(numbers(got))) == len(got)
    assert len(got) + lost == len(SYMBOLS) + len(later)
    for symbol in SYMBOLS:
        seen = [seq for one, seq in numbers(got) if one == symbol]
        assert seen == sorted(seen)
        assert seen[-1] == log.last[symbol]


def test_symbols_given_up_amid_the_parts_do_not_come() -> None:
    node = node_with_all(Log())
    answer = node.subscribe("x", channel="ticks", symbols=list(SYMBOLS))
    gone = [one for one in SYMBOLS if one != fields_of(answer)["snapshot"][0]["symbol"]][:2]  # type: ignore[arg-type] # subscribed
    node.hub.unsubscribe("x", parse_unsubscribe([{"channel": "ticks", "symbols": gone}], LIMITS))
    [frame] = frames(node, "x")
    assert frame["data"][0]["symbol"] not in gone
    assert frames(node, "x") == []
