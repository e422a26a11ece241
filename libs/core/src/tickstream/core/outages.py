"""When sources of trades were down and symbols halted, by what `market_events` say of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from tickstream.core.model import MarketEvent

_TYPES: Final = {"halt": True, "resume": False, "feed_down": True, "feed_up": False}
_MOST: Final = 256
EVER: Final = int(np.iinfo(np.int64).min)
"""Where a stretch begins of which only the end was told."""
FOREVER: Final = int(np.iinfo(np.int64).max)
"""Where a stretch ends of which no end was told."""

Stretch = tuple[int, int]
"""[from, to) in event time."""


class Outages:
    """What market events tell, in whatever order they come; the last `_MOST` changes of each name count.

    Attributes:
        halted: when each symbol was halted.
    """

    def __init__(self) -> None:
        self._changes: dict[tuple[bool, str], list[tuple[int, bool]]] = {}
        self._down: dict[str, list[Stretch]] = {}
        self.halted: dict[str, list[Stretch]] = {}

    def take(self, event: MarketEvent) -> None:
        """Note an event; those of other types, and those that name nothing, say nothing here."""
        about = _about(event)
        if about is None:
            return
        halts, name = about
        changes = self._changes.setdefault(about, [])
        place = bisect_left(changes, event.ts_event, key=lambda change: change[0])
        same = place < len(changes) and changes[place][0] == event.ts_event
        changes[place : place + same] = [(event.ts_event, _TYPES[event.type])]
        del changes[:-_MOST]
        (self.halted if halts else self._down)[name] = _stretches(changes)

    def since(self, event: MarketEvent) -> int:
        """From which event time on an event can change what is known: the change before it."""
        changes = [] if (about := _about(event)) is None else self._changes.get(about, [])
        place = bisect_left(changes, event.ts_event, key=lambda change: change[0])
        return changes[place - 1][0] if place else EVER

    @property
    def any_down(self) -> list[Stretch]:
        """When any source was down."""
        return [stretch for stretches in self._down.values() for stretch in stretches]

    def down(self, sources: Iterable[str]) -> list[Stretch]:
        """When all of some sources were down."""
        return _common([self._down.get(source, []) for source in sources])


def matters(event: MarketEvent) -> bool:
    """Whether an event is of a type that can make windows something else than quiet."""
    return event.type in _TYPES


def _about(event: MarketEvent) -> tuple[bool, str] | None:
    """Whether an event is about a symbol's trading, and the name of the symbol or source."""
    halts = event.type in ("halt", "resume")
    name = event.symbol if halts else event.source
    return (halts, name) if event.type in _TYPES and name else None


def _stretches(changes: Sequence[tuple[int, bool]]) -> list[Stretch]:
    """When it was so; before a first change to the contrary it had been so, too."""
    found: list[Stretch] = []
    since = None if changes[0][1] else EVER
    for ts, begins in changes:
        if begins and since is None:
            since = ts
        elif not begins and since is not None:
            found.append((since, ts))
            since = None
    return found if since is None else [*found, (since, FOREVER)]


def _common(many: Sequence[Sequence[Stretch]]) -> list[Stretch]:
    """When all were so at once."""
    if not many:
        return []
    common = list(many[0])
    for others in many[1:]:
        both = [(max(a, c), min(b, d)) for a, b in common for c, d in others]
        common = [(begin, end) for begin, end in both if begin < end]
    return common
