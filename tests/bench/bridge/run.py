"""Fan-out measured: delivered records per CPU-second of the server, and their age at the client.

200 symbols from Kafka, 200 websocket clients with 20 random symbols each, every trade delivered, against stock
python-socketio and Node in the same run; then many clients, clients that come back at once, and clients that stop
reading. Needs KAFKA_BOOTSTRAP_SERVERS.

Usage: python -m tests.bench.bridge.run [JSON_FILE]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.bridge import generator
from tests.bench.bridge.contenders import BRIDGE, EMIT, NODE, Contender, Running, lacks_node, running
from tests.bench.bridge.generator import Generator, Sample
from tests.bench.bridge.trades import Trades
from tickstream.cli.bench.table import write_json

CLIENTS: Final = 200
SYMBOLS: Final = 200
EACH: Final = 20
_MOST: Final = 800_000
"""Deliveries a second: what the bridge is to keep up with, and where all are held against each other."""
_WARM_SECONDS: Final = 4.0
_PART_SECONDS: Final = 2.0
_PARTS: Final = 5
_GROWTH_MS: Final = 250
"""Records that get older by so much while it is measured wait in a queue that grows."""
_CAME: Final = 0.97
"""Less of what was offered than that, and the queue grows, or records are left out."""


@dataclass(frozen=True)
class Load:
    """What is asked of a server.

    Attributes:
        rate: trades a second.
        stalled: clients beside the others that never read.
    """

    contender: Contender
    rate: int
    clients: int = CLIENTS
    stalled: int = 0

    @property
    def offered(self) -> float:
        """Deliveries a second to the clients that read."""
        return self.rate * self.clients * EACH / SYMBOLS


@dataclass(frozen=True)
class Figure:
    """One row of the table; cores and CPU-seconds are the server's, all of its threads.

    Attributes:
        keeps_up: all came, and it didn't get older.
        lost: records left out, as the clients were told.
        unexplained: gaps in the records' seq beyond that, and records out of order.
        memory, grown: bytes at the end, and how many more than when the measuring began.
    """

    who: str
    clients: int
    stalled: int
    offered: float
    delivered: float
    cores: float
    per_cpu_second: float
    p50_ms: int
    p99_ms: int
    max_ms: int
    keeps_up: bool
    frames: float
    lost: int
    unexplained: int
    disconnected: int
    generator_cores: float
    memory: int
    grown: int
    memory_a_client: float


@dataclass(frozen=True)
class Ratio:
    """How two figures compare; `aim` is empty where nothing is wanted."""

    says: str
    value: str
    aim: str = ""


def loads() -> Iterator[Load]:
    """What is measured, in order."""
    yield from (Load(EMIT, rate) for rate in (500, 1_500, 4_000, 40_000))
    if lacks_node():
        sys.stderr.write("Node's server is left out: node or npm is not on the PATH\n")
    else:
        yield from (Load(NODE, rate) for rate in (500, 4_000, 8_000, 40_000))
    yield from (Load(BRIDGE, rate) for rate in (500, 1_500, 4_000, 8_000, 40_000))
    if generator.compiled():
        yield Load(BRIDGE, 4_000, stalled=10)
        yield Load(BRIDGE, 40_000, clients=4 * CLIENTS)
        yield Load(BRIDGE, 200, clients=5_000)


def measure(load: Load) -> Figure:
    """One server under one load."""
    with ExitStack() as stack:
        server = stack.enter_context(running(load.contender))
        empty = server.memory()
        trades = Trades(server.kafka, SYMBOLS, min(load.rate, 200), load.contender.encoding)
        stack.enter_context(trades)
        time.sleep(1.0)
        clients = stack.enter_context(Generator(server.port, load.clients, SYMBOLS, EACH))
        if load.stalled:
            stack.enter_context(Generator(server.port, load.stalled, SYMBOLS, EACH)).slow(0)
        trades.rate = load.rate
        time.sleep(_WARM_SECONDS)
        return _figure(load, server, clients, empty)


def _figure(load: Load, server: Running, clients: Generator, empty: int) -> Figure:
    clients.sample()
    cpu, before = server.cpu(), server.memory()
    parts: list[Sample] = []
    for _ in range(_PARTS):
        time.sleep(_PART_SECONDS)
        parts.append(clients.sample())
    cpu, memory = server.cpu() - cpu, server.memory()
    seen = Sample.whole(parts)
    grew = parts[-1].age(0.5) - parts[0].age(0.5) > _GROWTH_MS
    return Figure(
        who=load.contender.name,
        clients=load.clients,
        stalled=load.stalled,
        offered=load.offered,
        delivered=seen.records / seen.seconds,
        cores=cpu / seen.seconds,
        per_cpu_second=seen.records / max(cpu, 0.01),
        p50_ms=seen.age(0.5),
        p99_ms=seen.age(0.99),
        max_ms=seen.age(1),
        keeps_up=not grew and seen.records >= _CAME * load.offered * seen.seconds,
        frames=seen.frames / seen.seconds,
        lost=seen.lost,
        unexplained=abs(seen.missing - seen.lost) + seen.repeated,
        disconnected=seen.ended,
        generator_cores=seen.cpu_seconds / seen.seconds,
        memory=memory,
        grown=memory - before,
        memory_a_client=(memory - empty) / load.clients,
    )


@dataclass(frozen=True)
class Return:
    """Clients that came back at once.

    Attributes:
        recovered: of them, without a gap.
        missing: gaps and repetitions in what they got altogether.
    """

    clients: int
    away_seconds: float
    rate: int
    recovered: int
    median_seconds: float
    slowest_seconds: float
    missing: int


def come_back(clients: int = 1_000, rate: int = 500, away_seconds: float = 2.0) -> Return:
    """Let all clients of a bridge come back at once."""
    with running(BRIDGE) as server, Trades(server.kafka, SYMBOLS, rate):
        time.sleep(1.0)
        with Generator(server.port, clients, SYMBOLS, EACH) as load:
            time.sleep(_WARM_SECONDS)
            load.sample()
            joined = load.reconnect(away_seconds)
            time.sleep(_WARM_SECONDS)
            seen = load.sample()
    return Return(
        clients,
        away_seconds,
        rate,
        joined.recovered,
        joined.median_seconds,
        joined.slowest_seconds,
        abs(seen.missing - seen.lost) + seen.repeated,
    )


def ratios(figures: Sequence[Figure], back: Return | None) -> Iterator[Ratio]:
    """How the bridge does beside its peers, and beside the aims."""
    ours = [one for one in figures if one.who == BRIDGE.name]
    usual = {round(one.offered): one for one in ours if one.clients == CLIENTS and not one.stalled}
    for peer, aim in ((NODE, 10), (EMIT, 30)):
        theirs = [one for one in figures if one.who == peer.name]
        if theirs:
            best, mine = (max(group, key=lambda one: one.per_cpu_second) for group in (theirs, usual.values()))
            says = f"delivered per CPU-second, each at its best: beside {peer.name}"
            yield Ratio(says, f"{mine.per_cpu_second / best.per_cpu_second:.1f} x", f"at least {aim} x")
        for one in theirs:
            if round(one.offered) in usual:
                ratio = usual[round(one.offered)].per_cpu_second / one.per_cpu_second
                most = f"at least {aim} x" if one.offered == _MOST else ""
                yield Ratio(f"the same, both at {one.offered:,.0f}/s", f"{ratio:.1f} x", most)
    yield Ratio("p99 at 10,000/s (500 trades a second)", f"{usual[10_000].p99_ms} ms", "under 40 ms")
    yield Ratio("p99 at 160,000/s", f"{usual[160_000].p99_ms} ms", "under 120 ms")
    yield Ratio("keeps up with 800,000/s", _yes(usual[_MOST].keeps_up), "yes")
    for one in ours:
        if one.stalled:
            says = f"p99 beside {one.stalled} clients that never read, at {one.offered:,.0f}/s"
            yield Ratio(says, f"{one.p99_ms} ms", f"{usual[round(one.offered)].p99_ms} ms without them")
        if one.offered > _MOST:
            yield Ratio(f"memory gained in {_PARTS * _PART_SECONDS:.0f} s of {one.offered:,.0f}/s", _mb(one.grown), "0")
        if one.clients == 5_000:
            yield Ratio("memory of each of 5,000 clients", f"{one.memory_a_client / 1000:.0f} KB", "under 40 KB")
    if back is not None:
        says = f"{back.clients:,} clients back at once: the last acknowledged after"
        yield Ratio(says, f"{back.slowest_seconds:.1f} s", "under 5 s")
        yield Ratio(f"of them recovered; gaps and repetitions: {back.missing}", f"{back.recovered:,}", "all; 0")


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def show(figures: Sequence[Figure], compared: Sequence[Ratio]) -> None:
    """Print the tables."""
    console = Console(width=None if os.isatty(1) else 200)
    names = ("who", "clients", "offered/s", "delivered/s", "keeps up", "per CPU-second", "p50 / p99 / max ms")
    table = Table(*names, "cores", "generator's", "lost", "unexplained", "cut off", "memory", box=None)
    for one in figures:
        stalled = f" + {one.stalled} stalled" if one.stalled else ""
        table.add_row(
            one.who,
            f"{one.clients:,}{stalled}",
            f"{one.offered:,.0f}",
            f"{one.delivered:,.0f}",
            _yes(one.keeps_up),
            f"{one.per_cpu_second:,.0f}",
            f"{one.p50_ms} / {one.p99_ms} / {one.max_ms}",
            f"{one.cores:.2f}",
            f"{one.generator_cores:.2f}",
            f"{one.lost:,}",
            f"{one.unexplained:,}",
            str(one.disconnected),
            _mb(one.memory),
        )
    console.print(table)
    below = Table("compared", "is", "aim", box=None)
    for ratio in compared:
        below.add_row(ratio.says, ratio.value, ratio.aim)
    console.print()
    console.print(below)


def run(json_path: Path | None) -> int:
    """Measure everyone, print the tables, and write them down where asked."""
    if not generator.compiled():
        sys.stderr.write(
            "there is no C compiler (or no epoll): the slower generator in Python is used, for a part only\n"
        )
    figures = []
    for load in loads():
        sys.stderr.write(f"{load.contender.name}: {load.clients} clients, {load.offered:,.0f}/s\n")
        figures.append(measure(load))
    back = come_back() if generator.compiled() else None
    compared = list(ratios(figures, back))
    show(figures, compared)
    if json_path is not None:
        came_back = [] if back is None else [asdict(back)]
        write_json(json_path, [asdict(one) for one in figures] + came_back, [asdict(one) for one in compared])
    return 0


if __name__ == "__main__":
    raise SystemExit(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
