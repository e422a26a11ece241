"""The load generator: built of load.c where there is a compiler, else load.py."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.places import Places

_SOURCE: Final = Path(__file__).with_name("load.c")
_COMPILERS: Final = ("cc", "gcc", "clang")
_FLAGS: Final = ("-O2", "-Wall", "-Wextra", "-Werror")
PYTHON: Final = [sys.executable, "-m", "tests.bench.bridge.load"]


@dataclass(frozen=True)
class Sample:
    """What the clients of one generator have seen for a while.

    Attributes:
        cpu_seconds: of the generator.
        connected: clients, at the end.
        records, frames, bytes: received.
        lost: records left out, as the server told.
        missing: gaps in the records' seq.
        repeated: records that came again, or too late.
        told: `status` events.
        slow_consumer: connections ended for that.
        ended: connections ended by the server.
        ages: how many records were so many milliseconds old.
    """

    seconds: float
    cpu_seconds: float = 0.0
    connected: int = 0
    records: int = 0
    frames: int = 0
    bytes: int = 0
    lost: int = 0
    missing: int = 0
    repeated: int = 0
    told: int = 0
    slow_consumer: int = 0
    ended: int = 0
    ages: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Sample:
        """From what the generator prints."""
        return cls(**{**fields, "ages": Counter({int(age): count for age, count in fields["ages"].items()})})

    @classmethod
    def whole(cls, parts: Iterable[Sample]) -> Sample:
        """Samples that followed each other, as one."""
        parts = list(parts)
        names = ("seconds", "cpu_seconds", "records", "frames", "bytes", "lost", "missing", "repeated", "told")
        sums = {name: sum(getattr(part, name) for part in parts) for name in (*names, "slow_consumer", "ended")}
        ages = sum((part.ages for part in parts), Counter[int]())
        return cls(**sums, connected=parts[-1].connected, ages=ages)

    def age(self, share: float) -> int:
        """The age in milliseconds that this share of the records didn't exceed; 0 without records."""
        seen = 0
        for age, count in sorted(self.ages.items()):
            seen += count
            if seen >= share * self.ages.total():
                return age
        return 0


@dataclass(frozen=True)
class Joined:
    """How long a server took to acknowledge many clients' subscriptions, each from the beginning of its connecting."""

    clients: int
    recovered: int
    median_seconds: float
    slowest_seconds: float


class Generator:
    """Clients of one server, in a process of their own.

    Args:
        port: of the server.
        clients: how many.
        symbols: there are.
        each: symbols of every client.
        mode: of their subscriptions.
        command: the generator; by default the best there is.
    """

    def __init__(
        self, port: int, clients: int, symbols: int, each: int, mode: str = "all", command: list[str] | None = None
    ) -> None:
        arguments = [*(command or best()), *map(str, (port, clients, mode, symbols, each))]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self._joined("ready")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def sample(self) -> Sample:
        """What came since the last sample, or since the beginning."""
        self._tell("sample")
        return Sample.of(self._heard())

    def slow(self, bytes_per_second: int) -> None:
        """Let every client take so little from now on."""
        self._tell(f"slow {bytes_per_second}")

    def reconnect(self, away_seconds: float) -> Joined:
        """End all connections; after a while make all of them again at once, with their tokens."""
        self._tell(f"reconnect {away_seconds * 1000:.0f}")
        return self._joined("reconnected")

    def revive(self) -> None:
        """Make those connections again that the server has ended."""
        self._tell("revive")

    def _joined(self, what: str) -> Joined:
        heard = self._heard()
        return Joined(heard[what], heard["recovered"], heard["median_seconds"], heard["slowest_seconds"])

    def _tell(self, line: str) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError(f"the load generator ended with {self._process.wait()}")
        heard: dict[str, Any] = json.loads(line)
        return heard


def compiled() -> bool:
    """Whether there is what the compiled generator needs."""
    return sys.platform == "linux" and _compiler() is not None


def best() -> list[str]:
    """The generator, built first where it is missing."""
    if not compiled():
        return PYTHON
    digest = hashlib.sha256(_SOURCE.read_bytes() + " ".join(_FLAGS).encode()).hexdigest()
    built = Cache(Places.of(os.environ).cache).install(f"bridge-load-{digest[:8]}", _build)
    return [str(built / "load")]


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, _COMPILERS)), None)


def _build(directory: Path) -> None:
    subprocess.run([_compiler() or "cc", *_FLAGS, "-o", str(directory / "load"), str(_SOURCE)], check=True)
