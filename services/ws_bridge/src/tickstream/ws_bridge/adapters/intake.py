"""Batches of messages into the hub: decoded, encoded for the clients once, offered to their readers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.columns import TickColumns
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Message
from tickstream.core.logging import logger
from tickstream.core.model import Record, Tick
from tickstream.core.topics import TOPICS
from tickstream.ws_bridge.adapters.wire import body_of, tick_bodies
from tickstream.ws_bridge.domain.entry import CHANNELS, NO_SYMBOL, Channel, Entry, Route, Run, Waiting, entry_of
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.pace import CommandBudget
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.domain.replay import Replay
from tickstream.ws_bridge.metrics import BridgeMetrics

TOPIC_OF = {channel: "stock_ticks" if channel == "ticks" else channel for channel in CHANNELS}
CHANNEL_OF = {topic: channel for channel, topic in TOPIC_OF.items()}

_LOG = logger(__name__)
_INTAKES: Final = count(1)
_COMPLAINTS_PER_SECOND: Final = 1
_ENOUGH: Final = 4_000
"""So many records don't wait for a flush."""
_LONGEST: Final = 500
"""So many trades are in one run, at the most."""


@dataclass(frozen=True, slots=True)
class Log:
    """The topics as reading of them begins.

    Attributes:
        cluster: the id of the Kafka cluster.
        epochs: the id of each channel's topic.
        starts: where it is read from, of every partition.
        resting: the partitions of the trades that aren't read.
        canaries: where the canaries' topic is read from.
    """

    cluster: str
    epochs: Mapping[Channel, str]
    starts: Mapping[Channel, Offsets]
    resting: Collection[int]
    canaries: Offsets


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
class Batch:
    """What was read together of one channel's topic.

    Attributes:
        broken: records that can't be given to anyone; their entries have no content.
        reached: the next offset of each partition that is in it.
        unreadable: how many messages could not be decoded.
        due_ns: since when the oldest should have gone to the clients.
    """

    channel: Channel
    ticks: Ticks | None
    records: list[tuple[Record, Entry]]
    broken: list[Entry]
    reached: dict[int, int]
    unreadable: int
    due_ns: int


class Reading:
    """Turns messages into batches; for one thread at a time."""

    def __init__(self, codecs: Codecs) -> None:
        self._codecs = codecs
        self._interners = TickInterners()

    def batch(self, channel: Channel, messages: Sequence[Message], due_ns: int = 0) -> Batch:
        """Decode messages of one topic, due at `due_ns`; what can't be read is left out.

        A message that breaks the decoding of all of them costs only itself.

        Raises:
            TickstreamError: they can't be decoded now.
        """
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
        values = [message.value() for message in messages]
        kind = TOPICS[TOPIC_OF[channel]].record
        if kind is Tick:
            decoded = self._codecs.of(Tick).decode_columns(values, self._interners, trade_ids=True)
            read = [messages[row] for row in decoded.rows.tolist()]
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


class Intake:
    """Batches on their way into the hub: they wait for the next flush, as far as there is room.

    What came of a symbol until then goes through the hub together, at the cost of a single trade. Nobody is any the
    wiser: for the hub it is as if Kafka had given it later.

    Args:
        hub: gets them.
        loaded: set once the topics have been read; until then nothing waits.
        lateness: is told since when it waits.
        metrics: counts what can't be given to anyone.
        clock: for the rate at which that is logged.
    """

    def __init__(
        self, hub: Hub, loaded: asyncio.Event, lateness: Lateness, metrics: BridgeMetrics, clock: Clock
    ) -> None:
        self._hub = hub
        self._loaded = loaded
        self._lateness = lateness
        self._metrics = metrics
        self._clock = clock
        self._complaints = CommandBudget(_COMPLAINTS_PER_SECOND, clock.monotonic())
        self._batches: list[Batch] = []
        self._waiting = 0

    def take(self, batch: Batch) -> None:
        """Add a batch."""
        self._batches.append(batch)
        self._waiting += len(batch.records if batch.ticks is None else batch.ticks.columns)
        if self._waiting >= _ENOUGH or not self._loaded.is_set():
            self.apply()

    def apply(self) -> None:
        """Offer all to their readers; runs in the event loop, so that subscribing can't fall into its middle.

        A record that can't be taken in is left out, and its readers are told so.
        """
        batches, self._batches, self._waiting = self._batches, [], 0
        hub = self._hub
        ticks = [batch.ticks for batch in batches if batch.ticks is not None]
        if ticks:
            together = Ticks.concatenate(ticks)
            hub.homes.learn(together.columns.symbol, together.partitions)
            read, unread = _rows(together.columns, hub.wanted)
            hub.market.unread(together.columns, together.partitions, together.offsets, unread)
            for run in self._runs(together, read):
                try:
                    hub.tick(run)
                except Exception as error:  # noqa: BLE001 - as above
                    self._leave_out(run, error)
        for batch in batches:
            self._lateness.taken(batch.due_ns)
            for entry in batch.broken:
                self._leave_out(entry)
            for record, entry in batch.records:
                try:
                    hub.record(record, entry)
                except Exception as error:  # noqa: BLE001 - as above
                    self._leave_out(entry, error)
            for partition, offset in batch.reached.items():
                hub.positions.reached(batch.channel, partition, offset)

    def _runs(self, ticks: Ticks, rows: NDArray[np.intp]) -> Iterable[Run]:
        """These trades; where one of them breaks all, each for itself."""
        try:
            return list(runs(ticks, rows))
        except Exception:  # noqa: BLE001 - as above
            return self._one_by_one(ticks, rows)

    def _one_by_one(self, ticks: Ticks, rows: NDArray[np.intp]) -> Iterator[Run]:
        for row in rows.tolist():
            try:
                yield from list(runs(ticks, np.array([row])))
            except Exception as error:  # noqa: BLE001 - as above
                route = ("ticks", "", ticks.columns.symbol[row] or NO_SYMBOL)
                self._leave_out(Entry(route, route, b"", int(ticks.partitions[row]), int(ticks.offsets[row])), error)

    def _leave_out(self, entry: Waiting, error: Exception | None = None) -> None:
        self._hub.leave_out(entry)
        channel, _interval, symbol = entry.route
        self._metrics.skipped.labels(channel).inc(entry.count)
        if self._complaints.spend(self._clock.monotonic()):
            place = f"{entry.partition}:{entry.offset}"
            _LOG.error("record_skipped", channel=channel, symbol=symbol, place=place, exc_info=error)


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


def take_again(replay: Replay, batch: Batch) -> None:
    """Offer a batch to those who missed it; runs in a thread of the readers."""
    if batch.ticks is not None:
        read, _unread = _rows(batch.ticks.columns, replay.wanted)
        for run in runs(batch.ticks, read):
            replay.offer(run)
    for _record, entry in batch.records:
        replay.offer(entry)
    for entry in batch.broken:
        replay.leave_out(entry)
    replay.bound()


def runs(ticks: Ticks, rows: NDArray[np.intp]) -> Iterator[Run]:
    """The chosen trades by symbol and partition, in the order of each."""
    intake = next(_INTAKES)
    if not len(rows):
        return
    rows = rows[np.lexsort((ticks.partitions[rows], ticks.columns.symbol.codes[rows]))]
    columns, partitions = ticks.columns.take(rows), ticks.partitions[rows]
    new = (np.diff(columns.symbol.codes) != 0) | (np.diff(partitions) != 0)
    begins = np.concatenate(([0], np.flatnonzero(new) + 1))
    bodies, offsets, stamps = tick_bodies(columns), ticks.offsets[rows].tolist(), columns.ts_ingest.tolist()
    symbols, places = columns.symbol.take(begins).to_list(), partitions[begins].tolist()
    for symbol, partition, (first, end) in zip(symbols, places, pairwise([*begins.tolist(), len(rows)]), strict=True):
        route = ("ticks", "", symbol or NO_SYMBOL)
        for start in range(first, end, _LONGEST):
            stop = min(start + _LONGEST, end)
            yield Run(route, bodies[start:stop], partition, offsets[start:stop], stamps[stop - 1], intake)


def _rows(columns: TickColumns, wanted: Callable[[Route], bool]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The trades that someone reads, and of the other symbols the last one of each."""
    codes = columns.symbol.codes
    distinct, from_end = np.unique(codes[::-1], return_index=True)
    names = columns.symbol.values
    read = np.array([wanted(("ticks", "", names[code])) for code in distinct.tolist()], dtype=np.bool_)
    rows = np.flatnonzero(np.isin(codes, distinct[read])) if read.any() else np.zeros(0, dtype=np.intp)
    return rows, (len(codes) - 1 - from_end)[~read]
