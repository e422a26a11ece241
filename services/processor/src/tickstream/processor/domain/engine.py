"""Everything that one partition's trades and marks come to: bars, indicators, state.

The same log gives the same closed bars, indicators and rejections, however it is cut into batches.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Interner, Ints, TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS, MarketEvent, Progress
from tickstream.processor.domain import ledger, state
from tickstream.processor.domain.bars import WINDOW, OpenWindows, Table, stacked
from tickstream.processor.domain.closing import BAR, FOREVER, Closing
from tickstream.processor.domain.counted import CountedBars
from tickstream.processor.domain.dedupe import Missing, Seen
from tickstream.processor.domain.indicators import Indicators
from tickstream.processor.domain.ledger import Ledger
from tickstream.processor.domain.outages import FEED_DOWN, HALTED, QUIET, Outages, touched
from tickstream.processor.domain.output import Gap, Output, Taken
from tickstream.processor.domain.revisions import LATE, Revised, Revisions
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import Loaded, Offsets, Record
from tickstream.processor.domain.streams import Streams
from tickstream.processor.domain.trades import by_arrival, by_pair, by_time
from tickstream.processor.domain.watermark import NEVER, Watermarks
from tickstream.processor.domain.windows import Calendars, Codes


class Engine:
    """One partition.

    Args:
        rules: the operator's.
        calendars: the symbols' sessions and days.
        symbols: gives the symbols' codes.
        sources: gives the sources' codes.
    """

    def __init__(self, rules: Rules, calendars: Calendars, symbols: Interner, sources: Interner) -> None:
        self._rules = rules
        self._calendars = calendars
        self._symbols = symbols
        self._sources = sources
        self._width = len(rules.intervals)
        self._indicated = np.isin(np.arange(self._width), list(rules.indicated))
        self._is_counted = np.array([interval.counted for interval in rules.intervals])
        self._shown = np.isin(np.arange(self._width), list(rules.shown))
        self._seen = Seen()
        self._streams = Streams()
        self._watermarks = Watermarks(rules.patience, rules.grace, self._streams)
        self._counted = CountedBars(rules.intervals)
        self._open = OpenWindows(rules.intervals, calendars, rules.indicated)
        self._outages = Outages()
        self._closing = Closing(rules.intervals, calendars, rules.quiet_limit, self._why_empty)
        self._revisions = Revisions(
            rules.intervals,
            calendars,
            rules.indicated,
            rules.quiet_limit,
            rules.grace,
            rules.retention,
            self._why_empty,
        )
        self._indicators = Indicators(rules.catalogue, rules.intervals, rules.retention, symbols)
        shelves = {ledger.CLOSED: self._revisions.kept, ledger.REVISED: self._revisions.numbers}
        self._ledger = Ledger(rules.intervals, symbols, sources, shelves)
        self._traded: list[NDArray[np.intp]] = []
        self._holed: set[int] = set()
        self._waited = False
        self._heard: set[int] = set()
        self._limits = np.zeros(0, dtype=np.int64)
        self._news: list[Output] = []
        self._events: dict[int, int] = {}

    @property
    def symbol_count(self) -> int:
        """How many symbols the partition has."""
        return len(self._streams.traded)

    @property
    def reached(self) -> dict[str, int]:
        """How far each symbol has come."""
        reached = self._watermarks.all()
        return {self._symbols.values[symbol]: int(reached[symbol]) for symbol in self._streams.traded}

    def take(self, ticks: TickColumns) -> Taken:
        """Count trades, in the order of the log."""
        symbols, sources = ticks.symbol.codes.astype(np.int64), ticks.source.codes.astype(np.int64)
        order, heads, mixed = by_pair(symbols, sources)
        pairs = list(zip(symbols[order[heads]].tolist(), sources[order[heads]].tolist(), strict=True))
        streams = np.array([self._stream(pair) for pair in pairs], dtype=np.intp)
        fresh, missing = self._seen.take(streams, heads, ticks.seq[order])
        before = self._watermarks.take(symbols, sources, ticks.ts_event, streams)
        self._traded.append(streams)
        self._heard.update(source for _, source in pairs)
        counted = fresh
        suspicious = (ticks.flags[order] & FLAG_SUSPICIOUS) != 0
        left_out = 0
        if not self._rules.include_suspicious and suspicious.any():
            counted = fresh & ~suspicious
            left_out = int(np.count_nonzero(fresh & suspicious))
        rows = order[counted]
        late = rows[ticks.ts_event[rows] < before[rows]]
        late_in = self._revisions.late_in(symbols[late], ticks.ts_event[late], before[late])
        beyond = late_in.any(axis=0) & self._revisions.beyond(ticks.ts_event[late], before[late])
        revising = self._set_aside(ticks, late[late_in.any(axis=0) & ~beyond], before)
        taken = np.ones((self._width, len(ticks)), dtype=np.bool_) if late_in.any() else None
        if taken is not None:
            taken[:, late] = ~late_in & ~beyond
        if mixed:
            rows = rows[np.lexsort((rows, symbols[rows]))]
        self._open.take(by_time(ticks, symbols, rows, taken))
        in_time = rows if taken is None else rows[~np.isin(rows, late[beyond])]
        self._counted.take(by_arrival(ticks, symbols, in_time))
        missing.sort(key=lambda found: int(order[found.row]))
        gaps = [self._gap(found, int(ticks.ts_event[order[found.row]])) for found in missing]
        duplicates = len(ticks) - int(np.count_nonzero(fresh))
        return Taken(duplicates, left_out, revising, np.sort(late[beyond]), gaps)

    def mark(self, progress: Progress) -> None:
        """Note how far a source says that it has come; its offset must have been reached."""
        source = self._sources.code(progress.source)
        self._watermarks.mark(source, progress.ts_event, final=progress.final)
        self._heard.add(source)

    def hear_all(self, news: Sequence[tuple[MarketEvent, int, int]]) -> None:
        """Take all market events that there were, as `hear` does, once state was read back.

        Those that published bars were made with come first: only then can be told what the others change.
        """
        for event, partition, offset in sorted(news, key=lambda told: not self._has_heard(told[1], told[2])):
            self.hear(event, partition, offset)

    def hear(self, event: MarketEvent, partition: int, offset: int) -> None:
        """Take a market event; one that comes after windows were closed that it is about revises them.

        Args:
            event: of any type.
            partition: where it stands in market_events.
            offset: as above; one that the engine has heard before changes nothing more.
        """
        if self._has_heard(partition, offset):
            self._outages.take(event)
            return
        self._events[partition] = offset + 1
        begin = self._outages.since(event)
        since = {
            symbol: max(begin, limit - self._rules.retention)
            for symbol, limit in self._closed_of(event)
            if limit > max(begin, NEVER + self._rules.retention)
        }
        if not since:
            self._outages.take(event)
            return
        revised = self._revisions.rethink(since, self._limits, self._closing.cursors, lambda: self._outages.take(event))
        self._news.append(self._revised(revised, np.array(list(since))))

    def close(self) -> Output:
        """Close what the watermarks have passed, and revise what late trades have changed."""
        self._watermarks.advance()
        reached = self._watermarks.all()
        self._closing.reserve(len(reached))
        outputs, self._news = self._news, []
        for late, limits in self._revisions.due(reached):
            outputs.append(self._close(limits))
            outputs.append(self._revise(late, limits))
        limits = self._closed_limits()
        outputs.append(self._close(limits))
        self._limits = limits
        return outputs[0] if len(outputs) == 1 else Output.concatenate(outputs)

    def _has_heard(self, partition: int, offset: int) -> bool:
        return offset < self._events.get(partition, 0)

    def _closed_limits(self) -> Ints:
        """How far the windows of each symbol are to be closed."""
        reached = self._watermarks.all()
        return np.where(reached == NEVER, NEVER, reached - np.where(reached == NEVER, 0, self._rules.grace))

    def _close(self, limits: Ints) -> Output:
        table = self._open.table
        windows, full = self._open.remove(table["end"] <= limits[table["symbol"]]), self._counted.full()
        closed = _merged(windows, full)
        bars = self._closing.close(closed, limits)
        if not len(bars):
            return self._only(bars)
        self._revisions.kept.add(closed if not len(full) else closed[~self._is_counted[closed["interval"]]])
        indicated = bars[self._indicated[bars["interval"]]]
        return Output(bars, indicated, self._indicators.close(indicated, self._closing.cursors["bars"]))

    def _revise(self, late: Table, limits: Ints) -> Output:
        revised = self._revisions.revise(late, limits, self._closing.cursors)
        return self._revised(revised, np.unique(late["symbol"]))

    def _revised(self, revised: Revised, symbols: Codes) -> Output:
        self._closing.moved.append((symbols[:, None] * self._width + np.arange(self._width)).ravel())
        following = revised.following[self._indicated[revised.following["interval"]]]
        values = self._indicators.revise(following, revised.dropped, self._closing.cursors["bars"])
        return Output(revised.changed, following, values)

    def _closed_of(self, event: MarketEvent) -> list[tuple[int, int]]:
        """(symbol, how far it is closed) of those that an event is about."""
        if event.symbol:
            about = {self._symbols.find(event.symbol)} & set(self._streams.traded)
        else:
            source = self._sources.find(event.source or "")
            about = set(self._streams.symbols[self._streams.sources == source].tolist())
        return [(symbol, int(self._limits[symbol])) for symbol in sorted(about) if symbol < len(self._limits)]

    def _why_empty(self, symbols: Codes, starts: Ints, ends: Ints) -> NDArray[np.int8]:
        found = np.full(len(symbols), QUIET, dtype=np.int8)
        for name, stretches in self._outages.halted.items():
            rows = np.flatnonzero(symbols == self._symbols.find(name))
            found[rows[touched(stretches, starts[rows], ends[rows])]] = HALTED
        some = np.flatnonzero(touched(self._outages.any_down, starts, ends))
        for sources, places in self._watermarks.counting(symbols[some], ends[some]):
            rows = some[places]
            down = self._outages.down(self._sources.values[source] for source in sources)
            found[rows[touched(down, starts[rows], ends[rows])]] = FEED_DOWN
        return found

    def form(self) -> Output:
        """The newest window of each series as it is now, where it has changed since it was last shown."""
        table = self._open.table
        series = table["symbol"].astype(np.int64) * self._width + table["interval"]
        newest = np.ones(len(table), dtype=np.bool_)
        newest[:-1] = series[1:] != series[:-1]
        rows = np.flatnonzero(newest & (table["changed"] == 1) & self._shown[table["interval"]])
        table["changed"][rows] = 0
        counted = self._counted.show()
        bars = self._closing.show(_merged(table[rows], counted[self._shown[counted["interval"]]]))
        indicated = bars[self._indicated[bars["interval"]]]
        return Output(bars, indicated, self._indicators.peek(indicated))

    def changes(self, offsets: Offsets) -> list[Record]:
        """The state's records that have changed since they were last asked for."""
        records = [state.offsets_record(offsets), state.events_record(self._events), *self._indicators.changes()]
        records += [
            state.source_record(
                self._sources.values[source],
                self._watermarks.latest(source),
                *self._watermarks.promises.of(source),
            )
            for source in sorted(self._heard)
        ]
        records += self._note_changes()
        needed = {
            ledger.CLOSED: lambda rows: self._revisions.needed(rows, self._watermarks.all()),
            ledger.REVISED: lambda rows: self._revisions.needed(rows, self._watermarks.all()),
            ledger.OPEN: self._are_open,
        }
        records += self._ledger.changes(needed)
        waiting = self._revisions.waiting
        if len(waiting) or self._waited:
            records.append(state.waiting_record(self._ledger.stored_symbols(waiting)))
            self._waited = bool(len(waiting))
        self._heard.clear()
        return [*records, *self._ledger.symbols.changes()]

    def restore(self, loaded: Loaded) -> None:
        """Go on from state that was read back."""
        for source, told in loaded.sources.items():
            self._watermarks.restore_source(self._sources.code(source), *told)
        self._events = dict(loaded.events)
        tables = self._ledger.restore(loaded)
        self._restore_streams(tables[ledger.STREAMS], loaded)
        reached = tables[ledger.REACHED]
        self._watermarks.restore_symbols(reached["symbol"].astype(np.int64), reached["traded"], reached["reached"])
        self._restore_cursors(tables[ledger.CURSORS], loaded)
        self._limits = self._closed_limits()
        windows = tables[ledger.OPEN]
        windows = windows[self._are_open(windows)]
        counted = self._is_counted[windows["interval"]]
        self._open.restore(windows[~counted])
        self._counted.restore(windows[counted], self._ends())
        waiting = np.frombuffer(loaded.waiting, dtype=LATE).copy()
        waiting["symbol"] = self._ledger.symbols.codes(waiting["symbol"])
        self._revisions.waiting = waiting
        self._waited = bool(len(waiting))

    def _note_changes(self) -> list[Record]:
        """Put the rows that have changed into the ledger; gives what has no place in it."""
        self._ledger.note(ledger.OPEN, _merged(self._open.changes(), self._counted.changes()))
        moved, self._closing.moved = self._closing.moved, []
        if moved:
            self._ledger.note(ledger.CURSORS, self._closing.cursors.reshape(-1)[np.unique(np.concatenate(moved))])
        symbols, traded, reached = self._watermarks.underivable()
        rows = np.zeros(len(symbols), dtype=ledger.SYMBOL)
        rows["key"] = rows["symbol"] = symbols
        rows["traded"], rows["reached"] = traded, reached
        self._ledger.note(ledger.REACHED, rows)
        return self._note_streams()

    def _note_streams(self) -> list[Record]:
        moved = self._watermarks.moved()
        streams = np.unique(np.concatenate([moved, *self._traded]))
        self._traded.clear()
        presence = self._watermarks.presence
        rows = np.zeros(len(streams), dtype=ledger.STREAM)
        rows["key"] = streams
        rows["symbol"], rows["source"] = self._streams.symbols[streams], self._streams.sources[streams]
        rows["since"], rows["until"] = presence.last(streams)
        rows["first"], rows["last"] = self._seen.spans(streams)
        self._ledger.note(ledger.STREAMS, rows)
        holed = self._seen.holed(streams.tolist())
        whole = self._holed.intersection(streams.tolist()).difference(holed)
        self._holed = (self._holed - whole) | set(holed)
        return [
            *(state.ranges_record(stream, self._seen.ranges(stream)) for stream in holed),
            *(state.ranges_record(stream, None) for stream in sorted(whole)),
            *(state.spans_record(stream, spans) for stream in moved.tolist() if (spans := presence.earlier(stream))),
        ]

    def _are_open(self, windows: Table) -> NDArray[np.bool_]:
        """Which of some windows have not been closed; a bar by count is open from where the one before it ended."""
        series = windows["symbol"].astype(np.int64) * self._width + windows["interval"]
        self._closing.reserve(int(windows["symbol"].max(initial=-1)) + 1)
        ended = self._closing.cursors["next"].reshape(-1)[series]
        in_count = (ended == FOREVER) | (windows["start"] >= ended)
        in_time = windows["end"] > self._limits[windows["symbol"]]
        are_open: NDArray[np.bool_] = np.where(self._is_counted[windows["interval"]], in_count, in_time)
        return are_open

    def _stream(self, pair: tuple[int, int], seen: Sequence[tuple[int, int]] = ()) -> int:
        if not self._streams.has(*pair):
            self._seen.add_stream(list(seen))
            return self._streams.add(*pair)
        return self._streams.number(*pair)

    def _only(self, bars: Table) -> Output:
        return Output(bars, np.zeros(0, dtype=BAR), self._indicators.no_values)

    def _gap(self, missing: Missing, ts_event: int) -> Gap:
        symbol, source = int(self._streams.symbols[missing.stream]), int(self._streams.sources[missing.stream])
        return Gap(symbol, source, missing.first, missing.last, ts_event)

    def _set_aside(self, ticks: TickColumns, rows: NDArray[np.intp], before: Ints) -> int:
        """Let trades wait that change closed bars, in order of arrival; says how many."""
        rows = np.sort(rows)
        symbols = ticks.symbol.codes[rows].astype(np.int64)
        self._revisions.wait(symbols, before[rows], ticks.ts_event[rows], (ticks.price[rows], ticks.volume[rows]))
        return len(rows)

    def _restore_streams(self, rows: Table, loaded: Loaded) -> None:
        columns = (rows[name].tolist() for name in ("key", "symbol", "source", "first", "last"))
        for key, symbol, source, first, last in zip(*columns, strict=True):
            self._stream((symbol, source), loaded.ranges.get(key, [(first, last)]))
        self._watermarks.restore_streams(rows["since"], rows["until"])
        for stream, spans in loaded.spans.items():
            self._watermarks.presence.restore_earlier(stream, spans)
        self._holed = set(loaded.ranges)

    def _restore_cursors(self, rows: Table, loaded: Loaded) -> None:
        self._closing.reserve(int(rows["symbol"].max(initial=-1)) + 1)
        self._closing.cursors.reshape(-1)[rows["key"]] = rows
        columns = (rows[name].tolist() for name in ("symbol", "interval", "bars"))
        for symbol, place, bars in zip(*columns, strict=True):
            if place in self._rules.indicated and bars:
                self._indicators.restore(loaded, symbol, place, bars)

    def _ends(self) -> dict[int, int]:
        """Where the last bar of each series ended."""
        ends = self._closing.cursors["next"].reshape(-1)
        return {series: int(ends[series]) for series in np.flatnonzero(ends != FOREVER).tolist()}


def _merged(windows: Table, others: Table) -> Table:
    if not len(others):
        return windows
    merged = stacked((windows, others), WINDOW)
    return merged[np.argsort(merged["key"], kind="stable")]
