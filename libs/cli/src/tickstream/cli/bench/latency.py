"""How old trades and bars are when a reader has them.

A trade's age counts from the producer's stamp. A bar of a second is closed by the first trade of the next one:
its age counts from its end, so what that trade takes to come is in it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import socketio

from tickstream.cli.bench.programs import await_ready, running
from tickstream.cli.stack.ports import LOOPBACK, free_port
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.kafka import OFFSET_END, Kafka, Message, TopicPartition
from tickstream.core.model import Bar, Tick
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import BARS, STOCK_TICKS

_Times = Callable[[list[bytes | None]], list[float]]
"""What the records' ages count from, in milliseconds of the epoch."""

_NANOS_PER_MS: Final = 1e6
_WARM_SECONDS: Final = 45.0
"""A broker that has just started compiles as it runs: its first seconds are not like the others."""


@dataclass(frozen=True, slots=True)
class Latency:
    """One line of the table; ages in milliseconds."""

    who: str
    records: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(slots=True)
class _Ages:
    """Ages of what was received once warm, in milliseconds."""

    since: float = field(default_factory=lambda: time.monotonic() + _WARM_SECONDS)
    found: list[float] = field(default_factory=list)

    def add(self, stamps_ms: list[float], received: int) -> None:
        if time.monotonic() >= self.since:
            now = received / _NANOS_PER_MS
            self.found += [now - stamp for stamp in stamps_ms]

    def line(self, who: str) -> Latency:
        if not self.found:
            raise FatalError(f"{who} received nothing")
        p50, p99 = np.percentile(self.found, [50, 99])
        return Latency(who, len(self.found), float(p50), float(p99), max(self.found))


def measure(environment: Mapping[str, str], rate: int, seconds: float) -> list[Latency]:
    """Simulate `rate` trades a second for so long, and give the ages at the readers.

    Raises:
        FatalError: a service doesn't start, or nothing arrives.
    """
    settings = load(KafkaSettings, "BENCH", [], environment)
    kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
    kafka.ensure_topics()
    quiet = {**environment, "LOG_LEVEL": "ERROR", "HTTP_PORT": "0", "PROCESSOR_ROLES": "bars"}
    market = ("tickstream-producer", "--source", "simulate", "--calendar", "24/7", "--rate", str(rate))
    port = free_port(24_000)
    with running(quiet | {"HTTP_PORT": str(port)}, "tickstream-ws-bridge"):
        await_ready(port)
        trades, client = _Ages(), _Ages()
        with running(quiet, *market), _reader(kafka, STOCK_TICKS.name, _stamps(codecs), trades):
            asyncio.run(_listen(port, client, _WARM_SECONDS + seconds))
    bars = _Ages()
    with (
        running(quiet, "tickstream-processor", "--calendar", "24/7"),
        running(quiet, *market),
        _reader(kafka, BARS.name, _ends(codecs), bars),
    ):
        time.sleep(_WARM_SECONDS + seconds)
    return [
        trades.line("trades, plain Kafka consumer"),
        client.line("trades, client of the bridge"),
        bars.line("closed bars of a second, plain Kafka consumer"),
    ]


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
                ages.add([record["ts_ingest_ms"] for record in event[1]["data"]], time.time_ns())


def _stamps(codecs: Codecs) -> _Times:
    decode, names = codecs.of(Tick).decode_columns, TickInterners()
    return lambda values: (decode(values, names).columns.ts_ingest / _NANOS_PER_MS).tolist()


def _ends(codecs: Codecs) -> _Times:
    decode = codecs.of(Bar).decode

    def ends(values: list[bytes | None]) -> list[float]:
        bars = map(decode, values)
        return [bar.end / _NANOS_PER_MS for bar in bars if bar.state == "closed" and bar.interval == "1s"]

    return ends


@contextmanager
def _reader(kafka: Kafka, name: str, times: _Times, ages: _Ages) -> Iterator[None]:
    """Read a topic beside everything else."""
    stop = threading.Event()
    thread = threading.Thread(target=_read_plainly, args=(kafka, name, times, ages, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _read_plainly(kafka: Kafka, name: str, times: _Times, ages: _Ages, stop: threading.Event) -> None:
    consumer = kafka.reader(fetch_wait_max_ms=10)
    topic = kafka.topic(name)
    consumer.assign([TopicPartition(topic, number, OFFSET_END) for number in range(kafka.partitions(name))])
    while not stop.is_set():
        first = consumer.poll(0.1)
        found = [] if first is None else [first, *consumer.consume(1000, 0)]
        received = time.time_ns()  # what it takes to decode bars one by one is no age of theirs
        messages = [message for message in found if message.error() is None]
        if messages:
            ages.add(times(list(map(Message.value, messages))), received)
    consumer.close()
