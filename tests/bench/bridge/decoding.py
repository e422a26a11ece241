"""What a trade costs a node on its way to the clients where all are decoded, and where only those wanted are.

In one process, without Kafka: batches of 2,000, from the messages in hand until what clients and snapshots need is
there. The best of some rounds, both ways in turn.

Usage: python -m tests.bench.bridge.decoding
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Message
from tickstream.core.metrics import new_registry
from tickstream.core.model import Tick
from tickstream.ws_bridge.adapters.intake import Intake, unsealing
from tickstream.ws_bridge.adapters.reading import Reading
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.last_trades import LastTrades
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.protocol import Limits, parse_subscribe
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.metrics import BridgeMetrics

BATCH: Final = 2_000
BATCHES: Final = 80
PARTITIONS: Final = 6
ROUNDS: Final = 4
SYMBOLS: Final = (200, 10_000)
WANTED: Final = (0, 20)
LIMITS: Final = Limits(max_symbols=100, max_subscriptions=5, commands_per_second=10, max_hz=20)
ROOM: Final = Room(10**6, 10**9, 10**6, 10**9)


class Node:
    """A bridge's way of a trade, with one reader.

    Args:
        symbols: how many there are.
        wanted: how many of them it reads.
    """

    def __init__(self, symbols: int, wanted: int) -> None:
        codecs, loaded = Codecs(), asyncio.Event()
        loaded.set()
        own = Reading(codecs)
        self._hub = Hub(Market(10, 100, 100_000, LastTrades(unsealing(own))), LIMITS, ROOM, 0.05)
        self._hub.positions.open("ticks", b"key", "epoch", dict.fromkeys(range(PARTITIONS), 0))
        self._hub.homes.open(PARTITIONS)
        metrics = BridgeMetrics(new_registry())
        self._intake = Intake(self._hub, loaded, Lateness(2.0), metrics, SystemClock(), own)
        self._reading = Reading(codecs)
        self._hub.market.know(names(symbols))
        if wanted:
            request = {"channel": "ticks", "symbols": names(symbols)[:wanted], "mode": "latest"}
            self._hub.subscribe("reader", parse_subscribe([request], LIMITS))

    def take(self, messages: Sequence[Message], *, sifted: bool) -> None:
        """One batch."""
        interest = self._hub.subscriptions if sifted else None
        self._intake.take(self._reading.batch("ticks", messages, 0, interest))
        self._intake.apply()
        self._hub.collect("reader", time.monotonic())


def names(symbols: int) -> list[str]:
    """The symbols."""
    return [f"S{number:05d}" for number in range(symbols)]


def batches(symbols: int) -> list[list[Message]]:
    """Trades at random, each batch partition by partition."""
    random, codec, now = np.random.default_rng(1), Codecs().of(Tick), time.time_ns()
    called, offsets = names(symbols), [0] * PARTITIONS
    found: list[list[Message]] = []
    for _ in range(BATCHES):
        drawn = sorted(random.integers(0, symbols, BATCH).tolist(), key=lambda number: number % PARTITIONS)
        found.append([])
        for number in drawn:
            partition, symbol = number % PARTITIONS, called[number]
            offset = offsets[partition] = offsets[partition] + 1
            value = codec.encode(Tick(symbol, 100.25, 10.0, now, now, offset, "bench", "Q", None, None, 0))
            found[-1].append(Message(topic="t", partition=partition, offset=offset, key=symbol.encode(), value=value))
    return found


def cost(node: Node, given: Sequence[Sequence[Message]], *, sifted: bool) -> float:
    """Nanoseconds of CPU a trade."""
    began = time.thread_time_ns()
    for messages in given:
        node.take(messages, sifted=sifted)
    return (time.thread_time_ns() - began) / (BATCH * len(given))


def main() -> None:
    """Measure and print."""
    table = Table("symbols", "wanted", "all decoded", "only those wanted", title="ns of CPU a trade")
    for symbols in SYMBOLS:
        given = batches(symbols)
        for wanted in WANTED:
            nodes = {sifted: Node(symbols, wanted) for sifted in (False, True)}
            for sifted, node in nodes.items():
                cost(node, given, sifted=sifted)
            found = [
                {sifted: cost(node, given, sifted=sifted) for sifted, node in nodes.items()} for _ in range(ROUNDS)
            ]
            best = [min(one[sifted] for one in found) for sifted in (False, True)]
            table.add_row(f"{symbols:,}", str(wanted), *(f"{one:.0f}" for one in best))
    Console().print(table)


if __name__ == "__main__":
    main()
