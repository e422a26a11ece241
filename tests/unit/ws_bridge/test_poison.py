"""Records that break what takes them in: their readers are told of a loss, and everyone gets the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.market import bar, message, tick
from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka
from tickstream.core.metrics import new_registry
from tickstream.core.model import Record
from tickstream.core.settings import KafkaSettings
from tickstream.ws_bridge.adapters import feed, intake, reading, wire
from tickstream.ws_bridge.adapters.feed import Feed, Listeners
from tickstream.ws_bridge.adapters.intake import Intake
from tickstream.ws_bridge.adapters.reading import Batch, Reading
from tickstream.ws_bridge.domain.entry import Channel, Entry, Waiting
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.pace import Tempo
from tickstream.ws_bridge.domain.protocol import Limits, parse_subscribe
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.domain.subscriptions import Subscriptions
from tickstream.ws_bridge.metrics import BridgeMetrics

LIMITS = Limits(max_symbols=10, max_subscriptions=5, commands_per_second=10, max_hz=20)
ROOM = Room(records=1_000, bytes=10**6, frame_records=1_000, snapshot_bytes=10**6)
POISON = 666


class DelicateMarket(Market):
    """Can't take the poison in."""

    def tick(self, entry: Waiting) -> None:
        if b'"seq":%d,' % POISON in entry.body:
            raise ZeroDivisionError
        super().tick(entry)

    def record(self, record: Record, entry: Entry) -> None:
        if getattr(record, "close", 0) == POISON:
            raise ZeroDivisionError
        super().record(record, entry)


class Node:
    """A bridge from the messages to the frames."""

    def __init__(self, market: Market) -> None:
        loaded = asyncio.Event()
        loaded.set()
        self.metrics = BridgeMetrics(new_registry())
        self.hub = Hub(market, LIMITS, ROOM, flush_seconds=0.05)
        self.hub.market.know(["A", "B"])
        for channel in ("ticks", "bars"):
            self.hub.positions.open(channel, b"key", "epoch", {0: 0})
        self.intake = Intake(self.hub, loaded, Lateness(2.0), self.metrics, SystemClock(), Reading(Codecs()))
        self.reading = Reading(Codecs())

    def subscribe(self, client: str, **fields: Any) -> None:
        self.hub.subscribe(client, parse_subscribe([fields], LIMITS))

    def take(self, channel: Channel, records: Sequence[Record]) -> Batch:
        messages = [message(record, offset) for offset, record in enumerate(records)]
        batch = self.reading.batch(channel, messages)
        self.intake.take(batch)
        self.intake.apply()
        return batch

    def frames(self, client: str) -> list[Mapping[str, Any]]:
        return [json.loads(frame.packet[1:])[1] for frame in self.hub.collect(client, 1.0)]

    def skipped(self, channel: str) -> float:
        return float(self.metrics.skipped.labels(channel)._value.get())


TRADES = [tick("A", 1), tick("B", POISON), tick("A", 2), tick("B", 7)]


@pytest.mark.parametrize("mode", ["all", "latest"])
def test_a_trade_that_cannot_be_taken_in_is_lost_to_its_readers_alone(mode: str) -> None:
    # The trades of a symbol that came together stand and fall together: the last of B is the poison.
    node = Node(DelicateMarket(10, 100, 100))
    for client, symbol in (("a", "A"), ("b", "B")):
        node.subscribe(client, channel="ticks", symbols=[symbol], mode=mode)
    node.take("ticks", [tick("A", 1), tick("B", 7), tick("A", 2), tick("B", POISON)])
    [of_a], [of_b] = node.frames("a"), node.frames("b")
    assert len(of_a["data"]) + of_a["lost"] == 2
    assert of_a["data"][-1]["seq"] == 2
    assert (of_b["data"], of_b["lost"]) == ([], 2)
    assert node.skipped("ticks") == 2
    assert dict(node.hub.positions.now("ticks")) == {0: 4}


def test_a_trade_without_content_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = wire.tick_bodies

    def delicate(columns: Any) -> list[bytes]:
        if POISON in columns.seq.tolist():
            raise TypeError("what is that?")
        return made(columns)

    monkeypatch.setattr(intake, "tick_bodies", delicate)
    node = Node(Market(10, 100, 100))
    node.subscribe("both", channel="ticks", symbols=["A", "B"], mode="all")
    node.take("ticks", TRADES)
    [frame] = node.frames("both")
    assert ([one["seq"] for one in frame["data"]], frame["lost"]) == ([1, 2, 7], 1)
    assert node.skipped("ticks") == 1


def test_a_loss_is_not_behind_the_token_until_it_was_told() -> None:
    node = Node(DelicateMarket(10, 100, 100))
    node.subscribe("b", channel="ticks", symbols=["B"], mode="all")
    node.take("ticks", TRADES[:2])
    [told] = node.hub.subscriptions.of("b")
    assert told.behind() == {0: 1}
    node.frames("b")
    assert told.behind() == {}


def test_a_bar_that_cannot_be_taken_in_is_lost_to_its_readers_alone() -> None:
    node = Node(DelicateMarket(10, 100, 100))
    node.subscribe("a", channel="bars", symbols=["A"], interval="1m")
    node.subscribe("everything", channel="bars", symbols=["*"], interval="1m")
    node.take("bars", [bar("A", 1), bar("B", 1, close=POISON), bar("A", 2)])
    [of_a], [of_all] = node.frames("a"), node.frames("everything")
    assert ([one["start_ms"] for one in of_a["data"]], of_a["lost"]) == ([60_000, 120_000], 0)
    assert (len(of_all["data"]), of_all["lost"]) == (2, 1)
    assert node.skipped("bars") == 1


def test_a_bar_without_content_is_lost_to_its_readers(monkeypatch: pytest.MonkeyPatch) -> None:

    def delicate(record: Record) -> bytes:
        if getattr(record, "close", 0) == POISON:
            raise TypeError("what is that?")
        return wire.body_of(record)

    monkeypatch.setattr(reading, "body_of", delicate)
    node = Node(Market(10, 100, 100))
    node.subscribe("a", channel="bars", symbols=["A"], interval="1m")
    node.take("bars", [bar("A", 1, close=POISON), bar("A", 2)])
    [frame] = node.frames("a")
    assert (len(frame["data"]), frame["lost"]) == (1, 1)


def test_a_message_that_breaks_the_decoding_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node(Market(10, 100, 100))
    codec = node.reading._codecs.of(type(TRADES[0]))
    decode = codec.decode_columns
    poison = message(TRADES[1], 0).value()

    def delicate(values: Sequence[bytes], *args: Any, **more: Any) -> Any:
        if poison in values:
            raise ZeroDivisionError
        return decode(values, *args, **more)

    monkeypatch.setattr(codec, "decode_columns", delicate)
    node.subscribe("both", channel="ticks", symbols=["A", "B"], mode="all")
    batch = node.take("ticks", TRADES)
    assert (batch.unreadable, batch.reached) == (1, {0: 4})
    [frame] = node.frames("both")
    assert [one["seq"] for one in frame["data"]] == [1, 2, 7]


async def test_what_nothing_can_be_done_about_ends_the_reading() -> None:
    def broken(_batch: Batch) -> None:
        raise MemoryError

    kafka = Kafka(KafkaSettings())
    listeners = Listeners(Subscriptions(), lambda _log: None, broken, *[lambda _what: None] * 4)
    own = Reading(Codecs())
    made = Feed(
        kafka, own, BridgeMetrics(new_registry()), SystemClock(), 0, asyncio.Event(), listeners, Tempo(0.01, 0.25)
    )
    made._take_records("ticks", [message(TRADES[0], 0)])
    await asyncio.sleep(0)
    assert isinstance(made.failure, MemoryError)
    assert made._ending.is_set()
    assert made._free._value == feed._IN_FLIGHT
