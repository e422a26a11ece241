"""How much the sink takes: trades from Kafka into the store that the settings name.

    python -m tests.bench.sink [--trades N] [--json FILE]

Needs the servers' settings in the environment (`eval "$(tickstream stack env)"`). The trades are
made here, three symbols, about half of them in a millisecond with others; CPU is the sink's whole
process, its start included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tickstream.core.codec import Codecs
from tickstream.core.columns import Strings, TickColumns, nulls
from tickstream.core.kafka import Kafka, Publisher
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load

SYMBOLS = ("AIG", "BAC", "SPY")
OPEN_NS = 1_381_239_000_000_000_000
CHUNK = 50_000


def trades(first: int, count: int) -> TickColumns:
    """Made-up trades of three symbols; seq goes on from `first`."""
    chance = np.random.default_rng(first)
    row = np.arange(first, first + count)
    seq = row // len(SYMBOLS) + 1
    time_ns = OPEN_NS + seq // 3 * 1_000_000
    return TickColumns(
        symbol=Strings((row % len(SYMBOLS)).astype(np.int32), SYMBOLS),
        price=chance.integers(100_000, 2_000_000, count) / 10_000,
        volume=chance.integers(1, 2_000, count).astype(np.float64),
        ts_event=time_ns,
        ts_ingest=time_ns,
        seq=seq,
        source=Strings(np.zeros(count, dtype=np.int32), ("bench",)),
        venue=nulls(count),
        conditions=nulls(count),
        flags=np.zeros(count, dtype=np.int64),
    )


def publish(env: Mapping[str, str], count: int) -> None:
    """Put `count` trades on stock_ticks."""
    settings = load(KafkaSettings, "BENCH", [], env)
    kafka = Kafka(settings)
    kafka.ensure_topics()
    publisher = Publisher(kafka.producer("bench", linger_ms=50, max_in_flight=5))
    codec = Codecs.from_settings(settings)
    for first in range(0, count, CHUNK):
        columns = trades(first, min(CHUNK, count - first))
        keys = [symbol.encode() for symbol in SYMBOLS]
        for code, value in zip(columns.symbol.codes.tolist(), codec.of(Tick).encode_columns(columns), strict=True):
            publisher.publish(kafka.topic("stock_ticks"), keys[code], value)
    publisher.flush()


def run_sink(env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of the wall clock and of CPU that a sink needs to catch up."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "tickstream.processor.sink", "--until-caught-up"], env=env, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=600_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    env = os.environ | {"KAFKA_TOPIC_PREFIX": f"bench_{secrets.token_hex(4)}.", "LOG_LEVEL": "WARNING"}
    _idle_wall, idle_cpu = run_sink(env)
    publish(env, options.trades)
    wall, cpu = run_sink(env)
    result = {
        "store": env.get("TIMESERIES", "by default"),
        "trades": options.trades,
        "points_per_second": options.trades / wall,
        "points_per_cpu_second": options.trades / cpu,
        "points_per_cpu_second_without_start": options.trades / max(cpu - idle_cpu, 1e-9),
    }
    sys.stdout.write(
        "  ".join(f"{k}: {v:,.0f}" if isinstance(v, float) else f"{k}: {v}" for k, v in result.items()) + "\n"
    )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
