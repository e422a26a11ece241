"""The closed bars and indicators that are on the topics already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka
from tickstream.core.model import Bar, IndicatorSet
from tickstream.core.sessions import SESSION_NAMES
from tickstream.core.topics import BARS, INDICATORS, Topic
from tickstream.processor.backfill.log import bounds, read
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.outages import ACTIVITIES
from tickstream.processor.domain.recomputed import ABSENT, FIGURES, Published, Scope

_BATCH: Final = 10_000

Figures = tuple[list[float], bool]
"""A record's figures, and whether it has others."""


class Reader:
    """Reads what a partition's topics have.

    Args:
        kafka: where they are.
        codecs: decode them.
        partition: which.
        symbols: gives the symbols' lanes.
        intervals: their names by their places.
        scope: which records are wanted.
        clock: for limits.

    Attributes:
        earliest: the first start of each series, wanted or not.
    """

    def __init__(
        self,
        kafka: Kafka,
        codecs: Codecs,
        partition: int,
        symbols: Lanes,
        intervals: Sequence[str],
        scope: Scope,
        clock: Clock,
    ) -> None:
        self._kafka = kafka
        self._codecs = codecs
        self._partition = partition
        self._symbols = symbols
        self._places = {name: place for place, name in enumerate(intervals)}
        self._scope = scope
        self._clock = clock
        self.earliest: dict[int, int] = {}

    def bars(self) -> Published:
        """The closed bars."""
        codec = self._codecs.of(Bar)

        def figures(bar: Bar) -> Figures:
            plain = {"activity": ACTIVITIES.index(bar.activity), "session": SESSION_NAMES.index(bar.session)}
            return [float(plain[name] if name in plain else getattr(bar, name)) for name in FIGURES], False

        return self._read(BARS, lambda values: codec.decode_many(values).records, figures, len(FIGURES))

    def indicators(self, names: Sequence[str]) -> Published:
        """The indicators of closed bars; their figures are by `names`."""
        codec = self._codecs.of(IndicatorSet)
        places = {name: place for place, name in enumerate(names)}

        def figures(found: IndicatorSet) -> Figures:
            row = [ABSENT] * len(names)
            values = [*found.values.items(), *((name, np.nan) for name in found.warming)]
            for name, value in values:
                if name in places:
                    row[places[name]] = value
            return row, any(name not in places for name, _ in values)

        return self._read(INDICATORS, lambda values: codec.decode_many(values).records, figures, len(names))

    def _read(
        self,
        topic: Topic,
        decode: Callable[[Sequence[bytes | None]], Sequence[Bar | IndicatorSet]],
        figures: Callable[..., Figures],
        width: int,
    ) -> Published:
        heads, rows, others = [np.zeros((0, 3), dtype=np.int64)], [np.zeros((0, width))], [np.zeros(0, dtype=np.bool_)]
        for values in self._values(topic):
            wanted = [(head, record) for record in decode(values) if (head := self._head(record)) is not None]
            if not wanted:
                continue
            found = [figures(record) for _, record in wanted]
            heads.append(np.array([head for head, _ in wanted], dtype=np.int64))
            rows.append(np.array([row for row, _ in found], dtype=np.float64))
            others.append(np.array([other for _, other in found], dtype=np.bool_))
        series, starts, revisions = np.concatenate(heads).T
        return Published(series, starts, revisions, np.concatenate(rows), np.concatenate(others))

    def _values(self, topic: Topic) -> Iterator[list[bytes | None]]:
        end = bounds(self._kafka, topic.name, self._partition)[1]
        for messages in read(self._kafka, topic.name, self._partition, end, _BATCH, self._clock):
            yield [message.value() for message in messages]

    def _head(self, record: Bar | IndicatorSet) -> tuple[int, int, int] | None:
        """Series, start and revision of a closed record that is wanted."""
        place = self._places.get(record.interval)
        if record.state != "closed" or place is None:
            return None
        series = self._symbols.code(self._partition, record.symbol) * len(self._places) + place
        self.earliest[series] = min(self.earliest.get(series, record.start), record.start)
        return (
            (series, record.start, record.revision) if self._scope.since <= record.start < self._scope.until else None
        )
