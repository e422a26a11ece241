"""Producer and processor, each run to its end on topics of its own, and a recording to feed them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from tickstream.cli.bench.programs import Cost, await_ready, program, run, running
from tickstream.cli.stack.ports import free_port

_FAST: Final = ("--source", "replay", "--speed", "max")
EMPTY: Final = "empty."
"""The place where nothing is ever published."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of made-up trades."""

    path: Path
    ticks: int
    symbols: int

    @classmethod
    def write(
        cls, folder: Path, ticks: int, symbols: int, environment: Mapping[str, str], per_second: int = 1_000
    ) -> Recording:
        """Make it in a process of its own: what that takes of memory would count as the peak of all that follow."""
        path = folder / f"{ticks}-of-{symbols}-{per_second}.parquet"
        wanted = (str(path), str(ticks), str(symbols), str(per_second))
        run([sys.executable, "-m", "tickstream.cli.bench.recording", *wanted], environment)
        return cls(path, ticks, symbols)


class Services:
    """Runs the services.

    Args:
        environment: the servers' settings, with a topic prefix of the benchmark's own; a place is a longer prefix.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**environment, "LOG_LEVEL": "WARNING", "HTTP_PORT": "0"}
        self._prefix = environment["KAFKA_TOPIC_PREFIX"]

    def at(self, place: str) -> dict[str, str]:
        """The settings for topics of that place."""
        return self._environment | {"KAFKA_TOPIC_PREFIX": self._prefix + place}

    def publish(self, recording: Recording, place: str, settings: Mapping[str, str] | None = None) -> Cost:
        """Replay a recording; the cost is what the producer itself gives, which leaves its start out."""
        command = [program("tickstream-producer"), *_FAST, "--path", str(recording.path)]
        # Counted, it is a part of a day: the hours after its last trade aren't filled with quiet bars.
        cost = run([*command, "--count", str(recording.ticks)], self.at(place) | dict(settings or {}))
        account = orjson.loads(cost.output.splitlines()[-1])
        return Cost(account["seconds"], account["cpu_seconds"], cost.peak, cost.output)

    def process(self, place: str, settings: Mapping[str, str], flags: Sequence[str] = ()) -> Cost:
        """Have the processor catch up, its start included."""
        return run([program("tickstream-processor"), "--until-caught-up", *flags], self.at(place) | dict(settings))

    def start(self, place: str, settings: Mapping[str, str]) -> float:
        """Seconds until a processor with the state of a place is ready."""
        port = free_port(24_000)
        began = time.monotonic()
        with running(self.at(place) | dict(settings) | {"HTTP_PORT": str(port)}, "tickstream-processor"):
            await_ready(port)
            return time.monotonic() - began
