"""Trades of symbols that nobody wants aren't decoded, and nobody can tell: whenever clients come and go, whatever
keys the trades have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.market import message, tick
from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import Message
from tickstream.core.metrics import new_registry
from tickstream.core.partition import partition_for
from tickstream.ws_bridge.adapters.intake import Intake, unsealing
from tickstream.ws_bridge.adapters.reading import Batch, Reading
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.last_trades import LastTrades
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import Limits, UnsubscribeSymbols, parse_subscribe
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.metrics import BridgeMetrics

LIMITS = Limits(max_symbols=10, max_subscriptions=50, commands_per_second=10, max_hz=20)
ROOM = Room(records=100_000, bytes=10**8, frame_records=100_000, snapshot_bytes=10**7)
SYMBOLS = ["A", "B", "C"]
HOME = {"A": 0, "B": 1, "C": 1}


class Node:
    """A bridge from the messages to the frames; what is read waits until `apply`, as on its way to the event loop."""

    def __init__(self) -> None:
        loaded = asyncio.Event()
        loaded.set()
        codecs = Codecs()
        own = Reading(codecs)
        self.hub = Hub(Market(10, 100, 100, LastTrades(unsealing(own))), LIMITS, ROOM, flush_seconds=0.05)
        self.hub.positions.open("ticks", b"key", "epoch", {0: 0, 1: 0})
        self.hub.homes.open(2)
        metrics = BridgeMetrics(new_registry())
        self.intake = Intake(self.hub, loaded, Lateness(2.0), metrics, SystemClock(), own)
        self.reading = Reading(codecs)
        self.waiting: list[Batch] = []

    def read(self, messages: Sequence[Message]) -> Batch:
        batch = self.reading.batch("ticks", messages, interest=self.hub.subscriptions)
        self.waiting.append(batch)
        return batch

    def apply(self) -> None:
        for batch in self.waiting:
            self.intake.take(batch)
        self.intake.apply()
        self.waiting.clear()

    def subscribe(self, client: str, *symbols: str) -> list[int]:
        """The seq of each trade in the snapshot."""
        request = parse_subscribe([{"channel": "ticks", "symbols": list(symbols), "mode": "all"}], LIMITS)
        return [one["seq"] for entry in self.hub.subscribe(client, request).snapshot for one in read_body(entry.body)]

    def unsubscribe(self, client: str, symbol: str) -> None:
        self.hub.unsubscribe(client, UnsubscribeSymbols("ticks", (symbol,), everything=False))

    def frames(self, client: str) -> list[dict[str, Any]]:
        return [json.loads(frame.packet[1:])[1] for frame in self.hub.collect(client, 1.0)]


def read_body(body: bytes) -> list[dict[str, Any]]:
    return list(json.loads(b"[" + body + b"]"))


@dataclass
class Log:
    """The topic, and what each client must have of it."""

    seq: int = 0
    offsets: dict[int, int] = field(default_factory=lambda: {0: 0, 1: 0})
    read: list[tuple[str, int]] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    reads: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def message(self, symbol: str, key: Callable[[str], bytes | None]) -> Message:
        partition = HOME[symbol]
        self.seq += 1
        self.read.append((symbol, self.seq))
        self.offsets[partition] += 1
        return message(tick(symbol, self.seq), self.offsets[partition] - 1, partition, key(symbol))

    def apply(self) -> None:
        for symbol, seq in self.read:
            self.last[symbol] = seq
            for (_client, wanted), had in self.reads.items():
                if wanted == symbol:
                    had.append(seq)
        self.read.clear()


KEYS: list[Callable[[str], bytes | None]] = [str.encode, str.encode, str.encode, lambda _symbol: None]
ODD: list[Callable[[str], bytes | None]] = [*KEYS, lambda symbol: b"exchange:" + symbol.encode()]
CLIENT, SYMBOL = st.sampled_from(["x", "y"]), st.sampled_from(SYMBOLS)


def acts(keys: Sequence[Callable[[str], bytes | None]]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    read = st.lists(st.tuples(SYMBOL, st.sampled_from(keys)), min_size=1, max_size=6)
    one = st.one_of(
        st.tuples(st.just("read"), read),
        st.tuples(st.just("read"), read),
        st.just(("apply",)),
        st.tuples(st.just("subscribe"), CLIENT, SYMBOL),
        st.tuples(st.just("unsubscribe"), CLIENT, SYMBOL),
    )
    return st.lists(one, max_size=25)


@settings(max_examples=300)
@given(st.one_of(acts(KEYS), acts(ODD)))
def test_clients_get_what_came_after_their_snapshots_and_these_have_the_last_trades(
    drawn: list[tuple[Any, ...]],
) -> None:
    node, log = Node(), Log()
    got: dict[tuple[str, str], list[int]] = {}
    for name, *given_ in [*drawn, ("apply",)]:
        match name:
            case "read":
                node.read([log.message(symbol, key) for symbol, key in given_[0]])
            case "apply":
                node.apply()
                log.apply()
            case "subscribe" if tuple(given_) not in log.reads and given_[1] in log.last:
                assert node.subscribe(*given_) == [log.last[given_[1]]]
                log.reads[tuple(given_)] = []
                got[tuple(given_)] = []
            case "unsubscribe" if tuple(given_) in log.reads:
                node.unsubscribe(*given_)
                del log.reads[tuple(given_)], got[tuple(given_)]
        for client in ("x", "y"):
            for frame in node.frames(client):
                assert not frame["lost"]
                for one in frame["data"]:
                    got[client, one["symbol"]].append(one["seq"])
        assert got == log.reads
    assert set(log.last) == node.hub.market.symbols
    assert {symbol: set(node.hub.homes.needed([symbol])) for symbol in log.last} == {
        symbol: {HOME[symbol], partition_for(symbol, 2)} for symbol in log.last
    }
    shown = node.hub.market.snapshot("ticks", "", None, 0)
    assert {entry.route[2]: read_body(entry.body)[0]["seq"] for entry in shown} == log.last


def decoded(monkeypatch: pytest.MonkeyPatch, node: Node) -> list[int]:
    """How many trades the node decodes each time, from now on."""
    codec = node.reading._codecs.of(type(tick("A", 1)))
    decode, counts = codec.decode_columns, []

    def counting(values: Sequence[bytes], *args: Any, **more: Any) -> Any:
        counts.append(len(values))
        return decode(values, *args, **more)

    monkeypatch.setattr(codec, "decode_columns", counting)
    return counts


def test_only_what_someone_wants_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    node, log = Node(), Log()
    node.read([log.message(symbol, str.encode) for symbol in SYMBOLS])
    node.apply()
    counts = decoded(monkeypatch, node)
    assert node.subscribe("x", "A") == [1]
    node.read([log.message(symbol, str.encode) for symbol in ("A", "B", "B", "C")])
    node.apply()
    node.read([log.message("B", str.encode)])
    node.apply()
    assert node.subscribe("x", "B") == [8]
    assert counts == [1, 1, 0, 1]  # a snapshot, what A's reader wants of two batches, a snapshot


def test_once_a_key_is_not_its_symbol_everything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    node, log = Node(), Log()
    counts = decoded(monkeypatch, node)
    for key in (str.encode, str.encode, lambda symbol: symbol.lower().encode(), str.encode):
        node.read([log.message(symbol, key) for symbol in SYMBOLS])
    node.apply()
    assert counts == [3, 0, 3, 3]


def test_a_last_trade_that_cannot_be_read_is_left_out_of_a_snapshot() -> None:
    node, log = Node(), Log()
    node.read([log.message(symbol, str.encode) for symbol in SYMBOLS])
    broken = Message(topic="test", partition=0, offset=1, key=b"A", value=b"\0rubbish", timestamp=(1, 0))
    node.read([broken, log.message("B", str.encode)])
    node.apply()
    assert node.subscribe("x", "A", "B") == [4]


def test_what_cannot_be_decoded_after_all_is_lost_to_those_who_have_come_to_want_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, log = Node(), Log()
    node.read([log.message(symbol, str.encode) for symbol in SYMBOLS])
    node.apply()
    node.read([log.message("A", str.encode), log.message("B", str.encode)])
    assert node.subscribe("x", "A") == [1]

    def away(*_args: Any, **_more: Any) -> Batch:
        raise RetryableError("the registry doesn't answer")

    monkeypatch.setattr(node.intake._reading, "batch", away)
    node.apply()
    [frame] = node.frames("x")
    assert (frame["data"], frame["lost"]) == ([], 1)
    assert dict(node.hub.positions.now("ticks")) == {0: 2, 1: 3}


def test_one_that_breaks_the_decoding_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    node, log = Node(), Log()
    node.read([log.message(symbol, str.encode) for symbol in SYMBOLS])
    node.apply()
    codec = node.reading._codecs.of(type(tick("A", 1)))

    def broken(_values: Sequence[bytes]) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(codec, "decode_many", broken)
        batch = node.read([log.message("A", str.encode)])
    assert batch.reached == {0: 2}
    node.apply()
    assert node.subscribe("x", "A") == [4]
