"""Symbols and sources, apart for each partition, so that one engine does the work of several.

What a source has told in one partition says nothing of another one, and each partition's state moves
on its own. So an engine goes by lanes: a lane is a symbol, or a source, in one partition.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Interner, Ints

_NONE: Final = -1
_ROOM: Final = 64


class Lanes:
    """Gives each text of each partition a code.

    Args:
        names: gives the texts' own codes.

    Attributes:
        values: the text of each lane.
    """

    def __init__(self, names: Interner) -> None:
        self._names = names
        self._lanes: NDArray[np.int32] = np.full((0, 0), _NONE, dtype=np.int32)
        self._partitions = np.zeros(0, dtype=np.int64)
        self.values: list[str] = []

    def __len__(self) -> int:
        return len(self.values)

    @property
    def partitions(self) -> Ints:
        """The partition of each lane."""
        return self._partitions[: len(self.values)]

    def of(self, partition: int) -> Ints:
        """The lanes of a partition."""
        return np.flatnonzero(self.partitions == partition)

    def split(self, rows: NDArray[np.void]) -> list[tuple[int, NDArray[np.void]]]:
        """(partition, rows) of a table that names symbols by their lanes; the order stays."""
        partitions = self._partitions[rows["symbol"]]
        present = np.flatnonzero(np.bincount(partitions)).tolist()
        if len(present) == 1:
            return [(present[0], rows)]
        return [(partition, rows[partitions == partition]) for partition in present]

    def codes(self, partitions: Ints, names: NDArray[np.int32]) -> Ints:
        """The lanes of texts by the texts' own codes, and their partitions; those that are new get the next ones."""
        self._reserve(int(partitions.max(initial=0)))
        lanes = self._lanes[partitions, names]
        if (lanes == _NONE).any():
            fresh = np.flatnonzero(lanes == _NONE)
            pairs = dict.fromkeys(zip(partitions[fresh].tolist(), names[fresh].tolist(), strict=True))
            for partition, name in pairs:
                self._add(partition, name)
            lanes = self._lanes[partitions, names]
        return lanes.astype(np.int64)

    def code(self, partition: int, text: str) -> int:
        """The lane of a text, a new one when there is none yet."""
        name = self._names.code(text)
        self._reserve(partition)
        if self._lanes[partition, name] == _NONE:
            self._add(partition, name)
        return int(self._lanes[partition, name])

    def find(self, partition: int, text: str) -> int:
        """The lane of a text; -1, which none is, when there isn't one."""
        name = self._names.find(text)
        known = name >= 0 and partition < self._lanes.shape[0] and name < self._lanes.shape[1]
        return int(self._lanes[partition, name]) if known else _NONE

    def _add(self, partition: int, name: int) -> None:
        lane = len(self.values)
        if lane == len(self._partitions):
            self._partitions = np.concatenate((self._partitions, np.zeros(max(lane, _ROOM), dtype=np.int64)))
        self._lanes[partition, name], self._partitions[lane] = lane, partition
        self.values.append(self._names.values[name])

    def _reserve(self, partition: int) -> None:
        rows, columns = self._lanes.shape
        if partition >= rows or len(self._names) > columns:
            room = (max(partition + 1, rows), max(2 * len(self._names), columns))
            lanes = np.full(room, _NONE, dtype=np.int32)
            lanes[:rows, :columns] = self._lanes
            self._lanes = lanes
