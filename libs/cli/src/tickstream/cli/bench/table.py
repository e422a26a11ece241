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
        wall, cpu: seconds, without those of its start.
    """

    who: str
    does: str
    ticks: int
    wall: float
    cpu: float

    @classmethod
    def of(cls, who: str, does: str, ticks: int, cost: Cost) -> Figure:
        return cls(who, does, ticks, cost.wall, cost.cpu)

    @property
    def per_second(self) -> float:
        """Ticks a second of the clock."""
        return self.ticks / self.wall

    @property
    def per_cpu_second(self) -> float:
        """Ticks a second of CPU."""
        return self.ticks / self.cpu

    def as_dict(self) -> dict[str, object]:
        """Everything by name."""
        return asdict(self) | {"per_second": self.per_second, "per_cpu_second": self.per_cpu_second}


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table("who", "does", "ticks/s", "ticks per CPU-second", box=None)
    for figure in figures:
        table.add_row(
            figure.who,
            figure.does,
            f"{figure.per_second:,.0f}",
            f"{figure.per_cpu_second:,.0f}",
        )
    Console(width=None if os.isatty(1) else 140).print(table)


def show_latencies(lines: Sequence[Latency]) -> None:
    """Print the ages."""
    table = Table("who", "trades", "p50", "p99", "max", box=None)
    for line in lines:
        table.add_row(
            line.who, f"{line.trades:,}", f"{line.p50_ms:.1f} ms", f"{line.p99_ms:.1f} ms", f"{line.max_ms:.1f} ms"
        )
    Console(width=None if os.isatty(1) else 140).print(table)


def write_json(path: Path, figures: Sequence[Mapping[str, object]]) -> None:
    """Write the figures, with what they were measured on."""
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    path.write_bytes(orjson.dumps({"machine": machine, "figures": list(figures)}, option=orjson.OPT_INDENT_2))
