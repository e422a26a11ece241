"""Which sources are publishing, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import TickColumns


@dataclass(slots=True)
class LiveSource:
    """A source that has published and may go on.

    Attributes:
        name: its name.
        first: the event time of its first trade.
        last: the latest event time of its trades.
        partitions: where its trades go.
        ended: whether nothing follows.
    """

    name: str
    first: int
    last: int
    partitions: set[int] = field(default_factory=set)
    ended: bool = False


class LiveSources:
    """Follows the sources of the trades that go out.

    Args:
        partitions: how many there are.
    """

    def __init__(self, partitions: int) -> None:
        self._count = partitions
        self._live: dict[str, LiveSource] = {}

    def open(self, name: str, first: int, partitions: Iterable[int]) -> LiveSource:
        """A source that has published nothing yet, and will from `first` on."""
        self._live[name] = LiveSource(name, first, first, set(partitions))
        return self._live[name]

    def see(self, columns: TickColumns, partitions: NDArray[np.int64]) -> list[LiveSource]:
        """Take note of trades and where they go; the sources that are new."""
        new: list[LiveSource] = []
        places = columns.source.codes.astype(np.int64) * self._count + partitions
        for place in np.unique(places).tolist():
            code, partition = divmod(place, self._count)
            times = columns.ts_event[places == place]
            source = self._live.get(columns.source.values[code])
            if source is None:
                source = self.open(columns.source.values[code], int(times[0]), ())
                new.append(source)
            source.last = max(source.last, int(times.max()))
            source.partitions.add(partition)
        return new

    def end(self, names: Iterable[str]) -> None:
        """Nothing follows from these."""
        for name in names:
            if name in self._live:
                self._live[name].ended = True

    def drop(self, source: LiveSource) -> None:
        """Forget one."""
        del self._live[source.name]

    def all(self) -> tuple[LiveSource, ...]:
        """Every one of them."""
        return tuple(self._live.values())

    def by_partition(self) -> Mapping[int, frozenset[str]]:
        """The live sources' names by the partition that they are live in."""
        names: dict[int, set[str]] = {}
        for source in self._live.values():
            for partition in source.partitions:
                names.setdefault(partition, set()).add(source.name)
        return {partition: frozenset(found) for partition, found in names.items()}
