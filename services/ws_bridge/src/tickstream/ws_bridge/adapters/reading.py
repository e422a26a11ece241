"""Messages of a topic to batches: decoded, and encoded for the clients once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.codec.records import HEADER_BYTES
from tickstream.core.columns import Strings, TickColumns
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Message
from tickstream.core.logging import logger
from tickstream.core.model import Record, Tick
from tickstream.core.topics import TOPICS
from tickstream.ws_bridge.adapters.sieve import Sieve, Sifted
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.entry import CHANNELS, Channel, Entry, entry_of
from tickstream.ws_bridge.domain.interest import Interest

TOPIC_OF: Final = {channel: "stock_ticks" if channel == "ticks" else channel for channel in CHANNELS}
CHANNEL_OF: Final = {topic: channel for channel, topic in TOPIC_OF.items()}

_LOG = logger(__name__)
_MAX_HEADS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Ticks:
    """Trades of one batch, in the order of each partition.

    Attributes:
        columns: what they say.
        partitions: where each is in the topic.
        offsets: the same.
        messages: what each was decoded from.
    """

    columns: TickColumns
    partitions: NDArray[np.int64]
    offsets: NDArray[np.int64]
    messages: Sequence[Message]

    @classmethod
    def concatenate(cls, parts: Sequence[Ticks]) -> Ticks:
        """Those of several batches of one reading, in this order."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            TickColumns.concatenate([part.columns for part in parts]),
            np.concatenate([part.partitions for part in parts]),
            np.concatenate([part.offsets for part in parts]),
            [message for part in parts for message in part.messages],
        )


@dataclass(frozen=True, slots=True)
class Aside:
    """The trades of a batch that nobody wanted when they were read, and that weren't decoded.

    Attributes:
        messages: all of the batch, in order, also those that were decoded.
        sifted: which weren't.
        partitions: of those.
        symbols: of those, each once.
        last: the last trade of each of these symbols.
    """

    messages: Sequence[Message]
    sifted: Sifted
    partitions: NDArray[np.int64]
    symbols: Strings
    last: list[Message]

    @classmethod
    def of(cls, messages: Sequence[Message], sifted: Sifted) -> Aside:
        """What was sifted out of a batch."""
        codes = sifted.symbols.codes
        distinct, from_end = np.unique(codes[::-1], return_index=True)
        rows = sifted.rows[len(codes) - 1 - from_end].tolist()
        symbols = Strings(distinct, sifted.symbols.values)
        return cls(messages, sifted, _partitions(messages)[sifted.rows], symbols, [messages[row] for row in rows])


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
        self._sieve = Sieve(self._interners.symbols)
        self._heads: set[bytes] = set()

    def batch(
        self, channel: Channel, messages: Sequence[Message], due_ns: int = 0, interest: Interest | None = None
    ) -> Batch:
        """Decode messages of one topic, due at `due_ns`; what can't be read is left out.

        A message that breaks the decoding of all of them costs only itself.

        Args:
            channel: of the topic.
            messages: in the order of each partition.
            due_ns: as of `Batch`.
            interest: says whose trades are to be decoded; None: all.

        Raises:
            TickstreamError: they can't be decoded now.
        """
        sifted = None if interest is None or channel != "ticks" else self._sieve.sift(messages, interest)
        if sifted is None:
            return self._read(channel, messages, due_ns)
        read = np.ones(len(messages), dtype=np.bool_)
        read[sifted.rows] = False
        batch = self._read(channel, [messages[row] for row in np.flatnonzero(read).tolist()], due_ns)
        aside = Aside.of(messages, sifted)
        self._look_up_schemas(aside.last)
        return replace(batch, reached=next_offsets(messages), aside=aside)

    def _look_up_schemas(self, messages: Sequence[Message]) -> None:
        """Ask a registry for what it takes to decode these, now and not in the event loop."""
        found = {value[:HEADER_BYTES]: value for value in map(Message.value, messages) if value}
        for head in found.keys() - self._heads:
            try:
                self._codecs.of(Tick).decode_many([found[head]])
            except TickstreamError:
                raise
            except Exception:  # noqa: BLE001 - one that breaks the decoding is left out when it is wanted
                _LOG.exception("decoding_failed", channel="ticks", messages=1)
            if len(self._heads) < _MAX_HEADS:
                self._heads.add(head)

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
            offsets = np.fromiter(map(Message.offset, read), np.int64, len(read))
            ticks = Ticks(decoded.columns, _partitions(read), offsets, read)
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


def next_offsets(messages: Sequence[Message]) -> dict[int, int]:
    """Where each of the partitions goes on after these messages, which are in order."""
    last = dict(zip(map(Message.partition, messages), map(Message.offset, messages), strict=True))
    return {partition or 0: (offset or 0) + 1 for partition, offset in last.items()}


def _partitions(messages: Sequence[Message]) -> NDArray[np.int64]:
    return np.fromiter(map(Message.partition, messages), np.int64, len(messages))


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
