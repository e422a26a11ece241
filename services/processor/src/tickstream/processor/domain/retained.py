"""What late trades may still change, kept for as long as they may.

Rows are only ever added; a later row of the same key takes the place of an earlier one. They lie in
segments, sorted by key, which are written to the changelog whole: new rows make a small segment,
neighbouring small ones are merged into a larger one, and once most rows are of no more use all of
it is written anew. So each row is written a few times at most, and the changelog stays as long as
what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.bars import Table, stacked
from tickstream.processor.domain.lanes import Lanes

LARGEST: Final = 16_384
"""Rows of a segment, at most."""

_FANOUT: Final = 8
_SLACK: Final = 8 * 1024


Needed = Callable[[Table], NDArray[np.bool_]]
"""Which of some rows are still needed; they are sorted by key, each key once."""


class Retained:
    """Rows by key, of one dtype that has a `key`."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype = dtype
        self._segments: dict[int, Table] = {}
        self._fresh: list[Table] = []
        self._number = 0
        self._useful = 0

    def __len__(self) -> int:
        return sum(map(len, self._segments.values())) + sum(map(len, self._fresh))

    def add(self, rows: Table) -> None:
        """Keep rows, which are sorted by key."""
        if len(rows):
            self._fresh.append(rows)

    def between(self, lows: Ints, highs: Ints) -> Table:
        """The rows whose keys lie in some ranges [low, high), sorted by key."""
        parts = []
        for rows in (*self._segments.values(), *self._fresh):
            keys = rows["key"]
            begin, end = np.searchsorted(keys, lows), np.searchsorted(keys, highs)
            if (begin < end).any():
                parts.append(rows[_ranges(begin, end)])
        return _newest(parts, self._dtype)

    def restore(self, segments: Iterable[tuple[int, Table]]) -> None:
        """Go on from segments that were written."""
        for number, rows in sorted(segments, key=lambda numbered: numbered[0]):
            self._segments[number] = rows if _is_sorted(rows) else rows[np.argsort(rows["key"], kind="stable")]
            self._number = number + 1
        self._useful = len(self)

    def all(self) -> Table:
        """All rows, sorted by key."""
        return _newest([*self._segments.values(), *self._fresh], self._dtype)

    def changes(self, needed: Needed) -> list[tuple[int, Table | None]]:
        """The segments to be written since this was last asked; None for those that are gone.

        Args:
            needed: the rows that it leaves out may be forgotten.
        """
        if not self._fresh:
            return []
        before = dict(self._segments)
        if len(self) > 2 * self._useful + _SLACK:
            self._useful = self._count(needed)
        if len(self) > 2 * self._useful + _SLACK:
            rows = self.all()
            self._fresh, self._segments = [], {}
            self._append(rows[needed(rows)])
            self._useful = len(self)
        self._seal()
        self._merge()
        gone: list[tuple[int, Table | None]] = [(number, None) for number in before.keys() - self._segments.keys()]
        return gone + [(number, rows) for number, rows in self._segments.items() if before.get(number) is not rows]

    def _count(self, needed: Needed) -> int:
        """About how many rows are needed, without making a table of them."""
        keys = [rows["key"][needed(rows)] for rows in (*self._segments.values(), *self._fresh)]
        return len(np.unique(np.concatenate(keys)))

    def _seal(self) -> None:
        if self._fresh:
            rows, self._fresh = _newest(self._fresh, self._dtype), []
            self._append(rows)

    def _append(self, rows: Table) -> None:
        for begin in range(0, len(rows), LARGEST):
            self._segments[self._number] = rows[begin : begin + LARGEST]
            self._number += 1

    def _merge(self) -> None:
        """Merge the last segments where enough of them are of one size."""
        while True:
            numbers = list(self._segments)[-_FANOUT:]
            tail = [self._segments[number] for number in numbers]
            if len(tail) < _FANOUT:
                return
            smallest = len(tail[-1])
            total = sum(map(len, tail))
            if total > LARGEST or max(map(len, tail)) > _FANOUT * smallest:
                return
            for number in numbers:
                del self._segments[number]
            self._append(_newest(tail, self._dtype))


class Shelves:
    """The same of several partitions, a `Retained` for each.

    Args:
        dtype: of the rows, which name their symbols by lanes.
        lanes: the symbols.
    """

    def __init__(self, dtype: np.dtype[np.void], lanes: Lanes) -> None:
        self._dtype = dtype
        self._lanes = lanes
        self._shelves: dict[int, Retained] = {}

    def of(self, partition: int) -> Retained:
        """A partition's own."""
        return self._shelves.setdefault(partition, Retained(self._dtype))

    def add(self, rows: Table) -> None:
        """As of `Retained`."""
        for partition, some in self._lanes.split(rows):
            self.of(partition).add(some)

    def between(self, lows: Ints, highs: Ints) -> Table:
        """As of `Retained`."""
        return _newest([shelf.between(lows, highs) for shelf in self._shelves.values()], self._dtype)

    def forget(self, partition: int) -> None:
        """Let a partition's rows go."""
        self._shelves.pop(partition, None)


def _ranges(begin: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
    """All numbers of some ranges [begin, end), range by range."""
    counts = end - begin
    firsts = np.repeat(begin - np.cumsum(counts) + counts, counts)
    return firsts + np.arange(len(firsts))


def _newest(parts: list[Table], dtype: np.dtype[np.void]) -> Table:
    """The rows of all parts, sorted by key; of rows with one key the last."""
    rows = parts[0] if len(parts) == 1 else stacked(parts, dtype)
    if _is_sorted(rows):
        return rows
    keys = np.ascontiguousarray(rows["key"])
    order = np.argsort(keys, kind="stable")
    last = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(keys[order[1:]], keys[order[:-1]], out=last[:-1])
    return rows[order[last]]


def _is_sorted(rows: Table) -> bool:
    """Whether rows are sorted by key, each key once."""
    keys = np.ascontiguousarray(rows["key"])
    return bool((keys[1:] > keys[:-1]).all())
