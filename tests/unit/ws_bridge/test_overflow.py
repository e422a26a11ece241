"""When more waits for a client than there is room for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.nodes import LIMITS, SYMBOLS, Log, Node, served, token_of
from tickstream.ws_bridge.domain.entry import Entry
from tickstream.ws_bridge.domain.hub import Hub, Subscribed
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import parse_subscribe, parse_unsubscribe
from tickstream.ws_bridge.domain.sharing import Overflow, Room

ROOM = Room(records=10, bytes=10_000, frame_records=1_000, snapshot_bytes=10_000)


def hub(room: Room = ROOM) -> Hub:
    made = Hub(Market(history=100, max_records=10_000, max_symbols=100), LIMITS, room, flush_seconds=0.01)
    made.market.know(SYMBOLS)
    made.positions.open("ticks", b"key", "epoch", {0: 0})
    return made


def subscribe(made: Hub, **fields: object) -> Subscribed:
    return made.subscribe("x", parse_subscribe([fields], LIMITS))


def trades(made: Hub, symbol: str, numbers: range, size: int = 0) -> None:
    for number in numbers:
        body = json.dumps({"seq": number, "pad": "x" * size}).encode()
        made.tick(Entry(("ticks", "", symbol), ("ticks", "", symbol), body, offset=number))
        made.positions.reached("ticks", 0, number + 1)


def alerts(made: Hub, count: int) -> None:
    for number in range(count):
        made.subscriptions.offer(Entry(("alerts", "", "A"), None, b"%d" % number, offset=number))


def frames(made: Hub, now: float) -> dict[str, dict[str, Any]]:
    return {frame.channel: json.loads(frame.packet[1:])[1] for frame in made.collect("x", now)}


def test_idle_subscriptions_leave_their_room_to_the_busy_one() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    for interval in ("1s", "1m", "5m", "15m", "1h"):
        subscribe(made, channel="bars", symbols=["A"], interval=interval)
    trades(made, "A", range(1, 11))
    assert made.bound("x") == Overflow()
    trades(made, "A", range(11, 13))
    assert made.bound("x") == Overflow(dropped=2, behind=True)
    assert [one["seq"] for one in frames(made, 1.0)["ticks"]["data"]] == list(range(3, 13))


def test_alerts_never_give_way_to_trades() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    subscribe(made, channel="alerts", symbols=["A"])
    trades(made, "A", range(1, 9))
    alerts(made, 5)
    assert made.bound("x").dropped == 3
    sent = frames(made, 1.0)
    assert (sent["alerts"]["data"], sent["alerts"]["lost"]) == (list(range(5)), 0)
    assert ([one["seq"] for one in sent["ticks"]["data"]], sent["ticks"]["lost"]) == ([4, 5, 6, 7, 8], 3)


def test_a_client_that_cant_take_its_alerts_is_full_instead_of_losing_one() -> None:
    made = hub()
    subscribe(made, channel="alerts", symbols=["A"])
    alerts(made, 5)
    assert not made.bound("x").full
    alerts(made, 1)
    assert made.bound("x").full
    assert frames(made, 1.0)["alerts"]["lost"] == 0


def test_what_its_own_max_hz_makes_a_subscription_lose_is_not_the_clients_slowness() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all", maxHz=0.1)
    trades(made, "A", range(1, 21))
    assert made.bound("x") == Overflow(dropped=10, behind=False)


def test_a_frame_without_records_tells_of_those_that_were_too_large() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    trades(made, "A", range(1, 3), size=20_000)
    assert made.bound("x").dropped == 2
    assert made.waiting() == ["x"]
    told = frames(made, 1.0)["ticks"]
    assert (told["data"], told["lost"]) == ([], 2)
    assert made.waiting() == []
    assert frames(made, 2.0) == {}


def test_a_loss_not_told_yet_is_before_the_tokens_place() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    held = subscribe(made, channel="ticks", symbols=["B"], mode="all", maxHz=0.1).subscription
    trades(made, "B", range(1))
    frames(made, 1.0)
    trades(made, "B", range(1, 21))
    made.bound("x")
    trades(made, "A", range(21, 22))
    token = frames(made, 2.0)["ticks"]["resume"]
    assert made.positions.read("ticks", token).of(held.filter()) == {0: 1}
    told = frames(made, 60.0)["ticks"]
    assert ([one["seq"] for one in told["data"]], told["lost"]) == (list(range(11, 21)), 10)
    assert made.positions.read("ticks", told["resume"]).of(held.filter()) == {0: 22}


@pytest.mark.parametrize("mode", ["all", "latest"])
def test_what_a_narrower_subscription_had_waiting_is_told_to_the_wider_one(mode: str) -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["*"], mode=mode)
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    trades(made, "A", range(1, 4))
    made.unsubscribe("x", parse_unsubscribe([{"channel": "ticks", "symbols": ["A"]}], LIMITS))
    trades(made, "A", range(4, 5))
    told = frames(made, 1.0)["ticks"]
    assert ([one["seq"] for one in told["data"]], told["lost"]) == ([4], 3)


def test_fewer_frames_have_the_same_records() -> None:
    made = hub(Room(records=50_000, bytes=10**7, frame_records=100, snapshot_bytes=10_000, frame_bytes=10**6))
    subscribe(made, channel="ticks", symbols=["A"], mode="all")
    got: list[int] = []
    for second in range(3):
        trades(made, "A", range(second * 5_000, (second + 1) * 5_000))
        assert made.bound("x") == Overflow()
        got += [one["seq"] for one in frames(made, 100.0 + second)["ticks"]["data"]]
    assert got == list(range(15_000))


def test_a_frame_is_no_larger_for_being_of_several_subscriptions() -> None:
    made = hub(Room(records=1_000, bytes=10**6, frame_records=20, snapshot_bytes=10_000))
    for symbol in SYMBOLS:
        subscribe(made, channel="ticks", symbols=[symbol], mode="all")
        trades(made, symbol, range(100))
    sizes = []
    while told := frames(made, 1.0):
        sizes.append(len(told["ticks"]["data"]))
    assert sizes == [20] * 20


def test_two_subscriptions_to_a_channel_each_keep_their_own_max_hz() -> None:
    made = hub()
    subscribe(made, channel="ticks", symbols=["A"], mode="all", maxHz=7)
    subscribe(made, channel="ticks", symbols=["B"], mode="all", maxHz=3)
    got: dict[str, int] = {"A": 0, "B": 0}
    for step in range(6_000):
        for symbol in got:
            body = json.dumps({"symbol": symbol}).encode()
            made.tick(Entry(("ticks", "", symbol), None, body, offset=step))
        for told in frames(made, 100 + step * 0.01).values():
            for symbol in {one["symbol"] for one in told["data"]}:
                got[symbol] += 1
    assert got == {"A": pytest.approx(420, abs=1), "B": pytest.approx(180, abs=1)}


def test_what_was_missed_by_all_subscriptions_of_a_client_shares_one_room() -> None:
    log = Log()
    node = Node(log, ROOM)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A", "B"], mode="all"))
    for symbol in "AAAAAABBBBBB":
        log.publish(symbol)
    node.live(0, 100)
    node.live(1, 100)
    recovered = [
        served(node, node.subscribe("y", channel="ticks", symbols=[symbol], mode="all", resume=token))["recovered"]
        for symbol in "AB"
    ]
    assert recovered == [True, False]
