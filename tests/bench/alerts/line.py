"""What the benchmark says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """CPU seconds for a minute, or a second, of the market."""

    what: str
    cpu_seconds: float
    aim: str
    transitions: int
