"""How old a trade is when a client of the bridge has it, beside a plain Kafka consumer in the same run."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import numpy as np
import socketio

from tickstream.cli.stack.ports import LOOPBACK, free_port
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.kafka import OFFSET_END, Kafka, Message, TopicPartition
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import STOCK_TICKS

_START_LIMIT: Final = 60.0
_WARM_SECONDS: Final = 15.0
"""A broker that has just started compiles as it runs: its first seconds are not like the others."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One line of the table; ages in milliseconds, from the producer's stamp to the reader's hands."""

    who: str
    trades: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(slots=True)
class _Ages:
    """Ages of what was received once warm, in milliseconds."""

    since: float
    found: list[float] = field(default_factory=list)

    def add(self, stamps_ms: list[float]) -> None:
        if time.monotonic() >= self.since:
            now = time.time_ns() / 1e6
            self.found += [now - stamp for stamp in stamps_ms]

    def line(self, who: str) -> Latency:
        if not self.found:
            raise FatalError(f"{who} received nothing")
        p50, p99 = np.percentile(self.found, [50, 99])
        return Latency(who, len(self.found), float(p50), float(p99), max(self.found))


def measure(environment: Mapping[str, str], rate: int, seconds: float) -> list[Latency]:
    """Simulate `rate` trades a second for so long, and give the ages at both readers.

    Raises:
        FatalError: a service doesn't start, or nothing arrives.
    """
    settings = load(KafkaSettings, "BENCH", [], environment)
    kafka = Kafka(settings)
    kafka.ensure_topics()
    port = free_port(24_000)
    quiet = {**environment, "LOG_LEVEL": "ERROR"}
    with ExitStack() as running:
        running.enter_context(_program("tickstream-ws-bridge", quiet | {"HTTP_PORT": str(port)}))
        _await_listening(port)
        market = ("--source", "simulate", "--calendar", "24/7", "--rate", str(rate))
        running.enter_context(_program("tickstream-producer", quiet | {"HTTP_PORT": "0"}, *market))
        since = time.monotonic() + _WARM_SECONDS
        plain, client = _Ages(since), _Ages(since)
        stop = threading.Event()
        reader = threading.Thread(target=_read_plainly, args=(kafka, Codecs.from_settings(settings), plain, stop))
        reader.start()
        try:
            asyncio.run(_listen(port, client, _WARM_SECONDS + seconds))
        finally:
            stop.set()
            reader.join()
    return [plain.line("plain Kafka consumer"), client.line("client of the bridge")]


async def _listen(port: int, ages: _Ages, seconds: float) -> None:
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(f"http://{LOOPBACK}:{port}", transports=["websocket"])
        subscribed = False
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not subscribed:
                wanted = {"channel": "ticks", "symbols": ["*"], "mode": "all"}
                subscribed = (await client.call("subscribe", wanted)).get("ok", False)
            try:
                event: list[Any] = await client.receive(timeout=1)
            except socketio.exceptions.TimeoutError:
                continue
            if event[0] == "ticks":
                ages.add([record["ts_ingest_ms"] for record in event[1]["data"]])


def _read_plainly(kafka: Kafka, codecs: Codecs, ages: _Ages, stop: threading.Event) -> None:
    consumer = kafka.reader(fetch_wait_max_ms=10)
    topic, decode, names = kafka.topic(STOCK_TICKS.name), codecs.of(Tick).decode_columns, TickInterners()
    consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in range(kafka.partitions(STOCK_TICKS.name))])
    while not stop.is_set():
        messages = [message for message in consumer.consume(1000, 0.005) if message.error() is None]
        if messages:
            columns = decode(list(map(Message.value, messages)), names).columns
            ages.add((columns.ts_ingest // 1_000_000).astype(float).tolist())
    consumer.close()


@contextmanager
def _program(name: str, environment: Mapping[str, str], *arguments: str) -> Iterator[None]:
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    child = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _await_listening(port: int) -> None:

    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise FatalError(f"the bridge must be ready within {_START_LIMIT:.0f} s")
