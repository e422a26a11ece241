"""Many recordings into one stream in the order of time, a batch of each in memory at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Ints, TickColumns
from tickstream.producer.domain.chunks import Chunk, concat, nothing, part


@dataclass(frozen=True, slots=True)
class Stream:
    """A recording that has not been opened yet.

    Attributes:
        first: no trade in it is due before this event time.
        read: opens it; its batches in their order, with codes from the interners of all streams.
        source: the name of its trades' source when no other stream has the same one.
    """

    first: int
    read: Callable[[], Iterator[TickColumns]]
    source: str | None = None


_NEVER: Final = int(np.iinfo(np.int64).min)


def merge(streams: Sequence[Stream]) -> Iterator[Chunk]:
    """The trades of all streams in the order of time.

    A stream's own order is kept always: a trade behind a later one of its stream follows it at
    once. Of trades due at the same time, those of the earlier stream come first. A stream is
    opened when its time has come.
    """
    waiting = deque(sorted(enumerate(streams), key=lambda ranked: (ranked[1].first, ranked[0])))
    reading: list[_Reading] = []
    while True:
        ended = _open_due(waiting, reading)
        if not reading:
            if ended:
                yield Chunk(nothing(), np.zeros(0, dtype=np.int64), _NEVER, tuple(ended))
            return
        taken = _take(reading)
        for stream in [stream for stream in reading if not len(stream.due)]:
            if not stream.refill():
                reading.remove(stream)
                ended += [stream.source] if stream.source else []
        upcoming = [int(stream.due[0]) for stream in reading] + [stream.first for _, stream in list(waiting)[:1]]
        yield _chunk(taken, upcoming, ended)


class _Reading:
    """An open stream and its batch in hand."""

    def __init__(self, rank: int, stream: Stream) -> None:
        self.rank = rank
        self.source = stream.source
        self._batches = stream.read()
        self._latest = _NEVER
        self.columns: TickColumns = nothing()
        self.due: Ints = self.columns.ts_event

    @property
    def horizon(self) -> tuple[int, int]:
        """Up to where this stream is known."""
        return int(self.due[-1]), self.rank

    def refill(self) -> bool:
        """Take the next batch in hand; says whether there was one."""
        for batch in self._batches:
            if len(batch):
                self.columns = batch
                self.due = np.maximum.accumulate(np.maximum(batch.ts_event, self._latest))
                self._latest = int(self.due[-1])
                return True
        return False

    def take(self, limit: int, *, inclusive: bool) -> tuple[TickColumns, Ints]:
        """Give up the trades due before `limit`, or at it too."""
        count = int(np.searchsorted(self.due, limit, side="right" if inclusive else "left"))
        taken = part(self.columns, 0, count), self.due[:count]
        self.columns = part(self.columns, count, len(self.columns))
        self.due = self.due[count:]
        return taken


def _open_due(waiting: deque[tuple[int, Stream]], reading: list[_Reading]) -> list[str]:
    """Open the streams that may have trades before the horizon of those being read; the empty ones' sources."""
    empty: list[str] = []
    while waiting and (not reading or waiting[0][1].first <= min(stream.horizon for stream in reading)[0]):
        stream = _Reading(*waiting.popleft())
        if stream.refill():
            reading.append(stream)
            reading.sort(key=lambda other: other.rank)
        elif stream.source:
            empty.append(stream.source)
    return empty


def _take(reading: Sequence[_Reading]) -> list[tuple[TickColumns, Ints]]:
    """What is in its final place: everything up to the nearest horizon.

    The stream whose horizon it is may go on with the same time, so the same time of the streams after it waits.
    """
    limit, rank = min(stream.horizon for stream in reading)
    return [stream.take(limit, inclusive=stream.rank <= rank) for stream in reading]


def _chunk(taken: Sequence[tuple[TickColumns, Ints]], upcoming: Sequence[int], ended: Sequence[str]) -> Chunk:
    filled = [(columns, due) for columns, due in taken if len(due)]
    columns = concat([columns for columns, _ in filled])
    due = np.concatenate([due for _, due in filled])
    if len(filled) > 1:
        order = np.argsort(due, kind="stable")
        columns, due = columns.take(order), due[order]
    return Chunk(columns, due, min(upcoming, default=int(due[-1])), tuple(ended))
