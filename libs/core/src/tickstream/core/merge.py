"""Rows of several partitions, in the order of event time as far as it can be told.

Partitions are read at their own pace: in a backlog one may be days ahead of another. A row is let
through when every partition that has more to read has come as far as it. At the ends of the logs
rows come through as they are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from operator import itemgetter
from typing import Final, Generic, Protocol, TypeVar

from tickstream.core.partition import Partition

FULL: Final = 20_000
"""Rows of a partition that wait before no more of it are wanted."""


class Timed(Protocol):
    """What has a place in event time."""

    @property
    def end(self) -> int:
        """When it was over, in nanoseconds."""


Row = TypeVar("Row", bound=Timed)


class Merge(Generic[Row]):
    """What was read and waits."""

    def __init__(self) -> None:
        self._waiting: dict[Partition, deque[tuple[int, int, Row]]] = {}
        self._reached: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}

    def start(self, partition: Partition, next_offset: int) -> None:
        """Begin to follow a partition."""
        self._waiting[partition] = deque()
        self._reached[partition] = 0
        self._next[partition] = next_offset

    def drop(self, partition: Partition) -> None:
        """Forget a partition."""
        for held in (self._waiting, self._reached, self._next):
            held.pop(partition, None)

    @property
    def partitions(self) -> Collection[Partition]:
        """Those that are followed."""
        return self._waiting.keys()

    def add(self, partition: Partition, rows: Iterable[tuple[int, Row]], next_offset: int) -> None:
        """Take what was read of a partition: rows with their offsets, and the offset after everything."""
        if partition not in self._waiting:
            return
        waiting, reached = self._waiting[partition], self._reached[partition]
        for offset, row in rows:
            if offset < self._next[partition]:
                continue
            reached = max(reached, row.end)
            waiting.append((reached, offset, row))
        self._reached[partition] = reached
        self._next[partition] = max(self._next[partition], next_offset)

    def full(self) -> set[Partition]:
        """Partitions of which enough waits."""
        return {partition for partition, waiting in self._waiting.items() if len(waiting) >= FULL}

    def release(self, at_end: Collection[Partition]) -> list[Row]:
        """The rows that need not wait any longer; partitions `at_end` aren't waited for."""
        behind = [reached for partition, reached in self._reached.items() if partition not in at_end]
        frontier = min(behind, default=None)
        found: list[tuple[int, Row]] = []
        for partition in sorted(self._waiting):
            waiting = self._waiting[partition]
            while waiting and (frontier is None or waiting[0][0] <= frontier):
                reached, _, row = waiting.popleft()
                found.append((reached, row))
        found.sort(key=itemgetter(0))
        return [row for _, row in found]

    def position(self, partition: Partition) -> int:
        """The offset of the first row that waits, or of the next to read."""
        waiting = self._waiting[partition]
        return waiting[0][1] if waiting else self._next[partition]
