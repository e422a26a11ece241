"""A recording once more, as a later trading day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Ints, Strings
from tickstream.core.errors import FatalError
from tickstream.core.sessions import ALL_DAY, Sessions
from tickstream.producer.domain.chunks import Chunk

_WEEK: Final = 7
_TRIES: Final = 400
_HALF_A_DAY: Final = 12 * 3600 * NANOS_PER_SECOND


@dataclass(slots=True)
class Span:
    """The first and the last day of a recording, as midnights where the exchange is."""

    sessions: Sessions
    first: int | None = None
    last: int | None = None

    def watch(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, taken note of."""
        for chunk in chunks:
            if len(chunk):
                days = self.sessions.day_start(chunk.columns.ts_event)
                low, high = int(days.min()), int(days.max())
                self.first = low if self.first is None else min(low, self.first)
                self.last = high if self.last is None else max(high, self.last)
            yield chunk


@dataclass(frozen=True, slots=True)
class Shift:
    """So many days later.

    Attributes:
        sessions: of the exchange.
        days: how many calendar days; a time keeps its distance from midnight.
        label: what is added to the names of the sources.
    """

    sessions: Sessions
    days: int
    label: str

    def of(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same trades, later and of other sources."""
        for chunk in chunks:
            columns = replace(
                chunk.columns,
                ts_event=self.times(chunk.columns.ts_event),
                source=Strings(chunk.columns.source.codes, [self.name(name) for name in chunk.columns.source.values]),
            )
            ended = tuple(self.name(name) for name in chunk.ended)
            yield Chunk(columns, self.times(chunk.due), self.time(chunk.until), ended)

    def name(self, source: str) -> str:
        """What a source is called this time."""
        return f"{source}-{self.label}"

    def time(self, ts: int) -> int:
        """The same time of a later day."""
        return int(self.times(np.array([ts], dtype=np.int64))[0])

    def times(self, ts: Ints) -> Ints:
        """The same times of the later days."""
        midnights, rows = np.unique(self.sessions.day_start(ts), return_inverse=True)
        later = midnights
        for _ in range(self.days):
            later = self.sessions.day_end(later)
        return ts + (later - midnights)[rows]


def next_shift(span: Span, before: int) -> Shift:
    """The shift after one of `before` days: to the next trading day behind what was published then.

    A recording of several days keeps its days of the week.

    Raises:
        FatalError: the recording had no trade, or the calendar has no further trading day.
    """
    if span.first is None or span.last is None:
        raise FatalError("the recording has no trade, so it can't be repeated")
    sessions, length = span.sessions, 0
    while _later(sessions, span.first, length) < span.last:
        length += 1
    stride = _WEEK if length else 1
    days = -(-(before + length + 1) // stride) * stride
    for _ in range(_TRIES):
        day = _later(sessions, span.first, days)
        if _trades(sessions, day):
            noon = datetime.fromtimestamp((day + _HALF_A_DAY) / NANOS_PER_SECOND, UTC)
            return Shift(sessions, days, f"as-{noon:%Y%m%d}")
        days += stride
    raise FatalError(f"the calendar has no trading day to repeat the recording on, {days} days after it")


def _later(sessions: Sessions, midnight: int, days: int) -> int:
    later = np.array([midnight], dtype=np.int64)
    for _ in range(days):
        later = sessions.day_end(later)
    return int(later[0])


def _trades(sessions: Sessions, midnight: int) -> bool:
    """Whether the exchange opens on a day."""
    if sessions.classify(np.array([midnight], dtype=np.int64))[0] == ALL_DAY:
        return True
    end, change = _later(sessions, midnight, 1), sessions.next_change(midnight)
    while change is not None and change.ts < end:
        if change.session == "regular":
            return True
        change = sessions.next_change(change.ts)
    return False
