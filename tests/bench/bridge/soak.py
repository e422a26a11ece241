"""A bridge under steady load for a while: its memory, and the age of what its clients get.

Four kinds of clients at once: some that get every record, some that get the newest of each symbol, some that read too
slowly, and some that leave and come back with their tokens over and over. It starts
a broker of its own unless KAFKA_BOOTSTRAP_SERVERS names yours.

Usage: python -m tests.bench.bridge.soak [MINUTES [FOLDER]]; the plots go into the folder, by default docs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.bridge import generator
from tests.bench.bridge.contenders import BRIDGE, Running, running
from tests.bench.bridge.generator import Generator, Joined, Sample
from tests.bench.bridge.plot import plot
from tests.bench.bridge.trades import Trades
from tickstream.cli.bench.servers import bench_servers

SYMBOLS: Final = 200
EACH: Final = 20
RATE: Final = 4_000
ALL: Final = "all"
LATEST: Final = "latest"
SLOW: Final = "slow"
RETURNING: Final = "returning"
KINDS: Final = {ALL: 200, LATEST: 200, SLOW: 20, RETURNING: 50}
"""How many clients of each kind."""
_SLOW_BYTES: Final = 20_000
"""A second; every record would be four times as much."""
_SAMPLE_SECONDS: Final = 5.0
_RETURN_EVERY: Final = 3
"""Samples between two returns."""
_AWAY_SECONDS: Final = 1.0
_WARM_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Row:
    """One look at everything.

    Attributes:
        minutes: since the beginning.
        memory: bytes of the bridge.
        cores: that it used since the last look.
        seen: by the clients of each kind since the last look.
        joined: how the returning came back, if they did.
    """

    minutes: float
    memory: int
    cores: float
    seen: Mapping[str, Sample]
    joined: Joined | None


def soak(minutes: float) -> Iterator[Row]:
    """Load a bridge for so long, and look every few seconds."""
    with ExitStack() as stack:
        server = stack.enter_context(running(BRIDGE))
        stack.enter_context(Trades(server.kafka, SYMBOLS, RATE))
        time.sleep(1.0)
        clients = {
            kind: stack.enter_context(
                Generator(server.port, count, SYMBOLS, EACH, "latest" if kind == LATEST else "all")
            )
            for kind, count in KINDS.items()
        }
        clients[SLOW].slow(_SLOW_BYTES)
        time.sleep(_WARM_SECONDS)
        for one in clients.values():
            one.sample()
        yield from _looks(server, clients, minutes)


def _looks(server: Running, clients: Mapping[str, Generator], minutes: float) -> Iterator[Row]:
    began = last = time.monotonic()
    cpu = server.cpu()
    for number in range(1, round(minutes * 60 / _SAMPLE_SECONDS) + 1):
        joined = clients[RETURNING].reconnect(_AWAY_SECONDS) if number % _RETURN_EVERY == 0 else None
        time.sleep(max(0.0, began + number * _SAMPLE_SECONDS - time.monotonic()))
        seen = {kind: one.sample() for kind, one in clients.items()}
        clients[SLOW].revive()
        now, used = time.monotonic(), server.cpu()
        yield Row((now - began) / 60, server.memory(), (used - cpu) / (now - last), seen, joined)
        last, cpu = now, used


def pictures(rows: Sequence[Row]) -> dict[str, str]:
    """The plots, by the names of their files."""
    memory = {"the bridge": [(row.minutes, row.memory / 1e6) for row in rows]}
    ages = {
        f"{kind}, {share:.0%}": [(row.minutes, float(row.seen[kind].age(share))) for row in rows]
        for kind, share in ((ALL, 0.5), (ALL, 0.99), (LATEST, 0.99))
    }
    return {
        "soak-memory.svg": plot("Memory of the bridge, MB", memory),
        "soak-latency.svg": plot("Age of records at the clients, ms", ages),
    }


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """What came of each kind of clients, as a table for the docs, and the memory."""
    yield "| clients | records | p50 / p99 / max | lost, as told | lost but not told, or repeated | cut off |"
    yield "|---|---|---|---|---|---|"
    for kind, count in KINDS.items():
        whole = Sample.whole(row.seen[kind] for row in rows)
        yield (
            f"| {count} {kind} | {whole.records:,} | {whole.age(0.5)} / {whole.age(0.99)} / {whole.age(1)} ms "
            f"| {whole.lost:,} | {abs(whole.missing - whole.lost) + whole.repeated:,} | {whole.slow_consumer} |"
        )
    back = [row.joined for row in rows if row.joined is not None]
    came, recovered = sum(one.clients for one in back), sum(one.recovered for one in back)
    slowest = max((one.slowest_seconds for one in back), default=0.0)
    first, half, last = (f"{row.memory / 1e6:.0f} MB" for row in (rows[0], rows[len(rows) // 2], rows[-1]))
    yield ""
    yield f"Returns: {came:,}, recovered: {recovered:,}, the slowest within {slowest:.2f} s."
    yield f"Memory: {first} first, {half} half way, {last} last."
    yield f"Cores: {sum(row.cores for row in rows) / len(rows):.2f}."


def main(minutes: float, folder: Path) -> int:
    """Run it, and draw it."""
    if not generator.compiled():
        sys.stderr.write("the soak needs the compiled load generator: Linux and a C compiler\n")
        return 1
    rows = []
    for row in soak(minutes):
        rows.append(row)
        ages = ", ".join(f"{kind} {one.age(0.5)}/{one.age(0.99)} ms" for kind, one in row.seen.items())
        sys.stderr.write(f"{row.minutes:.1f} min: {row.memory / 1e6:.0f} MB, {row.cores:.2f} cores, {ages}\n")
    for name, picture in pictures(rows).items():
        (folder / name).write_text(picture)
    sys.stdout.write("\n".join(summary(rows)) + "\n")
    return 0


if __name__ == "__main__":
    _minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with bench_servers(["kafka"]) as _environment:
        os.environ |= _environment
        raise SystemExit(main(_minutes, Path(sys.argv[2] if len(sys.argv) > 2 else "docs")))
