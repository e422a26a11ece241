"""How a stack tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["fetching", "building", "starting", "up", "own", "missing", "stopping", "down"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a stack tells of one server.

    Attributes:
        server: its name.
        phase: where it is: "own" is a user's own server, "missing" one that can't be had here.
        detail: for people.
        done, total: how far it is, where that is known; total is 0 otherwise.
    """

    server: str
    phase: Phase
    detail: str = ""
    done: int = 0
    total: int = 0


OnProgress = Callable[[Step], None]


def silent(_step: Step) -> None:
    """Tell nobody."""
