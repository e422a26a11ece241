"""What a user would take instead: programs that make the same one-minute bars of the same trades."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tickstream.cli.bench.kafka_streams import KafkaStreamsJob
from tickstream.cli.bench.programs import Cost, run
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import MissingToolError
from tickstream.cli.stack.places import Places

_ROOT: Final = Path(__file__).resolve().parents[6]
_PEERS: Final = _ROOT / "tests" / "bench" / "peers"
_QUIX_IDLE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that reads as many trades as its last argument says from stock_ticks, makes bars, and ends.

    Attributes:
        name: whose it is.
        does: what of the work it does, and with which guarantee.
        command: the program, without the number.
        encoding: of the trades that it reads, as the producer names it.
        idle: seconds of the clock that it waits after the last trade before it ends.
        warms_up: it compiles while it runs; the last line that it prints has the cost of its second half as JSON.
    """

    name: str
    does: str
    command: tuple[str, ...]
    encoding: str = "avro"
    idle: float = 0.0
    warms_up: bool = False

    def run(self, ticks: int, environment: Mapping[str, str]) -> Cost:
        """Have it read so many; with 0 it starts and ends."""
        cost = run([*self.command, str(ticks)], environment)
        return replace(cost, wall=cost.wall - self.idle) if ticks else cost


def plain_loop() -> Peer:
    """`consume()`, a dict of bars, `produce()`."""
    command = (sys.executable, str(_sources("plain_loop.py")))
    return Peer("plain confluent-kafka loop", "1m bars in a dict, no guarantee", command)


def quix_streams() -> Peer:
    """Quix Streams, which runs in an environment of its own, made by uv."""
    folder = _sources("quix")
    command = (
        str(_ROOT / "tools" / "uv.sh"),
        "run",
        "--quiet",
        "--frozen",
        "--project",
        str(folder),
        "python",
        str(folder / "app.py"),
    )
    return Peer("Quix Streams", "1m bars, JSON, at least once", command, encoding="json", idle=_QUIX_IDLE)


def kafka_streams() -> Peer:
    """Kafka Streams, a Java job that is built first."""
    job = KafkaStreamsJob(_sources("kafka_streams"), _ROOT / "schemas")
    command = job.command(Cache(Places.of(os.environ).cache))
    return Peer("Kafka Streams", "1m bars, exactly once, 1 thread", tuple(command), warms_up=True)


PEERS: Final[tuple[Callable[[], Peer], ...]] = (plain_loop, quix_streams, kafka_streams)
"""Each raises MissingToolError where it can't be had."""


def _sources(name: str) -> Path:
    path = _PEERS / name
    if not path.exists():
        raise MissingToolError(f"{path.stem} is in tests/bench/peers of a checkout, which is not here")
    return path
