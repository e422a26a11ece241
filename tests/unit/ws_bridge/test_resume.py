"""How a subscription goes on from its token, and when it begins with a snapshot after all."""

from __future__ import annotations

import json

import pytest

from tests.support.nodes import LIMITS, Log, Node, fields_of, served, token_of
from tickstream.ws_bridge.domain.hub import Subscribed
from tickstream.ws_bridge.domain.protocol import RefusalError, parse_unsubscribe
from tickstream.ws_bridge.domain.replay import Absence, Replay
from tickstream.ws_bridge.domain.sharing import Room


def test_a_client_that_never_got_a_frame_goes_on_from_its_acknowledgement() -> None:
    log = Log()
    first, second = Node(log), Node(log)
    token = token_of(first.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    for _ in range(3):
        log.publish("A")
    second.live(0, 3)
    answer = served(second, second.subscribe("x", channel="ticks", symbols=["A"], mode="all", resume=token))
    assert (answer["recovered"], answer["snapshot"]) == (True, [])
    [frame] = second.hub.collect("x", 1.0)
    assert [one["seq"] for one in json.loads(frame.packet[1:])[1]["data"]] == [1, 2, 3]


def test_mode_latest_gets_what_changed_and_is_told_how_many_were_left_out() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["*"]))
    for symbol in "AABAB":
        log.publish(symbol)
    node.live(0, 10)
    node.live(1, 10)
    served(node, node.subscribe("y", channel="ticks", symbols=["*"], resume=token))
    [frame] = node.hub.collect("y", 1.0)
    fields = json.loads(frame.packet[1:])[1]
    assert sorted((one["symbol"], one["seq"]) for one in fields["data"]) == [("A", 3), ("B", 2)]
    assert fields["lost"] == 3


def test_what_is_beyond_retention_begins_with_a_snapshot() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    for _ in range(3):
        log.publish("A")
    node.live(0, 3)
    absence = node.subscribe("y", channel="ticks", symbols=["A"], mode="all", resume=token)
    assert isinstance(absence, Absence)
    replay = Replay([absence], 100, 10_000)
    replay.begin({0: (1, 3), 1: (0, 0)})
    assert (absence.obstacle, replay.ranges()) == ("beyond_retention", {})
    answer = fields_of(node.hub.recover(absence))
    assert (answer["recovered"], [one["seq"] for one in answer["snapshot"]]) == (False, [3])
    log.publish("A")
    node.live(0, 1)
    [frame] = node.hub.collect("y", 1.0)
    assert [one["seq"] for one in json.loads(frame.packet[1:])[1]["data"]] == [4]


@pytest.mark.parametrize(("missed", "meanwhile"), [(5, 0), (1, 5)])
def test_what_doesnt_fit_into_a_clients_buffer_begins_with_a_snapshot(missed: int, meanwhile: int) -> None:
    log = Log()
    node = Node(log, Room(records=3, bytes=10_000, frame_records=100, snapshot_bytes=10_000))
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    for _ in range(missed):
        log.publish("A")
    node.live(0, missed)
    absence = node.subscribe("y", channel="ticks", symbols=["A"], mode="all", resume=token)
    for _ in range(meanwhile):
        log.publish("A")
    node.live(0, meanwhile)
    node.hub.bound("y")
    answer = served(node, absence)
    assert (answer["recovered"], [one["seq"] for one in answer["snapshot"]]) == (False, [missed + meanwhile])
    assert node.hub.collect("y", 1.0) == []


def test_what_was_missed_may_be_as_much_as_a_buffer_holds_beside_what_is_live() -> None:
    log = Log()
    node = Node(log, Room(records=3, bytes=10_000, frame_records=100, snapshot_bytes=10_000))
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    for _ in range(3):
        log.publish("A")
    node.live(0, 3)
    absence = node.subscribe("y", channel="ticks", symbols=["A"], mode="all", resume=token)
    for _ in range(3):
        log.publish("A")
    node.live(0, 3)
    assert served(node, absence)["recovered"] is True
    assert node.hub.bound("y").dropped == 0
    [frame] = node.hub.collect("y", 1.0)
    assert [one["seq"] for one in json.loads(frame.packet[1:])[1]["data"]] == [1, 2, 3, 4, 5, 6]


def test_a_subscription_that_ends_while_it_waits_is_not_resumed() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    absence = node.subscribe("y", channel="ticks", symbols=["A"], mode="all", resume=token)
    assert isinstance(absence, Absence)
    node.hub.leave("y")
    with pytest.raises(RefusalError) as refusal:
        node.hub.recover(absence)
    assert refusal.value.code == "unknown_subscription"


def test_symbols_that_another_subscription_takes_over_meanwhile_come_through_that_alone() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A", "C"], mode="all"))
    for symbol in "ACAC":
        log.publish(symbol)
    node.live(0, 4)
    absence = node.subscribe("y", channel="ticks", symbols=["A", "C"], mode="all", resume=token)
    node.subscribe("y", channel="ticks", symbols=["C"], mode="all")
    served(node, absence)
    [frame] = node.hub.collect("y", 1.0)
    assert [(one["symbol"], one["seq"]) for one in json.loads(frame.packet[1:])[1]["data"]] == [("A", 1), ("A", 2)]


def test_a_token_given_while_another_subscription_waits_points_at_where_that_was() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["A"], mode="all"))
    log.publish("A")
    node.live(0, 1)
    waiting = node.subscribe("y", channel="ticks", symbols=["A"], mode="all", resume=token)
    assert isinstance(waiting, Absence)
    newer = token_of(node.subscribe("y", channel="ticks", symbols=["B"], mode="all"))
    place = node.hub.positions.read("ticks", newer)
    assert place.of(waiting.subscription.filter())[0] == 0


def test_a_subscription_is_found_again_without_the_symbols_that_were_given_up() -> None:
    node = Node(Log())
    made = node.subscribe("x", channel="ticks", symbols=["A", "B", "UNKNOWN"], mode="all")
    assert isinstance(made, Subscribed)
    node.subscribe("x", channel="ticks", symbols=["B"], mode="all")
    request = parse_unsubscribe([{"channel": "ticks", "symbols": ["B"]}], LIMITS)
    node.hub.unsubscribe("x", request)
    again = Node(Log()).subscribe("x", channel="ticks", symbols=["UNKNOWN", "A"], mode="all")
    assert isinstance(again, Subscribed)
    assert made.subscription.filter() == again.subscription.filter()


def data_and_lost(node: Node, client: str) -> tuple[list[tuple[str, int]], int]:
    frames = [json.loads(frame.packet[1:])[1] for frame in node.hub.collect(client, 1.0)]
    return [(one["symbol"], one["seq"]) for frame in frames for one in frame["data"]], sum(
        frame["lost"] for frame in frames
    )


def test_who_reads_everything_is_told_of_what_an_unfinished_resume_took_with_it() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["*"], mode="all"))
    log.publish("A")
    node.live(0, 1)
    assert data_and_lost(node, "x") == ([("A", 1)], 0)
    for _ in range(3):
        log.publish("A")
    node.live(0, 2)  # two wait when the other one takes the symbol over
    narrower = node.subscribe("x", channel="ticks", symbols=["A"], mode="all", resume=token)
    assert isinstance(narrower, Absence)
    node.live(0, 1)
    node.hub.unsubscribe("x", parse_unsubscribe([{"channel": "ticks", "symbols": ["A"]}], LIMITS))
    assert data_and_lost(node, "x") == ([], 3)
    log.publish("A")
    node.live(0, 1)
    assert data_and_lost(node, "x") == ([("A", 5)], 0)
    with pytest.raises(RefusalError, match="ended"):
        node.hub.recover(narrower)


def test_a_resume_of_everything_does_not_repeat_what_a_snapshot_has_spoken_for() -> None:
    log = Log()
    node = Node(log)
    token = token_of(node.subscribe("x", channel="ticks", symbols=["*"], mode="all"))
    for symbol in "ACAC":
        log.publish(symbol)
    node.live(0, 4)
    absence = node.subscribe("y", channel="ticks", symbols=["*"], mode="all", resume=token)
    snapshot = node.subscribe("y", channel="ticks", symbols=["A"], mode="all")
    assert isinstance(snapshot, Subscribed)
    log.publish("A")
    node.live(0, 1)
    node.hub.unsubscribe("y", parse_unsubscribe([{"channel": "ticks", "symbols": ["A"]}], LIMITS))
    served(node, absence)
    assert data_and_lost(node, "y") == ([("C", 1), ("C", 2)], 1)
