"""What the processor costs: trades per second and per CPU-second of its whole process, against a real Kafka.

    KAFKA_BOOTSTRAP_SERVERS=… python tests/bench/processor.py [--ticks 1000000] [--symbols 200] [--rate 1000]

Trades of a made-up market are published to topics of their own, then `tickstream-processor --until-caught-up` reads
them, with all intervals, indicators, transactions and changelog on. What it takes to start and to read nothing is
measured first and taken off.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np

from tickstream.core.codec import Codecs
from tickstream.core.columns import Strings, TickColumns, nulls
from tickstream.core.kafka import Kafka, Publisher
from tickstream.core.model import Progress, Tick
from tickstream.core.partition import partition_for
from tickstream.core.settings import KafkaSettings, load

SECOND = 1_000_000_000
OPEN = 1_381_239_000 * SECOND
CHUNK = 50_000


def columns(ticks: int, symbols: int, rate: float) -> TickColumns:
    """Trades in order of time, `rate` a second over all symbols."""
    random = np.random.default_rng(7)
    who = random.integers(0, symbols, ticks).astype(np.int32)
    names = [f"SYM{number:05d}" for number in range(symbols)]
    order = np.argsort(who, kind="stable")
    counts = np.bincount(who, minlength=symbols)
    seq = np.empty(ticks, dtype=np.int64)
    seq[order] = np.arange(ticks) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    steps = np.empty(ticks)
    for number, rows in enumerate(np.split(order, np.cumsum(counts)[:-1])):
        steps[rows] = np.cumsum(random.normal(0, 0.01, len(rows))) + 20 + number
    return TickColumns(
        symbol=Strings(who, names),
        price=np.maximum(np.round(steps, 2), 0.01),
        volume=random.integers(1, 500, ticks).astype(np.float64),
        ts_event=OPEN + (np.arange(ticks) * (SECOND / rate)).astype(np.int64),
        ts_ingest=np.full(ticks, OPEN, dtype=np.int64),
        seq=seq,
        source=Strings(np.zeros(ticks, dtype=np.int32), ["bench"]),
        venue=nulls(ticks),
        conditions=nulls(ticks),
        flags=np.zeros(ticks, dtype=np.int64),
    )


def publish(env: dict[str, str], trades: TickColumns) -> None:
    """Publish the trades, and at their end a final mark for each partition."""
    settings = load(KafkaSettings, "BENCH", [], env)
    kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
    kafka.ensure_topics()
    publisher = Publisher(kafka.producer("bench", linger_ms=50, max_in_flight=5))
    partitions = kafka.partitions("stock_ticks")
    where = np.array([partition_for(name, partitions) for name in trades.symbol.values])
    for low in range(0, len(trades), CHUNK):
        rows = np.arange(low, min(low + CHUNK, len(trades)))
        chunk = trades.take(rows)
        for value, code in zip(codecs.of(Tick).encode_columns(chunk), chunk.symbol.codes.tolist(), strict=True):
            publisher.publish(kafka.topic("stock_ticks"), trades.symbol.values[code].encode(), value)
    publisher.flush()
    counts = np.bincount(where[trades.symbol.codes], minlength=partitions)
    if not len(trades):
        return
    for partition, count in enumerate(counts.tolist()):
        mark = Progress("bench", int(trades.ts_event[-1]) + 60 * SECOND, count, final=True)
        value = codecs.of(Progress).encode(mark)
        publisher.publish(kafka.topic("progress"), b"bench", value, partition=partition)
    publisher.flush()


def run(env: dict[str, str]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak memory (MiB) of a run to the end."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [str(Path(sys.executable).with_name("tickstream-processor")), "--until-caught-up", "--http-port", "0"]
    subprocess.run(command, env=env, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - started, cpu, after.ru_maxrss // 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--rate", type=float, default=1000.0, help="trades in a second of event time, all symbols")
    given = parser.parse_args()
    env = {**os.environ, "KAFKA_TOPIC_PREFIX": f"bench-{uuid.uuid4().hex[:8]}.", "PROCESSOR_ROLES": "bars"}
    trades = columns(given.ticks, given.symbols, given.rate)
    publish(env, trades.take(np.arange(0)))
    _, start, _ = run(env)
    env["KAFKA_TOPIC_PREFIX"] = f"bench-{uuid.uuid4().hex[:8]}."
    publish(env, trades)
    wall, cpu, memory = run(env)
    net = cpu - start
    sys.stdout.write(
        f"{given.symbols} symbols, {given.rate:g} trades/s of event time: {given.ticks / wall:,.0f} ticks/s, "
        f"{given.ticks / net:,.0f} ticks per CPU-second ({net:.2f} s, besides {start:.2f} s to start), "
        f"{memory} MiB, prefix {env['KAFKA_TOPIC_PREFIX']}\n"
    )


if __name__ == "__main__":
    main()
