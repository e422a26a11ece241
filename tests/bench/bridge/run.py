"""Fan-out measured: delivered records per CPU-second of the server, and their age at the client.

200 symbols from Kafka, 200 websocket clients with 20 random symbols each, every trade delivered, against
stock python-socketio with one emit a tick in the same run. Needs KAFKA_BOOTSTRAP_SERVERS.

Usage: python -m tests.bench.bridge.run [JSON_FILE]
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from tests.support.programs import until
from tickstream.cli.stack.ports import free_port
from tickstream.core.codec import Codecs
from tickstream.core.columns import Strings, TickColumns, nulls
from tickstream.core.kafka import Kafka
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import TOPICS

CLIENTS: Final = 200
SYMBOLS: Final = 200
EACH: Final = 20
WARM_SECONDS: Final = 3.0
SECONDS: Final = 10.0
STEP: Final = 0.01
READERS: Final = CLIENTS * EACH / SYMBOLS
"""Clients that get each trade, on average."""

BRIDGE: Final = "tickstream-ws-bridge"
EMIT: Final = "python-socketio, one emit a tick"
LOADS: Final = ((EMIT, 500), (EMIT, 1_500), (BRIDGE, 500), (BRIDGE, 1_500), (BRIDGE, 8_000), (BRIDGE, 40_000))
"""Who, and how many trades a second."""


@dataclass(frozen=True)
class Result:
    """One row of the table; cores and CPU-seconds are the server's, all of its threads."""

    who: str
    offered_per_second: float
    delivered_per_second: float
    cores: float
    delivered_per_cpu_second: float
    p50_ms: float
    p99_ms: float
    frames_per_second: float
    load_cores: float
    memory_mb: float


class Trades:
    """Publishes trades of all symbols at an even rate, from a thread."""

    def __init__(self, kafka: Kafka, rate: int) -> None:
        self._producer = kafka.producer("bench", linger_ms=2)
        self._topic = kafka.topic("stock_ticks")
        self._codec = Codecs().of(Tick)
        self._per_step = rate * STEP
        self._stop = threading.Event()
        self._names = [f"S{number:03}" for number in range(SYMBOLS)]
        self._keys = [name.encode() for name in self._names]
        self._sent = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._send(SYMBOLS)
        self._producer.flush(30)
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush(30)

    def _run(self) -> None:
        at = time.monotonic()
        due = 0.0
        while not self._stop.is_set():
            due += self._per_step
            self._send(int(due))
            due -= int(due)
            at += STEP
            time.sleep(max(0.0, at - time.monotonic()))

    def _send(self, count: int) -> None:
        if not count:
            return
        numbers = np.arange(self._sent, self._sent + count)
        self._sent += count
        codes = (numbers % SYMBOLS).astype(np.int32)
        now = np.full(count, time.time_ns())
        columns = TickColumns(
            symbol=Strings(codes, self._names),
            price=100 + numbers % 997 / 100,
            volume=np.full(count, 100.0),
            ts_event=now,
            ts_ingest=now,
            seq=numbers // SYMBOLS + 1,
            source=Strings(np.zeros(count, dtype=np.int32), ["bench"]),
            venue=nulls(count),
            conditions=nulls(count),
            flags=np.zeros(count, dtype=np.int64),
        )
        for code, value in zip(codes.tolist(), self._codec.encode_columns(columns), strict=True):
            self._producer.produce(self._topic, value, self._keys[code])
        self._producer.poll(0)


@contextmanager
def _server(who: str, env: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port(23_000)
    command = {
        BRIDGE: [str(Path(sys.executable).with_name("tickstream-ws-bridge"))],
        EMIT: [sys.executable, "-m", "tests.bench.bridge.emit_server", str(port)],
    }[who]
    child = subprocess.Popen(command, env={**env, "HTTP_PORT": str(port)}, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(child, port), f"{who} doesn't listen")
        yield child, port
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _listens(child: subprocess.Popen[bytes], port: int) -> bool:
    if child.poll() is not None:
        raise RuntimeError(f"the server ended with {child.returncode}")
    return any(one.laddr.port == port for one in psutil.Process(child.pid).net_connections("tcp"))


def measure(who: str, rate: int) -> Result:
    """One server under one load, on topics of its own."""
    env = {**os.environ, "KAFKA_TOPIC_PREFIX": f"bench-{secrets.token_hex(4)}."}
    env.pop("DATABASE_URL", None)
    kafka = Kafka(load(KafkaSettings, "BENCH", [], env))
    kafka.ensure_topics()
    try:
        with _server(who, env) as (server, port), Trades(kafka, rate):
            time.sleep(WARM_SECONDS)
            return _row(who, rate, *_under_load(server, port))
    finally:
        admin = kafka.admin()
        for deleted in admin.delete_topics([kafka.topic(name) for name in TOPICS]).values():
            deleted.result(30)


def _under_load(server: subprocess.Popen[bytes], port: int) -> tuple[dict[str, Any], float, float]:
    command = [sys.executable, "-m", "tests.bench.bridge.load", *map(str, (port, CLIENTS, SYMBOLS, EACH, SECONDS))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        if clients.stdin is None or clients.stdout is None:
            raise RuntimeError("the load generator has no pipes")
        if clients.stdout.readline() != "ready\n":
            raise RuntimeError("the load generator could not subscribe")
        time.sleep(WARM_SECONDS)
        process = psutil.Process(server.pid)
        before = process.cpu_times()
        clients.stdin.write("go\n")
        clients.stdin.flush()
        seen = json.loads(clients.stdout.readline())
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        return seen, used, process.memory_info().rss / 1e6


def _row(who: str, rate: int, seen: Mapping[str, Any], used: float, memory: float) -> Result:
    return Result(
        who,
        rate * READERS,
        seen["records_per_second"],
        used / SECONDS,
        seen["records_per_second"] * SECONDS / max(used, 1e-9),
        seen["p50_ms"],
        seen["p99_ms"],
        seen["frames_per_second"],
        seen["load_cores"],
        memory,
    )


def run(json_path: Path | None) -> int:
    """Measure everyone, print the table, and write it down where asked."""
    results = []
    _say("| who | offered/s | delivered/s | cores | delivered per CPU-second | p50 / p99 ms |")
    _say("|---|---|---|---|---|---|")
    for who, rate in LOADS:
        one = measure(who, rate)
        results.append(one)
        _say(
            f"| {who} | {one.offered_per_second:,.0f} | {one.delivered_per_second:,.0f} | {one.cores:.2f} "
            f"| {one.delivered_per_cpu_second:,.0f} | {one.p50_ms:.0f} / {one.p99_ms:.0f} |"
        )
    if json_path is not None:
        json_path.write_text(json.dumps([asdict(one) for one in results], indent=2) + "\n")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
