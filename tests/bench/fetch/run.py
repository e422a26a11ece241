"""What it costs to have a topic's records in hand, before anything is done with them.

    python -m tests.bench.fetch.run [--trades N] [--json FILE]

The same trades are read to the end of the log by the defaults of librdkafka, by our consumer in a process that collects
garbage as our services do, and, where there is a C compiler, by librdkafka alone; each in a process of its own, the
best of three rounds. Without a Kafka in the environment it starts one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.support.topics import kafka_of
from tickstream.cli.bench.servers import bench_servers
from tickstream.cli.bench.services import Recording, Services
from tickstream.core.kafka import OFFSET_BEGINNING, Message, TopicPartition
from tickstream.core.service import collect_less_often
from tickstream.core.topics import STOCK_TICKS

_PLACE: Final = "fetch."
_ROUNDS: Final = 3
_SYMBOLS: Final = 200
_BARE: Final = Path(__file__).with_name("bare.c")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table; microseconds a record."""

    how: str
    records: int
    cpu: float
    wall: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--read", choices=["defaults", "ours"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(defaults=given.read == "defaults")
        return
    with bench_servers(["kafka"]) as environment, tempfile.TemporaryDirectory() as folder:
        services = Services(environment)
        services.publish(Recording.write(Path(folder), given.trades, _SYMBOLS, environment), _PLACE)
        lines = measured(services.at(_PLACE), Path(folder))
    for line in lines:
        sys.stdout.write(f"{line.how:32} {line.records:>10,}  {line.cpu:5.2f} us CPU  {line.wall:5.2f} us\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(line) for line in lines]))


def measured(environment: Mapping[str, str], folder: Path) -> list[Line]:
    """Every way, one after the other."""
    script = [sys.executable, "-m", "tests.bench.fetch.run", "--read"]
    lines = [
        best("consume(), librdkafka's defaults", [*script, "defaults"], environment),
        best("consume(), as the services", [*script, "ours"], environment),
    ]
    compiler = shutil.which("cc")
    if compiler is None:
        sys.stderr.write("without a C compiler there is no line of librdkafka alone\n")
        return lines
    kafka, program = kafka_of(environment), folder / "bare"
    subprocess.run([compiler, "-O2", "-o", program, _BARE, library(), f"-Wl,-rpath,{library().parent}"], check=True)
    where = (environment["KAFKA_BOOTSTRAP_SERVERS"], kafka.topic(STOCK_TICKS.name))
    bare = [str(program), *where, str(kafka.partitions(STOCK_TICKS.name))]
    return [*lines, best("librdkafka alone, in C", bare, environment)]


def best(how: str, command: list[str], environment: Mapping[str, str]) -> Line:
    """The round that took the least CPU time."""
    rounds = []
    for _ in range(_ROUNDS):
        done = subprocess.run(command, env=dict(environment), check=True, capture_output=True, text=True)
        count, cpu, wall = done.stdout.split()
        rounds.append(Line(how, int(count), float(cpu) / int(count) * 1e6, float(wall) / int(count) * 1e6))
    return min(rounds, key=lambda line: line.cpu)


def library() -> Path:
    """The librdkafka that confluent-kafka brings."""
    import confluent_kafka  # noqa: PLC0415, TID251 - only where its library is

    package = Path(confluent_kafka.__file__).parent
    return next(package.with_name("confluent_kafka.libs").glob("librdkafka-*.so*"))


def read(*, defaults: bool) -> None:
    """Read to the ends and print the records, the CPU and the wall seconds."""

    kafka = kafka_of(os.environ)
    if defaults:
        consumer = kafka.reader(fetch_queue_backoff_ms=1000)
    else:
        collect_less_often()
        consumer = kafka.reader()
    topic, partitions = kafka.topic(STOCK_TICKS.name), kafka.partitions(STOCK_TICKS.name)
    before, began, records, ended = used(), time.monotonic(), 0, 0
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
    while ended < partitions:
        messages = consumer.consume(10_000, 0.02)
        ends = sum(map(bool, map(Message.error, messages)))
        values = list(map(Message.value, messages))
        ended, records = ended + ends, records + len(values) - ends
    sys.stdout.write(f"{records} {used() - before:.6f} {time.monotonic() - began:.6f}\n")
    consumer.close()


def used() -> float:
    """CPU seconds of this process so far."""
    found = resource.getrusage(resource.RUSAGE_SELF)
    return found.ru_utime + found.ru_stime


if __name__ == "__main__":
    main()
