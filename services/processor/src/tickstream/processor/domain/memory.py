"""What an engine must not forget: as records for each partition's changelog, and back.

Each partition has a book of its own, because its state moves on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tickstream.processor.domain import ledger, state
from tickstream.processor.domain.bars import WINDOW, OpenWindows, Table, stacked
from tickstream.processor.domain.closing import FOREVER, Closing
from tickstream.processor.domain.counted import CountedBars
from tickstream.processor.domain.dedupe import Seen
from tickstream.processor.domain.indicators import Indicators
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.ledger import Ledger
from tickstream.processor.domain.outages import Heard
from tickstream.processor.domain.retained import Needed
from tickstream.processor.domain.revisions import LATE, Revisions
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import Loaded, Offsets, Record
from tickstream.processor.domain.streams import Streams
from tickstream.processor.domain.watermark import Watermarks


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is made of, for all of its partitions together."""

    symbols: Lanes
    sources: Lanes
    streams: Streams
    seen: Seen
    watermarks: Watermarks
    open: OpenWindows
    counted: CountedBars
    closing: Closing
    revisions: Revisions
    indicators: Indicators


@dataclass(slots=True)
class _Book:
    """One partition's.

    Attributes:
        ledger: its tables.
        heard: the market events that it knows.
        records: those that wait to be written and are in no table.
        holed: the streams whose seen numbers have a record.
        waited: whether there is a record of late trades that wait.
    """

    ledger: Ledger
    heard: Heard = field(default_factory=Heard)
    records: list[Record] = field(default_factory=list)
    holed: set[int] = field(default_factory=set)
    waited: bool = False


class Memory:
    """The books of an engine's partitions.

    Args:
        rules: the operator's.
        parts: of the engine.
    """

    def __init__(self, rules: Rules, parts: Parts) -> None:
        self._rules = rules
        self._parts = parts
        self._width = len(rules.intervals)
        self._is_counted = np.array([interval.counted for interval in rules.intervals])
        self._books: dict[int, _Book] = {}
        self._traded: list[NDArray[np.intp]] = []
        self._told: set[int] = set()

    @property
    def partitions(self) -> Collection[int]:
        """Those at hand."""
        return self._books.keys()

    def heard(self, partition: int) -> Heard:
        """The market events that a partition has heard."""
        return self._books[partition].heard

    def note(self, streams: NDArray[np.intp], sources: Collection[int]) -> None:
        """Note which streams have traded, and which sources have told something."""
        self._traded.append(streams)
        self._told.update(sources)

    def changes(self, offsets: Mapping[int, Offsets]) -> dict[int, list[Record]]:
        """The records of partitions that have changed since this was last asked.

        Args:
            offsets: what the state of each partition that has changed is good for.
        """
        self._enter_rows()
        self._enter_sources()
        return {partition: self._records(partition, told) for partition, told in offsets.items()}

    def forget(self, partition: int) -> None:
        """Let go of a partition."""
        parts = self._parts
        symbols, sources = parts.symbols.of(partition), parts.sources.of(partition)
        parts.watermarks.forget(symbols, sources, parts.streams.forget(partition))
        parts.open.forget(symbols)
        parts.counted.forget(frozenset(symbols.tolist()))
        parts.closing.forget(symbols)
        parts.revisions.forget(partition, symbols)
        parts.indicators.forget(partition)
        self._books.pop(partition, None)

    def restore(self, partition: int, loaded: Loaded) -> None:
        """Go on with a partition from state that was read back."""
        parts = self._parts
        book = self._books[partition] = _Book(self._ledger(partition), Heard(offsets=dict(loaded.events)))
        for source, told in loaded.sources.items():
            parts.watermarks.restore_source(parts.sources.code(partition, source), *told)
        tables = book.ledger.restore(loaded)
        self._restore_streams(book, tables[ledger.STREAMS], loaded)
        reached = tables[ledger.REACHED]
        symbols = reached["symbol"].astype(np.int64)
        parts.watermarks.restore_symbols(parts.symbols.of(partition), symbols, reached["traded"], reached["reached"])
        cursors = tables[ledger.CURSORS]
        self._restore_cursors(cursors, loaded)
        windows = tables[ledger.OPEN]
        windows = windows[self._are_open(windows)]
        counted = self._is_counted[windows["interval"]]
        parts.open.add(windows[~counted])
        begun = cursors[cursors["next"] != FOREVER]
        parts.counted.restore(windows[counted], dict(zip(begun["key"].tolist(), begun["next"].tolist(), strict=True)))
        waiting = np.frombuffer(loaded.waiting, dtype=LATE).copy()
        waiting["symbol"] = book.ledger.symbols.codes(waiting["symbol"])
        parts.revisions.waiting = np.concatenate((parts.revisions.waiting, waiting))
        book.waited = bool(len(waiting))

    def _ledger(self, partition: int) -> Ledger:
        revisions = self._parts.revisions
        shelves = {ledger.CLOSED: revisions.kept.of(partition), ledger.REVISED: revisions.numbers.of(partition)}
        return Ledger(partition, self._rules.intervals, self._parts.symbols, self._parts.sources, shelves)

    def _records(self, partition: int, offsets: Offsets) -> list[Record]:
        book, reached = self._books[partition], self._parts.watermarks.all()
        kept = partial(self._parts.revisions.needed, reached=reached)
        needed: dict[bytes, Needed] = {ledger.CLOSED: kept, ledger.REVISED: kept, ledger.OPEN: self._are_open}
        own, book.records = book.records, []
        return [
            state.offsets_record(offsets),
            state.events_record(book.heard.offsets),
            *self._parts.indicators.changes(partition),
            *own,
            *book.ledger.changes(needed),
            *self._waiting(partition, book),
            *book.ledger.symbols.changes(),
        ]

    def _waiting(self, partition: int, book: _Book) -> list[Record]:
        waiting = self._parts.revisions.waiting
        mine = waiting[self._parts.symbols.partitions[waiting["symbol"]] == partition]
        if not (len(mine) or book.waited):
            return []
        book.waited = bool(len(mine))
        return [state.waiting_record(book.ledger.stored_symbols(mine))]

    def _enter(self, kind: bytes, rows: Table) -> None:
        for partition, some in self._parts.symbols.split(rows):
            self._books[partition].ledger.note(kind, some)

    def _enter_rows(self) -> None:
        """Put the rows that have changed into the ledgers."""
        parts = self._parts
        self._enter(ledger.OPEN, merged(parts.open.changes(), parts.counted.changes()))
        moved, parts.closing.moved = parts.closing.moved, []
        if moved:
            self._enter(ledger.CURSORS, parts.closing.cursors.reshape(-1)[np.unique(np.concatenate(moved))])
        symbols, traded, reached = parts.watermarks.underivable()
        rows = np.zeros(len(symbols), dtype=ledger.SYMBOL)
        rows["key"] = rows["symbol"] = symbols
        rows["traded"], rows["reached"] = traded, reached
        self._enter(ledger.REACHED, rows)
        self._enter_streams()

    def _enter_sources(self) -> None:
        sources, watermarks = self._parts.sources, self._parts.watermarks
        for source in sorted(self._told):
            told = watermarks.latest(source), *watermarks.promises.of(source)
            book = self._books[int(sources.partitions[source])]
            book.records.append(state.source_record(sources.values[source], *told))
        self._told.clear()

    def _enter_streams(self) -> None:
        all_streams, presence = self._parts.streams, self._parts.watermarks.presence
        moved = self._parts.watermarks.moved()
        streams = np.unique(np.concatenate([moved, *self._traded]))
        self._traded.clear()
        rows = np.zeros(len(streams), dtype=ledger.STREAM)
        rows["symbol"], rows["source"] = all_streams.symbols[streams], all_streams.sources[streams]
        rows["key"] = all_streams.keys[streams]
        rows["since"], rows["until"] = presence.last(streams)
        rows["first"], rows["last"] = self._parts.seen.spans(streams)
        self._enter(ledger.STREAMS, rows[np.argsort(rows["key"], kind="stable")])
        self._enter_holes(streams.tolist())
        for stream in moved.tolist():
            spans = presence.earlier(stream)
            if spans:
                self._book_of(stream).records.append(state.spans_record(int(all_streams.keys[stream]), spans))

    def _enter_holes(self, streams: list[int]) -> None:
        keys, seen = self._parts.streams.keys, self._parts.seen
        holed = set(seen.holed(streams))
        for stream in sorted(holed):
            book = self._book_of(stream)
            book.holed.add(stream)
            book.records.append(state.ranges_record(int(keys[stream]), seen.ranges(stream)))
        for book in self._books.values():
            whole = book.holed.intersection(streams) - holed
            book.holed -= whole
            book.records += [state.ranges_record(int(keys[stream]), None) for stream in sorted(whole)]

    def _book_of(self, stream: int) -> _Book:
        return self._books[int(self._parts.symbols.partitions[self._parts.streams.symbols[stream]])]

    def _are_open(self, windows: Table) -> NDArray[np.bool_]:
        """Which of some windows have not been closed; a bar by count is open from where the one before it ended."""
        closing, limits = self._parts.closing, self._parts.watermarks.limits()
        series = windows["symbol"].astype(np.int64) * self._width + windows["interval"]
        closing.reserve(int(windows["symbol"].max(initial=-1)) + 1)
        ended = closing.cursors["next"].reshape(-1)[series]
        in_count = (ended == FOREVER) | (windows["start"] >= ended)
        in_time = windows["end"] > limits[windows["symbol"]]
        are_open: NDArray[np.bool_] = np.where(self._is_counted[windows["interval"]], in_count, in_time)
        return are_open

    def _restore_streams(self, book: _Book, rows: Table, loaded: Loaded) -> None:
        parts, numbers = self._parts, np.zeros(len(rows), dtype=np.intp)
        columns = (rows[name].tolist() for name in ("key", "symbol", "source", "first", "last"))
        for row, (key, symbol, source, first, last) in enumerate(zip(*columns, strict=True)):
            stream = numbers[row] = parts.streams.restore(symbol, source, key)
            parts.seen.begin(stream, list(loaded.ranges.get(key, [(first, last)])))
        parts.watermarks.restore_streams(numbers, rows["since"], rows["until"])
        streams = dict(zip(rows["key"].tolist(), numbers.tolist(), strict=True))
        for key, spans in loaded.spans.items():
            parts.watermarks.presence.restore_earlier(streams[key], spans)
        book.holed = {streams[key] for key in loaded.ranges}

    def _restore_cursors(self, rows: Table, loaded: Loaded) -> None:
        closing = self._parts.closing
        closing.reserve(int(rows["symbol"].max(initial=-1)) + 1)
        closing.cursors.reshape(-1)[rows["key"]] = rows
        columns = (rows[name].tolist() for name in ("symbol", "interval", "bars"))
        for symbol, place, bars in zip(*columns, strict=True):
            if place in self._rules.indicated and bars:
                self._parts.indicators.restore(loaded, symbol, place, bars)


def merged(windows: Table, others: Table) -> Table:
    """The windows of two tables, sorted by key."""
    if not len(others):
        return windows
    both = stacked((windows, others), WINDOW)
    return both[np.argsort(both["key"], kind="stable")]
