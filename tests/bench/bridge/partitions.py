"""What a node costs whose clients want few symbols: when it reads all partitions of the trades, and when it chooses.

One node at a time beside one broker, 200 symbols in 6 partitions; both ways in turn, the median of the rounds. Needs
KAFKA_BOOTSTRAP_SERVERS.

Usage: python -m tests.bench.bridge.partitions [TRADES_PER_SECOND [ROUNDS]]
"""

from __future__ import annotations

import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.bridge.contenders import BRIDGE, Running, running
from tests.bench.bridge.generator import Generator
from tests.bench.bridge.trades import Trades

SYMBOLS: Final = 200
WISHES: Final = ((0, 0), (1, 1), (1, 3), (1, 20), (3, 20))
"""How many clients, and of how many random symbols each."""
WAYS: Final = {"all": "100000", "chosen": "0.5"}
"""WS_BRIDGE_REST_SECONDS of a node that reads all partitions, and of one that chooses."""
_WARM_SECONDS: Final = 5.0
_SECONDS: Final = 8.0


@dataclass(frozen=True)
class Cost:
    """Of one node, for some seconds.

    Attributes:
        partitions: of the trades that it read.
        percent: of a core.
        read: trades a second.
        delivered: records a second.
    """

    partitions: int
    percent: float
    read: float
    delivered: float


def measure(clients: int, each: int, rest_seconds: str, rate: int) -> Cost:
    """One node with some clients."""
    with ExitStack() as stack:
        server = stack.enter_context(running(BRIDGE, {"WS_BRIDGE_REST_SECONDS": rest_seconds}))
        stack.enter_context(Trades(server.kafka, SYMBOLS, rate))
        time.sleep(1.0)
        load = stack.enter_context(Generator(server.port, clients, SYMBOLS, each)) if clients else None
        time.sleep(_WARM_SECONDS)
        if load is not None:
            load.sample()
        read = _figure(server, 'received_total{channel="ticks"}')
        cpu, began = server.cpu(), time.monotonic()
        time.sleep(_SECONDS)
        seconds = time.monotonic() - began
        percent = 100 * (server.cpu() - cpu) / seconds
        read = _figure(server, 'received_total{channel="ticks"}') - read
        delivered = 0 if load is None else load.sample().records
        return Cost(round(_figure(server, "partitions_read")), percent, read / seconds, delivered / seconds)


def _figure(server: Running, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as page:
        for line in page.read().decode().splitlines():
            if line.startswith(f"tickstream_ws_bridge_{name} "):
                return float(line.rpartition(" ")[2])
    return 0.0


def run(rate: int, rounds: int) -> None:
    """Measure all, and print the table."""
    found: dict[tuple[int, int, str], list[Cost]] = {}
    for _ in range(rounds):
        for clients, each in WISHES:
            for way, rest_seconds in WAYS.items():
                found.setdefault((clients, each, way), []).append(measure(clients, each, rest_seconds, rate))
    table = Table(
        "clients", "symbols of each", "partitions", "read", "% of a core", "trades read/s", "delivered/s", box=None
    )
    for (clients, each, way), costs in found.items():
        partitions = " ".join(str(cost.partitions) for cost in costs)
        middles = [
            median(figures) for figures in zip(*((one.percent, one.read, one.delivered) for one in costs), strict=True)
        ]
        table.add_row(
            str(clients), str(each), way, partitions, f"{middles[0]:.1f}", *(f"{one:,.0f}" for one in middles[1:])
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
