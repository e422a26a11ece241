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
from tickstream.core.columns import TickColumns
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Message
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.reading import Aside, Batch, Reading, Ticks
from tickstream.ws_bridge.adapters.wire import tick_bodies
from tickstream.ws_bridge.domain.entry import NO_SYMBOL, Channel, Entry, Route, Run, Waiting
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.pace import CommandBudget
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.domain.replay import Replay
from tickstream.ws_bridge.metrics import BridgeMetrics

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
        reading: decodes in the event loop what someone has come to want after it was read.
    """

    def __init__(
        self,
        hub: Hub,
        loaded: asyncio.Event,
        lateness: Lateness,
        metrics: BridgeMetrics,
        clock: Clock,
        reading: Reading,
    ) -> None:
        self._hub = hub
        self._reading = reading
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
        self._waiting += len(batch.aside.messages) if batch.aside is not None else 0
        if self._waiting >= _ENOUGH or not self._loaded.is_set():
            self.apply()

    def apply(self) -> None:
        """Offer all to their readers; runs in the event loop, so that subscribing can't fall into its middle.

        A record that can't be taken in is left out, and its readers are told so.
        """
        batches, self._batches, self._waiting = self._batches, [], 0
        hub = self._hub
        ticks: list[Ticks] = []
        for batch in batches:
            if batch.aside is not None and self._put_aside(batch.aside):
                self._offer(ticks)
                self._decode_after_all(batch, batch.aside)
                ticks = []
            elif batch.ticks is not None:
                ticks.append(batch.ticks)
        self._offer(ticks)
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

    def _put_aside(self, aside: Aside) -> bool:
        """Keep the last trades for snapshots; says whether anyone has come to want any since they were read."""
        hub, symbols = self._hub, aside.symbols
        hub.homes.learn(aside.sifted.symbols, aside.partitions)
        if hub.subscriptions.version != aside.sifted.version:
            names = [symbols.values[code] for code in symbols.codes.tolist()]
            if any(hub.wanted(("ticks", "", name)) for name in names):
                return True
        hub.market.unread(symbols, aside.last)
        return False

    def _decode_after_all(self, batch: Batch, aside: Aside) -> None:
        """Give out a batch of which too little was decoded."""
        if batch.ticks is not None:
            self._hub.homes.learn(batch.ticks.columns.symbol, batch.ticks.partitions)
        try:
            whole = self._reading.batch("ticks", aside.messages)
        except TickstreamError as error:  # a registry that doesn't answer: they are lost, and nobody waits for it
            for message in aside.messages:
                symbol = (message.key() or b"").decode(errors="replace")
                route = ("ticks", "", symbol)
                self._leave_out(Entry(route, route, b"", message.partition() or 0, message.offset() or 0), error)
            return
        self._metrics.unreadable.labels("ticks").inc(max(0, whole.unreadable - batch.unreadable))
        if whole.ticks is not None:
            self._give(whole.ticks, np.concatenate(_rows(whole.ticks.columns, self._hub.wanted)))

    def _offer(self, ticks: Sequence[Ticks]) -> None:
        """Give what the feed decoded to its readers, and keep what else there is for snapshots."""
        if not ticks:
            return
        together = Ticks.concatenate(ticks)
        symbols = together.columns.symbol
        self._hub.homes.learn(symbols, together.partitions)
        read, unread = _rows(together.columns, self._hub.wanted)
        self._hub.market.unread(symbols.take(unread), [together.messages[row] for row in unread.tolist()])
        self._give(together, read)

    def _give(self, ticks: Ticks, rows: NDArray[np.intp]) -> None:
        """Give trades to their readers."""
        for run in runs_of(ticks, rows, self._leave_out):
            try:
                self._hub.tick(run)
            except Exception as error:  # noqa: BLE001 - as above
                self._leave_out(run, error)

    def _leave_out(self, entry: Waiting, error: Exception | None = None) -> None:
        self._hub.leave_out(entry)
        channel, _interval, symbol = entry.route
        self._metrics.skipped.labels(channel).inc(entry.count)
        if self._complaints.spend(self._clock.monotonic()):
            place = f"{entry.partition}:{entry.offset}"
            _LOG.error("record_skipped", channel=channel, symbol=symbol, place=place, exc_info=error)


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
            yield Run(route, tuple(bodies[start:stop]), partition, tuple(offsets[start:stop]), stamps[stop - 1], intake)


def runs_of(ticks: Ticks, rows: NDArray[np.intp], leave_out: Callable[[Entry, Exception], None]) -> Iterable[Run]:
    """The chosen trades as of `runs`; where one of them breaks all, each for itself, and that one is left out."""
    try:
        return list(runs(ticks, rows))
    except Exception:  # noqa: BLE001 - whatever is wrong with one of them, the others are to come through
        return _one_by_one(ticks, rows, leave_out)


def _one_by_one(ticks: Ticks, rows: NDArray[np.intp], leave_out: Callable[[Entry, Exception], None]) -> Iterator[Run]:
    for row in rows.tolist():
        try:
            yield from list(runs(ticks, np.array([row])))
        except Exception as error:  # noqa: BLE001 - as above
            route = ("ticks", "", ticks.columns.symbol[row] or NO_SYMBOL)
            leave_out(Entry(route, route, b"", int(ticks.partitions[row]), int(ticks.offsets[row])), error)


def unsealing(reading: Reading) -> Callable[[Sequence[Message]], Sequence[Run]]:
    """Decodes the last trades of symbols for snapshots."""

    def unseal(messages: Sequence[Message]) -> Sequence[Run]:
        batch = reading.batch("ticks", messages)
        if batch.unreadable:
            _LOG.warning("snapshot_lacks_trades", unreadable=batch.unreadable)
        ticks = batch.ticks
        return [] if ticks is None else list(runs_of(ticks, np.arange(len(ticks.columns)), _cannot_be_shown))

    return unseal


def _cannot_be_shown(entry: Entry, error: Exception) -> None:
    place = f"{entry.partition}:{entry.offset}"
    _LOG.error("snapshot_lacks_trade", symbol=entry.route[2], place=place, exc_info=error)


def _rows(columns: TickColumns, wanted: Callable[[Route], bool]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The trades that someone reads, and of the other symbols the last one of each."""
    codes = columns.symbol.codes
    distinct, from_end = np.unique(codes[::-1], return_index=True)
    names = columns.symbol.values
    read = np.array([wanted(("ticks", "", names[code])) for code in distinct.tolist()], dtype=np.bool_)
    rows = np.flatnonzero(np.isin(codes, distinct[read])) if read.any() else np.zeros(0, dtype=np.intp)
    return rows, (len(codes) - 1 - from_end)[~read]
