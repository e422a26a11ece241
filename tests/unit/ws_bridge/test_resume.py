"""Whatever happens between, a client that comes back on any node has the log's sequence, filtered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.support.resuming import Ledger, Wish
from tickstream.ws_bridge.domain.entry import Entry
from tickstream.ws_bridge.domain.hub import Hub, Room, Subscribed
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import Limits, RefusalError, parse_subscribe, parse_unsubscribe
from tickstream.ws_bridge.domain.replay import Absence, Replay

LIMITS = Limits(max_symbols=10, max_subscriptions=10, commands_per_second=10, max_hz=20)
ROOM = Room(records=10_000, bytes=10**7, frame_records=7, snapshot_bytes=10**6)
SYMBOLS = ("A", "B", "C", "D")
PARTITIONS = (0, 1)
KEY = b"the same on all nodes"


def entry(symbol: str, number: int, partition: int, offset: int) -> Entry:
    route = ("ticks", "", symbol)
    return Entry(route, route, json.dumps({"symbol": symbol, "seq": number}).encode(), partition, offset)


class Log:
    """Two partitions; some offsets hold no record, as those of a transaction's markers don't."""

    def __init__(self) -> None:
        self.partitions: list[list[Entry | None]] = [[] for _ in PARTITIONS]
        self.last = dict.fromkeys(SYMBOLS, 0)

    def publish(self, symbol: str) -> None:
        partition = SYMBOLS.index(symbol) % len(PARTITIONS)
        kept = self.partitions[partition]
        self.last[symbol] += 1
        kept.append(entry(symbol, self.last[symbol], partition, len(kept)))

    def mark(self, partition: int) -> None:
        self.partitions[partition].append(None)

    def kept(self) -> dict[int, tuple[int, int]]:
        return {partition: (0, len(kept)) for partition, kept in enumerate(self.partitions)}


class Node:
    """A bridge without its sockets."""

    def __init__(self, log: Log, room: Room = ROOM, epoch: str = "epoch") -> None:
        self.log = log
        self.room = room
        self.hub = Hub(Market(history=10, max_records=100, max_symbols=100), LIMITS, room, flush_seconds=0.05)
        self.hub.market.know(SYMBOLS)
        self.hub.positions.open("ticks", KEY, epoch, dict.fromkeys(PARTITIONS, 0))
        self.absences: list[Absence] = []
        self.reading: tuple[Replay, list[Absence], dict[int, int]] | None = None

    def live(self, partition: int, count: int) -> None:
        """Read on."""
        start = self.hub.positions.now("ticks")[partition]
        for offset, found in enumerate(self.log.partitions[partition][start : start + count], start):
            if found is not None:
                self.hub.tick(found)
            self.hub.positions.reached("ticks", partition, offset + 1)

    def subscribe(self, client: str, **fields: Any) -> Subscribed | Absence:
        request = parse_subscribe([fields], LIMITS)
        if request.resume is None:
            return self.hub.subscribe(client, request)
        absence = self.hub.rejoin(client, request, self.hub.positions.read("ticks", request.resume))
        self.absences.append(absence)
        return absence

    def reread(self, count: int) -> None:
        """Some steps of reading again; a reading takes all who wait when it begins."""
        if self.reading is None:
            replay = Replay(self.absences, self.room.records, self.room.bytes)
            replay.begin(self.log.kept())
            nexts = {partition: first for partition, (first, _end) in replay.ranges().items()}
            self.reading, self.absences = (replay, self.absences, nexts), []
        replay, _absences, nexts = self.reading
        for partition, (_first, end) in replay.ranges().items():
            for found in self.log.partitions[partition][nexts[partition] : min(end, nexts[partition] + count)]:
                if found is not None and replay.wanted(found.route):
                    replay.offer(found)
            nexts[partition] = min(end, nexts[partition] + count)
        replay.bound()

    def recovered(self) -> list[tuple[Absence, Subscribed]]:
        """Those who can go on by now."""
        if self.reading is None:
            return []
        replay, absences, nexts = self.reading
        if any(nexts[partition] < end for partition, (_first, end) in replay.ranges().items()):
            return []
        made = []
        for absence in list(absences):
            if self.hub.caught_up(absence):
                absences.remove(absence)
                if absence.subscription.id in self.hub.subscriptions.all:
                    made.append((absence, self.hub.recover(absence)))
        if not absences:
            self.reading = None
        return made


def fields_of(answer: Subscribed) -> dict[str, Any]:
    return {
        "recovered": answer.recovered,
        "snapshot": [json.loads(body) for body in answer.snapshot],
        "resume": json.loads(answer.token),
    }


class ComingAndGoing(RuleBasedStateMachine):
    """Clients subscribe, unsubscribe, vanish and come back on either of two nodes, one of which may lag."""

    names = st.sampled_from(("x", "y", "z"))
    nodes = st.integers(0, 1)
    some = st.integers(1, 5)

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.nodes_ = [Node(self.log), Node(self.log)]
        self.ledgers = {name: Ledger() for name in ("x", "y", "z")}
        self.at: dict[str, Node] = {}
        self.pending: dict[Absence, tuple[str, Wish]] = {}
        self.now = 0.0

    @initialize(modes=st.tuples(*[st.sampled_from(("all", "latest"))] * 3), max_hz=st.sampled_from((None, 3.0)))
    def begin(self, modes: tuple[str, ...], max_hz: float | None) -> None:
        for name, mode in zip(self.ledgers, modes, strict=True):
            self.come(name, 0)
            self.wish(name, {"A", "B"}, mode, None)
            self.wish(name, {"C"}, "all", max_hz)

    @rule(symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=8), fast=nodes, ahead=st.integers(0, 9))
    def trade(self, symbols: list[str], fast: int, ahead: int) -> None:
        """One node reads it all, the other a part."""
        for symbol in symbols:
            self.log.publish(symbol)
        for partition, kept in enumerate(self.log.partitions):
            self.nodes_[fast].live(partition, len(kept))
            self.nodes_[1 - fast].live(partition, ahead)

    @rule(partition=st.sampled_from(PARTITIONS))
    def mark(self, partition: int) -> None:
        self.log.mark(partition)

    @rule(node=nodes, partition=st.sampled_from(PARTITIONS), count=some)
    def live(self, node: int, partition: int, count: int) -> None:
        self.nodes_[node].live(partition, count)

    @rule(name=names, node=nodes)
    def come(self, name: str, node: int) -> None:
        if name in self.at:
            return
        self.at[name] = self.nodes_[node]
        for wish in self.ledgers[name].wishes:
            self._subscribe(name, wish)

    @rule(
        name=names,
        symbols=st.sets(st.sampled_from(SYMBOLS), min_size=1),
        mode=st.sampled_from(("all", "latest")),
        max_hz=st.sampled_from((None, 3.0)),
    )
    def wish(self, name: str, symbols: set[str], mode: str, max_hz: float | None) -> None:
        new = sorted(symbols.difference(self.ledgers[name].symbols()))
        if new and name in self.at:
            wish = Wish(new, mode, max_hz)
            self.ledgers[name].wishes.append(wish)
            self._subscribe(name, wish)

    def _subscribe(self, name: str, wish: Wish) -> None:
        answer = self.at[name].subscribe(name, **wish.request())
        if isinstance(answer, Absence):
            self.pending[answer] = (name, wish)
        else:
            self.ledgers[name].acknowledged(wish, fields_of(answer))

    @rule(name=names, symbols=st.sets(st.sampled_from(SYMBOLS), min_size=1))
    def give_up(self, name: str, symbols: set[str]) -> None:
        ledger = self.ledgers[name]
        gone = symbols.intersection(ledger.symbols())
        if name not in self.at or not gone:
            return
        request = parse_unsubscribe([{"channel": "ticks", "symbols": sorted(symbols)}], LIMITS)
        assert set(self.at[name].hub.unsubscribe(name, request)) == gone
        for wish in list(ledger.wishes):
            wish.symbols = [symbol for symbol in wish.symbols if symbol not in gone]
            if not wish.symbols:
                ledger.wishes.remove(wish)

    @rule(name=names)
    def vanish(self, name: str) -> None:
        if name in self.at:
            self.at.pop(name).hub.leave(name)
            self.ledgers[name].disconnected()

    @rule(node=nodes)
    def kill(self, node: int) -> None:
        """The node is gone with all it knew; another takes its place and begins at the log's start."""
        for name in [name for name, at in self.at.items() if at is self.nodes_[node]]:
            self.vanish(name)
        self.nodes_[node] = Node(self.log)

    @rule(node=nodes, count=some)
    def reread(self, node: int, count: int) -> None:
        if self.nodes_[node].absences or self.nodes_[node].reading:
            self.nodes_[node].reread(count)
        self._recover(self.nodes_[node])

    def _recover(self, node: Node) -> None:
        for absence, answer in node.recovered():
            name, wish = self.pending.pop(absence)
            self.ledgers[name].acknowledged(wish, fields_of(answer))

    @rule(name=names, node=nodes)
    def hop(self, name: str, node: int) -> None:
        self.vanish(name)
        self.come(name, node)

    @rule()
    def flush_all(self) -> None:
        self.now += 0.05
        for name in self.ledgers:
            self.flush(name)

    def flush(self, name: str) -> None:
        if name in self.at:
            hub = self.at[name].hub
            for frame in hub.collect(name, self.now):
                self.ledgers[name].received(json.loads(frame.packet[1:])[1])
            hub.bound(name)

    @precondition(lambda self: self.at)
    @rule()
    def settle(self) -> None:
        """Everybody is there and everything read: each has the last of what it wishes for."""
        for name in self.ledgers:
            self.come(name, 0)
        for node in self.nodes_:
            for partition, kept in enumerate(self.log.partitions):
                node.live(partition, len(kept))
            while node.absences or node.reading:
                node.reread(1_000)
                self._recover(node)
        for name, ledger in self.ledgers.items():
            for _ in range(30):
                self.now += 1.0
                self.flush(name)
            assert all(wish.live for wish in ledger.wishes)
            wished = list(ledger.symbols())
            assert {symbol: ledger.had[symbol] for symbol in wished} == {s: self.log.last[s] for s in wished}


ComingAndGoing.TestCase.settings = settings(max_examples=150, stateful_step_count=50)
TestComingAndGoing = ComingAndGoing.TestCase


def token_of(answer: Subscribed | Absence) -> str:
    assert isinstance(answer, Subscribed)
    return str(json.loads(answer.token))


def served(node: Node, absence: Subscribed | Absence) -> dict[str, Any]:
    assert isinstance(absence, Absence)
    node.reread(10_000)
    [(_absence, answer)] = node.recovered()
    return fields_of(answer)


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
    assert node.hub.bound("y") == 0
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
