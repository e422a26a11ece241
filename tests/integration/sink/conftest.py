from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
import pytest

from tests.support.stores import InfluxStored, PostgresStored, Stored
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka, Publisher, TopicPartition
from tickstream.core.model import Record
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import TOPICS

DEADLINE = 90.0


def eventually(check: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    """Wait until `check` holds; fails at the deadline with `what` it was."""
    end = time.monotonic() + deadline
    while not check():
        assert time.monotonic() < end, f"{what} did not come about within {deadline} s"
        time.sleep(0.05)


class SinkProcess:
    """A sink in a process of its own, and what it says."""

    def __init__(self, env: dict[str, str], *arguments: str, module: str = "tickstream.processor.sink") -> None:
        command = [sys.executable, "-m", module, "--log-format", "json", *arguments]
        self.process = subprocess.Popen(command, env=os.environ | env, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.log: list[dict[str, Any]] = []
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(orjson.loads(line) if line.startswith(b"{") else {"event": line.decode()})

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in list(self.log) if line["event"] == event]

    def page(self, path: str) -> tuple[int, str]:
        eventually(lambda: self.said("started"), "the sink's start")
        try:
            url = f"http://127.0.0.1:{self.said('started')[0]['http_port']}{path}"
            with urllib.request.urlopen(url, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        lines = self.page("/metrics")[1].splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def ends(self) -> int:
        code = self.process.wait(DEADLINE)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Market:
    """The topics of one test, and the store behind them."""

    def __init__(self, env: dict[str, str], stored: Stored) -> None:
        self.env = env
        self.stored = stored
        settings = load(KafkaSettings, "TEST", [], env)
        self.kafka = Kafka(settings)
        self.codecs = Codecs.from_settings(settings)
        self._publisher = Publisher(self.kafka.producer("test"))
        self._running: list[SinkProcess] = []
        self.kafka.ensure_topics()

    def publish(self, records: Sequence[Record]) -> None:
        for record in records:
            topic = next(topic.name for topic in TOPICS.values() if topic.record is type(record))
            key = str(getattr(record, "symbol", None) or getattr(record, "scope", ""))
            self.publish_bytes(topic, key.encode(), self.codecs.of(type(record)).encode(record))
        self.flush()

    def publish_bytes(self, topic: str, key: bytes, value: bytes) -> None:
        self._publisher.publish(self.kafka.topic(topic), key, value)

    def flush(self) -> None:
        self._publisher.flush()

    def sink(self, *arguments: str, module: str = "tickstream.processor.sink", **env: str) -> SinkProcess:
        started = SinkProcess(self.env | env, *arguments, module=module)
        self._running.append(started)
        return started

    def catch_up(self) -> SinkProcess:
        sink = self.sink("--until-caught-up")
        assert sink.ends() == 0, sink.log
        return sink

    def dead_letters(self, topic: str) -> list[tuple[bytes | None, dict[str, str]]]:
        """Values and headers of a DLQ."""
        full = self.kafka.topic(f"{topic}.dlq")
        reader = self.kafka.reader()
        where = TopicPartition(full, 0, 0)
        _low, high = reader.get_watermark_offsets(where, timeout=30)
        reader.assign([where])
        found: list[tuple[bytes | None, dict[str, str]]] = []
        end = time.monotonic() + DEADLINE
        while len(found) < high and time.monotonic() < end:
            for message in reader.consume(100, 0.2):
                if message.error() is None:
                    headers = dict(message.headers() or {})
                    texts = {name: text.decode() for name, text in headers.items() if isinstance(text, bytes)}
                    found.append((message.value(), texts))
        reader.close()
        return found

    def close(self) -> None:
        for process in self._running:
            process.kill()


@pytest.fixture(params=["influxdb", "postgres"])
def market(request: pytest.FixtureRequest, isolated_env: dict[str, str]) -> Iterator[Market]:
    env = isolated_env | {"TIMESERIES": request.param}
    made = Market(env, InfluxStored(env) if request.param == "influxdb" else PostgresStored(env))
    yield made
    made.close()
