"""Whatever happens between, a client that comes back on any node has the log's sequence, filtered."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.support.nodes import LIMITS, SYMBOLS, Log, Node, fields_of
from tests.support.resuming import Ledger, Wish
from tickstream.ws_bridge.domain.protocol import parse_unsubscribe
from tickstream.ws_bridge.domain.replay import Absence

PARTITIONS = (0, 1, 2)


class ComingAndGoing(RuleBasedStateMachine):
    """Clients subscribe, unsubscribe, vanish and come back on either of two nodes, one of which may lag.

    Each node reads the partitions that its own clients need; symbols are wherever some partitioner puts them.
    """

    names = st.sampled_from(("x", "y", "z"))
    nodes = st.integers(0, 1)
    some = st.integers(1, 5)

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(PARTITIONS)
        self.nodes_ = [self._node(), self._node()]
        self.awaiting: list[tuple[str, Wish]] = []
        self.ledgers = {name: Ledger() for name in ("x", "y", "z")}
        self.at: dict[str, Node] = {}
        self.pending: dict[Absence, tuple[str, Wish]] = {}
        self.now = 0.0

    @initialize(
        modes=st.tuples(*[st.sampled_from(("all", "latest"))] * 3),
        wanted=st.tuples(*[st.sets(st.sampled_from(SYMBOLS), min_size=1, max_size=2)] * 3),
        max_hz=st.sampled_from((None, 3.0)),
        homes=st.fixed_dictionaries(dict.fromkeys(SYMBOLS, st.sampled_from(PARTITIONS))),
    )
    def begin(
        self, modes: tuple[str, ...], wanted: tuple[set[str], ...], max_hz: float | None, homes: dict[str, int]
    ) -> None:
        self.log.homes = homes
        for symbol in SYMBOLS:
            self.log.publish(symbol)
        self._read_all()
        for number, (name, mode, symbols) in enumerate(zip(self.ledgers, modes, wanted, strict=True)):
            self.come(name, number % 2)
            self.wish(name, symbols, mode, None)
        self.wish("x", {"C"}, "all", max_hz)

    @rule(symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=8), fast=nodes, ahead=st.integers(0, 9))
    def trade(self, symbols: list[str], fast: int, ahead: int) -> None:
        """One node reads it all, the other a part."""
        for symbol in symbols:
            self.log.publish(symbol)
        for partition, kept in enumerate(self.log.partitions):
            self.nodes_[fast].live(partition, len(kept))
            self.nodes_[1 - fast].live(partition, ahead)
        self._subscribe_all()

    @rule(partition=st.sampled_from(PARTITIONS))
    def mark(self, partition: int) -> None:
        self.log.mark(partition)

    @rule(node=nodes, partition=st.sampled_from(PARTITIONS), count=some)
    def live(self, node: int, partition: int, count: int) -> None:
        self.nodes_[node].live(partition, count)
        self._subscribe_all()

    @rule(after=st.sampled_from((0.3, 2.0, 400.0)))
    def look(self, after: float) -> None:
        """What nobody has needed since the last look rests."""
        self.now += after
        for node in self.nodes_:
            node.look(self.now)

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
        self.awaiting.append((name, wish))
        self._subscribe_all()

    def _subscribe_all(self) -> None:
        """Let those in that what they ask for is read for."""
        for name, wish in list(self.awaiting):
            if not self.at[name].lacks(**wish.request()):
                self.awaiting.remove((name, wish))
                self._begin(name, wish)

    def _begin(self, name: str, wish: Wish) -> None:
        answer = self.at[name].subscribe(name, **wish.request())
        if isinstance(answer, Absence):
            self.pending[answer] = (name, wish)
        else:
            self.ledgers[name].acknowledged(wish, fields_of(answer))

    @rule(name=names, symbols=st.sets(st.sampled_from(SYMBOLS), min_size=1))
    def give_up(self, name: str, symbols: set[str]) -> None:
        ledger = self.ledgers[name]
        gone = symbols.intersection(ledger.symbols())
        if name not in self.at or not gone or name in [one for one, _wish in self.awaiting]:
            return
        request = parse_unsubscribe([{"channel": "ticks", "symbols": sorted(symbols)}], LIMITS)
        done = self.at[name].hub.unsubscribe(name, request)
        assert set(done.symbols) == gone
        ledger.given_up({"ok": True, "symbols": done.symbols, "resume": json.loads(done.token)})

    @rule(name=names)
    def vanish(self, name: str) -> None:
        if name in self.at:
            self.at.pop(name).hub.leave(name)
            self.awaiting = [(one, wish) for one, wish in self.awaiting if one != name]
            self.ledgers[name].disconnected()

    @rule(node=nodes)
    def kill(self, node: int) -> None:
        """The node is gone with all it knew; another takes its place and begins at the log's start."""
        for name in [name for name, at in self.at.items() if at is self.nodes_[node]]:
            self.vanish(name)
        self.nodes_[node] = self._node()

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
        self._read_all()
        while self.awaiting:
            self._subscribe_all()
            self._read_all()
        for node in self.nodes_:
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

    def _node(self) -> Node:
        return Node(self.log, patience=0.1)

    def _read_all(self) -> None:
        for node in self.nodes_:
            for partition, kept in enumerate(self.log.partitions):
                node.live(partition, len(kept))


ComingAndGoing.TestCase.settings = settings(max_examples=150, stateful_step_count=50)
TestComingAndGoing = ComingAndGoing.TestCase
