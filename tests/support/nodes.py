"""Bridges without their sockets, and the log that they read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any

from tickstream.ws_bridge.domain.choice import Choice
from tickstream.ws_bridge.domain.entry import Entry, Route, Run, Waiting
from tickstream.ws_bridge.domain.hub import Hub, Subscribed
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import Limits, parse_subscribe
from tickstream.ws_bridge.domain.replay import Absence, Replay
from tickstream.ws_bridge.domain.sharing import Room

LIMITS = Limits(max_symbols=10, max_subscriptions=10, commands_per_second=10, max_hz=20)
ROOM = Room(records=10_000, bytes=10**7, frame_records=7, snapshot_bytes=10**6)
SYMBOLS = ("A", "B", "C", "D")
PARTITIONS = (0, 1)
_INTAKES = count(1)
KEY = b"the same on all nodes"


def entry(symbol: str, number: int, partition: int, offset: int) -> Entry:
    route = ("ticks", "", symbol)
    return Entry(route, route, json.dumps({"symbol": symbol, "seq": number}).encode(), partition, offset)


def together(entries: Iterable[Entry | None]) -> Iterator[Waiting]:
    """What of a partition was read at once, as the bridge takes it in: symbol by symbol, in runs."""
    gathered: dict[Route, list[Entry]] = {}
    for one in chain(entries, [None]):
        if one is not None and one.key is not None:
            gathered.setdefault(one.route, []).append(one)
            continue
        intake = next(_INTAKES)
        for route, some in gathered.items():
            yield Run(route, [each.body for each in some], some[0].partition, [each.offset for each in some], 0, intake)
        gathered = {}
        if one is not None:
            yield one


class Log:
    """Some partitions; some offsets hold no record, as those of a transaction's markers don't.

    Args:
        partitions: their numbers.
        homes: the partition of each symbol; by default in turn.
    """

    def __init__(self, partitions: Sequence[int] = PARTITIONS, homes: Mapping[str, int] | None = None) -> None:
        self.partitions: list[list[Entry | None]] = [[] for _ in partitions]
        self.homes = homes or {symbol: number % len(partitions) for number, symbol in enumerate(SYMBOLS)}
        self.last = dict.fromkeys(SYMBOLS, 0)

    def publish(self, symbol: str) -> None:
        self.publish_to(self.homes[symbol], symbol)

    def publish_to(self, partition: int, symbol: str) -> None:
        """Publish as another partitioner would."""
        kept = self.partitions[partition]
        self.last[symbol] += 1
        kept.append(entry(symbol, self.last[symbol], partition, len(kept)))

    def mark(self, partition: int) -> None:
        self.partitions[partition].append(None)

    def kept(self) -> dict[int, tuple[int, int]]:
        return {partition: (0, len(kept)) for partition, kept in enumerate(self.partitions)}


class Node:
    """A bridge without its sockets.

    Args:
        patience: that partitions which nobody needs are read, by the clock of `look`.
        lookback: of each partition, what is read of it at the most when it wakes.
    """

    def __init__(
        self, log: Log, room: Room = ROOM, epoch: str = "epoch", patience: float = 1.0, lookback: int = 1_000
    ) -> None:
        self.log = log
        self.room = room
        self.hub = Hub(Market(history=10, max_records=100, max_symbols=100), LIMITS, room, flush_seconds=0.05)
        self.hub.market.know(SYMBOLS)
        self.hub.positions.open("ticks", KEY, epoch, dict.fromkeys(range(len(log.partitions)), 0))
        self.hub.homes.open(len(log.partitions))
        self.choice = Choice(self.hub.homes, patience)
        self.lookback = lookback
        self.rested: dict[int, int] = {}
        self.waking: dict[int, int] = {}
        self.now = 0.0
        self.absences: list[Absence] = []
        self.reading: tuple[Replay, list[Absence], dict[int, int]] | None = None

    def live(self, partition: int, count: int) -> None:
        """Read on, if the partition is read."""
        if partition in self.rested:
            return
        start = self.hub.positions.now("ticks")[partition]
        found = self.log.partitions[partition][start : start + count]
        for some in together(found):
            self.hub.homes.saw(some.route[2], partition)
            self.hub.tick(some)
        self.hub.positions.reached("ticks", partition, start + len(found))
        if start + len(found) >= self.waking.get(partition, 1 << 62):
            del self.waking[partition]
            self.choice.awake(frozenset((partition,)), self.now)

    def look(self, now: float) -> None:
        """Choose the partitions."""
        self.now = now
        idle, woken = self.choice.look(now, self.hub.subscriptions.symbols("ticks"))
        self.rested |= {partition: self.hub.positions.now("ticks")[partition] for partition in idle}
        self.hub.positions.rest("ticks", idle)
        self.wake(woken)

    def wake(self, partitions: Iterable[int]) -> None:
        """Read these again, from where their rest began or from the lookback."""
        for partition in partitions:
            high, ended = len(self.log.partitions[partition]), self.rested.pop(partition)
            start = max(ended, high - self.lookback)
            if start > ended:
                self.hub.market.forget_trades({partition})
            self.hub.positions.reached("ticks", partition, start)
            self.waking[partition] = high
            self.live(partition, 0)

    def lacks(self, **fields: Any) -> bool:
        """Whether a client has to wait for what it asks for; it is being read then."""
        request = parse_subscribe([fields], LIMITS)
        lacking = self.choice.lacking(None if request.everything else request.symbols)
        self.wake(self.choice.ask(lacking))
        return bool(lacking & (self.rested.keys() | self.waking.keys()))

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
            for some in together(self.log.partitions[partition][nexts[partition] : min(end, nexts[partition] + count)]):
                if replay.wanted(some.route):
                    replay.offer(some)
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
        "snapshot": [json.loads(entry.body) for entry in answer.snapshot],
        "resume": json.loads(answer.token),
    }


def token_of(answer: Subscribed | Absence) -> str:
    assert isinstance(answer, Subscribed)
    return str(json.loads(answer.token))


def served(node: Node, absence: Subscribed | Absence) -> dict[str, Any]:
    assert isinstance(absence, Absence)
    node.reread(10_000)
    [(_absence, answer)] = node.recovered()
    return fields_of(answer)
