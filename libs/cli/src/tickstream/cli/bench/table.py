"""The figures of a benchmark, as a table and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from tickstream.cli.bench.latency import Latency
from tickstream.cli.bench.programs import Cost


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        who: the program.
        does: what it did.
        ticks: how many trades, or points, went through it.
        wall: seconds.
        cpu: seconds, without those of its start.
        peak: most bytes of memory that it held.
    """

    who: str
    does: str
    ticks: int
    wall: float
    cpu: float
    peak: int

    @classmethod
    def of(cls, who: str, does: str, ticks: int, cost: Cost) -> Figure:
        return cls(who, does, ticks, cost.wall, cost.cpu, cost.peak)

    @property
    def per_second(self) -> float:
        """Ticks a second of the clock; where a whole process was measured, with its start."""
        return self.ticks / self.wall

    @property
    def per_cpu_second(self) -> float:
        """Ticks a second of CPU."""
        return self.ticks / self.cpu

    def as_dict(self) -> dict[str, object]:
        """Everything by name."""
        return asdict(self) | {"per_second": self.per_second, "per_cpu_second": self.per_cpu_second}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How two lines of the table compare, by what a tick takes of the CPU.

    Attributes:
        says: what is compared with what.
        value: the ratio.
        aim: what it is wanted to be, empty where nothing is.
    """

    says: str
    value: float
    aim: str = ""

    @classmethod
    def faster(cls, ours: Figure, peer: Figure, aim: str = "") -> Ratio:
        """How many times the peer's ticks per CPU-second ours are."""
        return cls(f"{ours.does}: beside {peer.who}, {peer.does}", ours.per_cpu_second / peer.per_cpu_second, aim)

    @classmethod
    def dearer(cls, figure: Figure, base: Figure, aim: str = "") -> Ratio:
        """How many times the CPU time a tick takes that it takes in the base."""
        return cls(f"cost of {figure.does}: beside {base.does}", base.per_cpu_second / figure.per_cpu_second, aim)


@dataclass(frozen=True, slots=True)
class Start:
    """How long a start took.

    Attributes:
        says: what started.
        seconds: until it was ready.
        aim: what that is wanted to be.
    """

    says: str
    seconds: float
    aim: str = ""


def show(figures: Sequence[Figure], ratios: Sequence[Ratio], starts: Sequence[Start] = ()) -> None:
    """Print the table, below it how its lines compare, and how long starts took."""
    console = Console(width=None if os.isatty(1) else 160)
    table = Table("who", "does", "ticks", "ticks/s", "ticks per CPU-second", "peak memory", box=None)
    for figure in figures:
        table.add_row(
            figure.who,
            figure.does,
            f"{figure.ticks:,}",
            f"{figure.per_second:,.0f}",
            f"{figure.per_cpu_second:,.0f}",
            f"{figure.peak / 1e6:,.0f} MB",
        )
    console.print(table)
    compared = Table("by CPU time", "ratio", "aim", box=None)
    for ratio in ratios:
        compared.add_row(ratio.says, f"{ratio.value:.2f} x", ratio.aim)
    console.print()
    console.print(compared)
    if not starts:
        return
    ready = Table("start", "ready after", "aim", box=None)
    for start in starts:
        ready.add_row(start.says, f"{start.seconds:.1f} s", start.aim)
    console.print()
    console.print(ready)


def show_latencies(lines: Sequence[Latency]) -> None:
    """Print the ages."""
    table = Table("who", "records", "p50", "p99", "max", box=None)
    for line in lines:
        table.add_row(
            line.who, f"{line.records:,}", f"{line.p50_ms:.1f} ms", f"{line.p99_ms:.1f} ms", f"{line.max_ms:.1f} ms"
        )
    Console(width=None if os.isatty(1) else 140).print(table)


def write_json(
    path: Path,
    figures: Sequence[Mapping[str, object]],
    ratios: Sequence[Mapping[str, object]] = (),
    starts: Sequence[Mapping[str, object]] = (),
) -> None:
    """Write the figures, with what they were measured on, how they compare, and how long starts took."""
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    report = {"machine": machine, "figures": list(figures)}
    report |= {name: list(rows) for name, rows in (("ratios", ratios), ("starts", starts)) if rows}
    path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
