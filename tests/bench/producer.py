"""What a trade costs the producer: a replay at max speed, beside bare loops over the Kafka client.

    python -m tests.bench.producer PATH [--rounds N] [--json FILE]

It needs a running Kafka, by the usual settings (`eval "$(tickstream stack env)"`), and leaves topics with
the prefix `bench-producer.` there. Figures are trades per second of CPU time, user and system, of the whole
process with the client's threads; of the replay without its start, the best of several rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.kafka import Kafka, Producer
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import STOCK_TICKS
from tickstream.producer.adapters.recordings import Recordings
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.merge import merge

PREFIX: Final = "bench-producer."
BATCH: Final = 5_000
MOST: Final = 300_000


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table."""

    what: str
    trades: int
    per_second: int
    per_cpu_second: int


def main() -> None:
    """Measure, print, and write the figures where they are wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    environment = dict(os.environ) | {"KAFKA_TOPIC_PREFIX": PREFIX, "HTTP_PORT": "0"}
    kafka = Kafka(load(KafkaSettings, "BENCH", [], environment))
    kafka.ensure_topics()
    measured: list[Callable[[], Result]] = [
        lambda: replay(given.path, environment),
        lambda: bare("bare produce_batch(), encoded before", kafka, given.path, one_by_one=False),
        lambda: bare("bare produce(), encoded before", kafka, given.path, one_by_one=True),
    ]
    best = [
        max((measure() for _ in range(given.rounds)), key=lambda found: found.per_cpu_second) for measure in measured
    ]
    for result in best:
        print(f"{result.what:40} {result.per_second:>10,}/s {result.per_cpu_second:>10,} per CPU-second")  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in best], indent=2) + "\n")


def replay(path: Path, environment: dict[str, str]) -> Result:
    """The whole producer: files, merge, encoding, publishing, marks."""
    command = [str(Path(sys.executable).with_name("tickstream-producer")), "--source", "replay", "--speed", "max"]
    done = subprocess.run([*command, "--path", str(path)], env=environment, capture_output=True, check=True)
    report = json.loads(done.stdout)
    count = report["acknowledged"]
    return Result("tickstream-producer, replay", count, *rates(count, report["seconds"], report["cpu_seconds"]))


def bare(what: str, kafka: Kafka, path: Path, *, one_by_one: bool) -> Result:
    """The client alone, with delivery callbacks, on values that were encoded before."""
    topic, messages = kafka.topic(STOCK_TICKS.name), encoded(path)
    producer = kafka.producer("bench", max_in_flight=5)
    producer.list_topics(topic, timeout=10)
    wall, cpu = time.perf_counter(), time.process_time()
    arrived = send_one_by_one(producer, topic, messages) if one_by_one else send_batches(producer, topic, messages)
    count = sum(arrived)
    return Result(what, count, *rates(count, time.perf_counter() - wall, time.process_time() - cpu))


def send_one_by_one(producer: Producer, topic: str, messages: list[dict[str, Any]]) -> list[int]:
    """A call a trade."""
    arrived = [0]

    def heard(error: object, _message: object) -> None:
        arrived[0] += error is None

    for index, message in enumerate(messages):
        while len(producer) >= 100_000:
            producer.poll(0.05)
        producer.produce(topic, message["value"], message["key"], on_delivery=heard)
        if index % BATCH == 0:
            producer.poll(0)
    producer.flush()
    return arrived


def send_batches(producer: Producer, topic: str, messages: list[dict[str, Any]]) -> list[int]:
    """A call a batch."""
    arrived = [0]

    def heard(error: object, _message: object) -> None:
        arrived[0] += error is None

    for start in range(0, len(messages), BATCH):
        while len(producer) >= 100_000:
            producer.poll(0.05)
        producer.produce_batch(topic, messages[start : start + BATCH], on_delivery=heard)
        producer.poll(0)
    producer.flush()
    return arrived


def encoded(path: Path) -> list[dict[str, Any]]:
    """The first trades of a recording, as the client takes them."""
    codec, messages = Codecs().of(Tick), list[dict[str, Any]]()
    recordings = Recordings(path, None, None, (), TickInterners(), BadRows())
    for chunk in merge(recordings.streams()):
        keys = [(symbol or "").encode() for symbol in chunk.columns.symbol.to_list()]
        values = codec.encode_columns(chunk.columns)
        messages += [{"value": value, "key": key} for value, key in zip(values, keys, strict=True)]
        if len(messages) >= MOST:
            break
    return messages[:MOST]


def rates(count: int, seconds: float, cpu_seconds: float) -> tuple[int, int]:
    """Trades a second, and a second of CPU time."""
    return round(count / seconds), round(count / cpu_seconds)


if __name__ == "__main__":
    main()
