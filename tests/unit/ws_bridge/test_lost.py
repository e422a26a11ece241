"""What a client has had and what it was told to have lost are the log's records together, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.nodes import LIMITS, PARTITIONS, SYMBOLS, Log, Node, fields_of
from tickstream.ws_bridge.domain.hub import Subscribed
from tickstream.ws_bridge.domain.positions import NOWHERE, Offsets
from tickstream.ws_bridge.domain.protocol import parse_unsubscribe
from tickstream.ws_bridge.domain.replay import Absence
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.domain.subscriptions import Subscription

NARROW = Room(records=6, bytes=10**6, frame_records=3, snapshot_bytes=10**6)
UNCONFLATED = "D"
"""Its records have no key, like closed bars and alerts."""


@dataclass(slots=True, eq=False)
class Wish:
    """One subscription, as the client knows it.

    Attributes:
        asked: its symbols, less those given up.
        place: of each symbol that the client reads through it, the offset before which all is accounted for.
    """

    asked: list[str]
    mode: str
    max_hz: float | None
    token: str | None = None
    live: bool = False
    place: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Told:
    """Something on its way to the client.

    Attributes:
        what: frame, ack or gone (the answer to unsubscribe).
        offsets: for each wish that there was then, where the token says that its subscription is.
    """

    what: str
    fields: dict[str, Any]
    offsets: Mapping[Wish, Offsets]
    wish: Wish | None = None


def partition_of(symbol: str) -> int:
    return SYMBOLS.index(symbol) % len(PARTITIONS)


class CountedLog(Log):
    """One whose records can be counted."""

    def publish(self, symbol: str) -> None:
        super().publish(symbol)
        entry = self.partitions[partition_of(symbol)][-1]
        if entry is not None and symbol == UNCONFLATED:
            entry.key = None

    def count(self, symbol: str, first: int, end: int) -> int:
        found = self.partitions[partition_of(symbol)][first:end]
        return sum(entry is not None and entry.route[2] == symbol for entry in found)

    def number_before(self, symbol: str, offset: int) -> int:
        return self.count(symbol, 0, offset)


class Client:
    """Takes what comes, in the order in which it was sent, and keeps the accounts."""

    def __init__(self, log: CountedLog) -> None:
        self.log = log
        self.wishes: list[Wish] = []
        self.had: dict[str, int] = {}
        self.received = self.lost = self.expected = 0

    def take(self, told: Told) -> None:
        if told.what == "gone":
            self._given_up(told)
        elif told.what == "ack":
            self._acknowledged(told)
        else:
            self._frame(told)

    def _frame(self, told: Told) -> None:
        for one in told.fields["data"]:
            symbol, number = one["symbol"], one["seq"]
            assert number > self.had[symbol]
            assert symbol != UNCONFLATED or number == self.had[symbol] + 1
            self.had[symbol] = number
        assert told.fields["data"] or told.fields["lost"]
        self.received += len(told.fields["data"])
        self.lost += told.fields["lost"]
        self._go_on(told)

    def _acknowledged(self, told: Told) -> None:
        wish = told.wish
        assert wish is not None
        later = self.wishes[self.wishes.index(wish) + 1 :]
        mine = [symbol for symbol in wish.asked if not any(one.live and symbol in one.asked for one in later)]
        if not told.fields["recovered"]:
            shown = {one["symbol"]: one["seq"] for one in told.fields["snapshot"]}
            wish.place = {}
            for symbol in mine:
                offset = told.offsets[wish][partition_of(symbol)]
                wish.place[symbol] = offset
                self.had[symbol] = self.log.number_before(symbol, offset)
                assert shown.get(symbol, 0) == self.had[symbol]
        wish.place = {symbol: offset for symbol, offset in wish.place.items() if symbol in mine}
        for earlier in self.wishes[: self.wishes.index(wish)]:
            for symbol in wish.asked:
                earlier.place.pop(symbol, None)
        wish.live = True
        self._go_on(told)

    def _go_on(self, told: Told) -> None:
        """What lies between the old place and the new has come, or was left out."""
        for wish in self.wishes:
            if wish.live and wish in told.offsets:
                wish.token = told.fields["resume"]
                for symbol, before in wish.place.items():
                    now = told.offsets[wish][partition_of(symbol)]
                    assert now >= before
                    self.expected += self.log.count(symbol, before, now)
                    wish.place[symbol] = now
        assert self.received + self.lost == self.expected

    def _given_up(self, told: Told) -> None:
        symbols = told.fields["symbols"]
        for wish in told.offsets:
            wish.asked = [symbol for symbol in wish.asked if symbol not in symbols]
            for symbol in symbols:
                wish.place.pop(symbol, None)
            if not wish.asked and wish in self.wishes:
                self.wishes.remove(wish)


class Accounts(RuleBasedStateMachine):
    """A client with little room on either of two nodes."""

    nodes = st.integers(0, 1)
    modes = st.sampled_from(("all", "latest"))
    rates = st.sampled_from((None, 3.0, 0.5))
    some_symbols = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4, unique=True)

    def __init__(self) -> None:
        super().__init__()
        self.log = CountedLog()
        self.nodes_ = [Node(self.log, NARROW), Node(self.log, NARROW)]
        self.client = Client(self.log)
        self.at: Node | None = None
        self.wire: list[Told] = []
        self.made: dict[Wish, Subscription] = {}
        self.pending: dict[Absence, Wish] = {}
        self.now = 0.0

    def _send(self, what: str, fields: dict[str, Any], wish: Wish | None = None) -> None:
        offsets: dict[Wish, Offsets] = dict.fromkeys(self.client.wishes, NOWHERE)
        if self.at is not None and "resume" in fields:
            place = self.at.hub.positions.read("ticks", fields["resume"])
            offsets = {one: place.of(made.filter()) for one, made in self.made.items()}
        self.wire.append(Told(what, fields, offsets, wish))

    @initialize(modes=st.tuples(modes, modes), max_hz=rates)
    def begin(self, modes: tuple[str, str], max_hz: float | None) -> None:
        self.wish(["A", "B"], modes[0], None)
        self.wish(["C", "D"], modes[1], max_hz)
        self.come(0)

    @rule(symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=12), ahead=st.integers(0, 6), fast=nodes)
    def trade(self, symbols: list[str], ahead: int, fast: int) -> None:
        for symbol in symbols:
            self.log.publish(symbol)
        for partition, kept in enumerate(self.log.partitions):
            self.nodes_[fast].live(partition, len(kept))
            self.nodes_[1 - fast].live(partition, ahead)

    @rule(symbols=some_symbols, mode=modes, max_hz=rates)
    def wish(self, symbols: list[str], mode: str, max_hz: float | None) -> None:
        if len(self.client.wishes) < LIMITS.max_subscriptions:
            wish = Wish(symbols, mode, max_hz)
            self.client.wishes.append(wish)
            self._subscribe(wish)

    @rule(node=nodes)
    def come(self, node: int) -> None:
        if self.at is None:
            self.at = self.nodes_[node]
            for wish in self.client.wishes:
                self._subscribe(wish)

    def _subscribe(self, wish: Wish) -> None:
        if self.at is None:
            return
        rate = {} if wish.max_hz is None else {"maxHz": wish.max_hz}
        resume = {} if wish.token is None else {"resume": wish.token}
        answer = self.at.subscribe("x", channel="ticks", symbols=list(wish.asked), mode=wish.mode, **rate, **resume)
        self.made[wish] = answer.subscription
        if isinstance(answer, Absence):
            self.pending[answer] = wish
        else:
            self._send("ack", fields_of(answer), wish)
        self._forget_ended()

    def _forget_ended(self) -> None:
        if self.at is not None:
            going = self.at.hub.subscriptions.all
            self.made = {wish: made for wish, made in self.made.items() if made.id in going}

    @rule(symbols=some_symbols)
    def unsubscribe(self, symbols: list[str]) -> None:
        if self.at is None or not any(one.symbols.intersection(symbols) for one in self.at.hub.subscriptions.of("x")):
            return
        self.at.hub.unsubscribe("x", parse_unsubscribe([{"channel": "ticks", "symbols": symbols}], LIMITS))
        self._forget_ended()
        self._send("gone", {"symbols": symbols})

    @rule(taken=st.booleans())
    def flush(self, taken: bool) -> None:
        """As the bridge does; a client that must not be left without a record is disconnected."""
        self.now += 0.25
        if self.at is None:
            return
        if taken:
            for frame in self.at.hub.collect("x", self.now):
                self._send("frame", json.loads(frame.packet[1:])[1])
        if self.at.hub.bound("x").full:
            self.vanish()
            return
        waiting = [one.buffer for one in self.at.hub.subscriptions.of("x") if one.since is None]
        keyless = sum(entry.key is None for buffer in waiting for entry in buffer.entries)
        room = NARROW.records + sum(buffer.extra.records for buffer in waiting)
        loose = sum(len(buffer.entries) for buffer in waiting if not buffer.latest)
        assert keyless <= room - NARROW.records // 2
        assert loose <= room
        assert sum(buffer.extra.records for buffer in waiting) <= NARROW.records

    @rule(count=st.integers(1, 10))
    def receive(self, count: int) -> None:
        for told in self.wire[:count]:
            self.client.take(told)
        del self.wire[:count]

    @rule()
    def vanish(self) -> None:
        """What was on its way is lost."""
        if self.at is not None:
            self.at.hub.leave("x")
            self.at = None
            self.wire.clear()
            self.made.clear()
            for wish in self.client.wishes:
                wish.live = False

    @rule(node=nodes)
    def hop(self, node: int) -> None:
        self.vanish()
        self.come(node)

    @rule(count=st.integers(1, 9))
    def reread(self, count: int) -> None:
        for node in self.nodes_:
            if node.absences or node.reading:
                node.reread(count)
                for absence, answer in node.recovered():
                    self._recovered(absence, answer)

    def _recovered(self, absence: Absence, answer: Subscribed) -> None:
        wish = self.pending.pop(absence)
        if self.made.get(wish) is absence.subscription:
            self._send("ack", fields_of(answer), wish)


Accounts.TestCase.settings = settings(max_examples=100, stateful_step_count=50)
TestAccounts = Accounts.TestCase
