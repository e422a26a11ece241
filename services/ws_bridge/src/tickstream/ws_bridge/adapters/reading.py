"""Messages of a topic to batches: decoded, and encoded for the clients once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.codec.records import HEADER_BYTES
from tickstream.core.columns import TickColumns
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Message
from tickstream.core.logging import logger
from tickstream.core.model import Record, Tick
from tickstream.core.topics import TOPICS
from tickstream.ws_bridge.adapters.sieve import Sieve, Wanted
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.entry import CHANNELS, Channel, Entry, entry_of

TOPIC_OF: Final = {channel: "stock_ticks" if channel == "ticks" else channel for channel in CHANNELS}
CHANNEL_OF: Final = {topic: channel for channel, topic in TOPIC_OF.items()}

_LOG = logger(__name__)
_MAX_HEADS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Ticks:
    """Trades of one batch, in the order of each partition."""

    columns: TickColumns
    partitions: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @classmethod
    def concatenate(cls, parts: Sequence[Ticks]) -> Ticks:
        """Those of several batches of one reading, in this order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            TickColumns.concatenate([part.columns for part in parts]),
            np.concatenate([part.partitions for part in parts]),
            np.concatenate([part.offsets for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Aside:
    """The trades of a batch that nobody wanted when they were read, and that weren't decoded.

    Attributes:
        messages: all of the batch, in order, also those that were decoded.
        last: the last one of each symbol in each partition that wasn't.
    """

    messages: Sequence[Message]
    last: Mapping[tuple[str, int], Message]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read together of one channel's topic.

    Attributes:
        broken: records that can't be given to anyone; their entries have no content.
        reached: the next offset of each partition that is in it.
        unreadable: how many messages could not be decoded.
        due_ns: since when the oldest should have gone to the clients.
        aside: what wasn't decoded.
    """

    channel: Channel
    ticks: Ticks | None
    records: list[tuple[Record, Entry]]
    broken: list[Entry]
    reached: dict[int, int]
    unreadable: int
    due_ns: int
    aside: Aside | None = None


class Reading:
    """Turns messages into batches; for one thread at a time."""

    def __init__(self, codecs: Codecs) -> None:
        self._codecs = codecs
        self._interners = TickInterners()
        self._sieve = Sieve()
        self._heads: set[bytes] = set()

    def batch(
        self, channel: Channel, messages: Sequence[Message], due_ns: int = 0, wanted: Wanted | None = None
    ) -> Batch:
        """Decode messages of one topic, due at `due_ns`; what can't be read is left out.

        A message that breaks the decoding of all of them costs only itself.

        Args:
            channel: of the topic.
            messages: in the order of each partition.
            due_ns: as of `Batch`.
            wanted: whose trades are to be decoded; None: all.

        Raises:
            TickstreamError: they can't be decoded now.
        """
        if channel != "ticks" or wanted is None:
            return self._read(channel, messages, due_ns)
        read, left = self._sieve.part(messages, wanted)
        batch = self._read(channel, read, due_ns)
        return replace(batch, reached=next_offsets(messages), aside=self._aside(messages, left)) if left else batch

    def _aside(self, messages: Sequence[Message], left: Sequence[Message]) -> Aside:
        """What isn't decoded now; what may have to be asked of a registry for it is asked now, in this thread."""
        last = self._sieve.last(left)
        found = {value[:HEADER_BYTES]: value for value in map(Message.value, last.values()) if value}
        for head in found.keys() - self._heads:
            self._codecs.of(Tick).decode_many([found[head]])
            if len(self._heads) < _MAX_HEADS:
                self._heads.add(head)
        return Aside(messages, last)

    def _read(self, channel: Channel, messages: Sequence[Message], due_ns: int) -> Batch:
        try:
            return self._batch(channel, messages, due_ns)
        except TickstreamError:
            raise
        except Exception:  # noqa: BLE001 - whatever is wrong with one of them, the others are to come through
            _LOG.exception("decoding_failed", channel=channel, messages=len(messages))
            return _together([self._one(channel, message, due_ns) for message in messages], next_offsets(messages))

    def _one(self, channel: Channel, message: Message, due_ns: int) -> Batch:
        try:
            return self._batch(channel, [message], due_ns)
        except TickstreamError:
            raise
        except Exception:  # noqa: BLE001 - it is counted, and logged with the others
            return Batch(channel, None, [], [], {}, 1, due_ns)

    def _batch(self, channel: Channel, messages: Sequence[Message], due_ns: int) -> Batch:
        reached = next_offsets(messages)
        values = list(map(Message.value, messages))
        kind = TOPICS[TOPIC_OF[channel]].record
        if kind is Tick:
            decoded = self._codecs.of(Tick).decode_columns(values, self._interners, trade_ids=True)
            read = [messages[row] for row in decoded.rows.tolist()]
            self._sieve.learn(read, decoded.columns.symbol)
            partitions = np.array([message.partition() or 0 for message in read], dtype=np.int64)
            offsets = np.array([message.offset() or 0 for message in read], dtype=np.int64)
            ticks = Ticks(decoded.columns, partitions, offsets)
            return Batch(channel, ticks, [], [], reached, len(decoded.rejected), due_ns)
        if kind is None:
            raise ValueError(f"channel {channel} has no records")
        found = self._codecs.of(kind).decode_many(values)
        records: list[tuple[Record, Entry]] = []
        broken: list[Entry] = []
        for record, row in zip(found.records, found.rows, strict=True):
            message = messages[int(row)]
            entry = entry_of(record, b"", message.partition() or 0, message.offset() or 0)
            try:
                entry.body = body_of(record)
            except Exception:  # noqa: BLE001 - whatever is wrong with it, the others are to come through
                broken.append(entry)
            else:
                records.append((record, entry))
        return Batch(channel, None, records, broken, reached, len(found.rejected), due_ns)


def next_offsets(messages: Iterable[Message]) -> dict[int, int]:
    """Where each of the partitions goes on after these messages, which are in order."""
    return {message.partition() or 0: (message.offset() or 0) + 1 for message in messages}


def _together(parts: Sequence[Batch], reached: dict[int, int]) -> Batch:
    """Several batches of a topic as one."""
    ticks = [part.ticks for part in parts if part.ticks is not None]
    return Batch(
        parts[0].channel,
        Ticks.concatenate(ticks) if ticks else None,
        [one for part in parts for one in part.records],
        [one for part in parts for one in part.broken],
        reached,
        sum(part.unreadable for part in parts),
        parts[0].due_ns,
    )
