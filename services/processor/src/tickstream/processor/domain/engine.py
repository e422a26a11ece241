"""Everything that trades and marks come to: bars, indicators, state.

One engine does the work of all partitions at hand: a pass over the trades of a batch costs about the same
however few they are. What one partition comes to depends on no other one.

The same log gives the same closed bars, indicators and rejections, however it is cut into batches.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints, TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS, MarketEvent, Progress
from tickstream.core.outages import Outages
from tickstream.processor.domain.bars import OpenWindows, Table
from tickstream.processor.domain.closing import BAR, Closing
from tickstream.processor.domain.counted import CountedBars
from tickstream.processor.domain.dedupe import Missing, Seen
from tickstream.processor.domain.indicators import Indicators
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.memory import Memory, Parts, merged
from tickstream.processor.domain.outages import FEED_DOWN, HALTED, QUIET, touched
from tickstream.processor.domain.output import Gap, Output, Taken
from tickstream.processor.domain.revisions import Revised, Revisions
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import Loaded, Offsets, Record
from tickstream.processor.domain.streams import Streams
from tickstream.processor.domain.trades import by_arrival, by_pair, by_time
from tickstream.processor.domain.watermark import NEVER, Watermarks
from tickstream.processor.domain.windows import Calendars, Codes


class Engine:
    """Some partitions.

    Args:
        rules: the operator's.
        calendars: the symbols' sessions and days.
        symbols: gives the symbols' lanes.
        sources: gives the sources' lanes.
    """

    def __init__(self, rules: Rules, calendars: Calendars, symbols: Lanes, sources: Lanes) -> None:
        self._rules = rules
        self._calendars = calendars
        self._symbols = symbols
        self._sources = sources
        self._width = len(rules.intervals)
        self._indicated = np.isin(np.arange(self._width), list(rules.indicated))
        self._is_counted = np.array([interval.counted for interval in rules.intervals])
        self._shown = np.isin(np.arange(self._width), list(rules.shown))
        self._parts = self._made_of(rules)
        self._memory = Memory(rules, self._parts)
        self._news: list[Output] = []

    def _made_of(self, rules: Rules) -> Parts:
        intervals, calendars, symbols = rules.intervals, self._calendars, self._symbols
        limits = (rules.quiet_limit, rules.grace, rules.retention)
        streams = Streams(symbols)
        return Parts(
            symbols,
            self._sources,
            streams,
            Seen(),
            Watermarks(rules.patience, rules.grace, streams),
            OpenWindows(intervals, calendars, rules.indicated),
            CountedBars(intervals),
            Closing(intervals, calendars, rules.quiet_limit, self._why_empty),
            Revisions(intervals, calendars, rules.indicated, *limits, self._why_empty, symbols),
            Indicators(rules.catalogue, intervals, rules.retention, symbols),
        )

    @property
    def partitions(self) -> Collection[int]:
        """Those at hand."""
        return self._memory.partitions

    @property
    def symbol_count(self) -> int:
        """How many symbols the partitions have."""
        return len(self._parts.streams.traded)

    @property
    def reached(self) -> dict[str, int]:
        """How far each symbol has come."""
        reached = self._parts.watermarks.all()
        return {self._symbols.values[symbol]: int(reached[symbol]) for symbol in self._parts.streams.traded}

    def take(self, ticks: TickColumns, partitions: Ints) -> Taken:
        """Count trades, in the order of the log.

        Args:
            ticks: the trades.
            partitions: which of those at hand each is of.
        """
        parts = self._parts
        symbols = self._symbols.codes(partitions, ticks.symbol.codes)
        sources = self._sources.codes(partitions, ticks.source.codes)
        order, heads, mixed = by_pair(symbols, sources)
        pairs = list(zip(symbols[order[heads]].tolist(), sources[order[heads]].tolist(), strict=True))
        streams = self._streams_of(pairs)
        fresh, missing = parts.seen.take(streams, heads, ticks.seq[order])
        before = parts.watermarks.take(symbols, sources, ticks.ts_event, streams)
        self._memory.note(streams, {source for _, source in pairs})
        counted = fresh
        suspicious = (ticks.flags[order] & FLAG_SUSPICIOUS) != 0
        left_out = 0
        if not self._rules.include_suspicious and suspicious.any():
            counted = fresh & ~suspicious
            left_out = int(np.count_nonzero(fresh & suspicious))
        rows = order[counted]
        late = rows[ticks.ts_event[rows] < before[rows]]
        late_in = parts.revisions.late_in(symbols[late], ticks.ts_event[late], before[late])
        beyond = late_in.any(axis=0) & parts.revisions.beyond(ticks.ts_event[late], before[late])
        revising = self._set_aside(ticks, symbols, late[late_in.any(axis=0) & ~beyond], before)
        taken = np.ones((self._width, len(ticks)), dtype=np.bool_) if late_in.any() else None
        if taken is not None:
            taken[:, late] = ~late_in & ~beyond
        if mixed:
            rows = rows[np.lexsort((rows, symbols[rows]))]
        parts.open.take(by_time(ticks, symbols, rows, taken))
        in_time = rows if taken is None else rows[~np.isin(rows, late[beyond])]
        parts.counted.take(by_arrival(ticks, symbols, in_time))
        missing.sort(key=lambda found: int(order[found.row]))
        gaps = [self._gap(found, int(ticks.ts_event[order[found.row]])) for found in missing]
        duplicates = len(ticks) - int(np.count_nonzero(fresh))
        return Taken(duplicates, left_out, revising, np.sort(late[beyond]), gaps)

    def mark(self, partition: int, progress: Progress) -> None:
        """Note how far a source says that it has come in a partition; its offset must have been reached."""
        source = self._sources.code(partition, progress.source)
        self._parts.watermarks.mark(source, progress.ts_event, final=progress.final)
        self._memory.note(np.zeros(0, dtype=np.intp), (source,))

    def hear_all(self, partition: int, news: Sequence[tuple[MarketEvent, int, int]]) -> None:
        """Let a partition hear all market events that there were, once its state was read back.

        Those that published bars were made with come first: only then can be told what the others change.

        Args:
            partition: which.
            news: as of `hear`.
        """
        heard = self._memory.heard(partition)
        for told in sorted(news, key=lambda told: not heard.has(*told[1:])):
            self._hear(partition, *told)

    def hear(self, event: MarketEvent, place: int, offset: int) -> None:
        """Take a market event; one that comes after windows were closed that it is about revises them.

        Args:
            event: of any type.
            place: the partition of market_events that it is in.
            offset: where it stands there; one that a partition has heard before changes nothing more.
        """
        for partition in self._memory.partitions:
            self._hear(partition, event, place, offset)

    def _hear(self, partition: int, event: MarketEvent, place: int, offset: int) -> None:
        heard, watermarks = self._memory.heard(partition), self._parts.watermarks
        if heard.has(place, offset):
            heard.outages.take(event)
            return
        heard.offsets[place] = offset + 1
        begin = heard.outages.since(event)
        limits, retention = watermarks.limits(), self._rules.retention
        since = {
            symbol: max(begin, int(limits[symbol]) - retention)
            for symbol in self._about(partition, event)
            if limits[symbol] > max(begin, NEVER + retention)
        }
        if not since:
            heard.outages.take(event)
            return
        cursors = self._parts.closing.cursors
        revised = self._parts.revisions.rethink(since, limits, cursors, lambda: heard.outages.take(event))
        self._news.append(self._revised(revised, np.array(list(since))))

    def close(self) -> Output:
        """Close what the watermarks have passed, and revise what late trades have changed."""
        watermarks = self._parts.watermarks
        watermarks.advance()
        reached = watermarks.all()
        self._parts.closing.reserve(len(reached))
        outputs, self._news = self._news, []
        for late, limits in self._parts.revisions.due(reached):
            outputs.append(self._close(limits))
            outputs.append(self._revise(late, limits))
        outputs.append(self._close(watermarks.limits()))
        return outputs[0] if len(outputs) == 1 else Output.concatenate(outputs)

    def _close(self, limits: Ints) -> Output:
        parts = self._parts
        table = parts.open.table
        windows, full = parts.open.remove(table["end"] <= limits[table["symbol"]]), parts.counted.full()
        closed = merged(windows, full)
        bars = parts.closing.close(closed, limits)
        if not len(bars):
            return self._only(bars)
        parts.revisions.kept.add(closed if not len(full) else closed[~self._is_counted[closed["interval"]]])
        indicated = bars[self._indicated[bars["interval"]]]
        return Output(bars, indicated, parts.indicators.close(indicated, parts.closing.cursors["bars"]))

    def _revise(self, late: Table, limits: Ints) -> Output:
        revised = self._parts.revisions.revise(late, limits, self._parts.closing.cursors)
        return self._revised(revised, np.unique(late["symbol"]))

    def _revised(self, revised: Revised, symbols: Codes) -> Output:
        closing = self._parts.closing
        closing.moved.append((symbols[:, None] * self._width + np.arange(self._width)).ravel())
        following = revised.following[self._indicated[revised.following["interval"]]]
        values = self._parts.indicators.revise(following, revised.dropped, closing.cursors["bars"])
        return Output(revised.changed, following, values)

    def _about(self, partition: int, event: MarketEvent) -> list[int]:
        """The symbols of a partition that an event is about."""
        streams = self._parts.streams
        if event.symbol:
            return sorted({self._symbols.find(partition, event.symbol)} & set(streams.traded))
        source = self._sources.find(partition, event.source or "")
        return sorted(set(streams.symbols[streams.sources == source].tolist())) if source >= 0 else []

    def _why_empty(self, symbols: Codes, starts: Ints, ends: Ints) -> NDArray[np.int8]:
        found = np.full(len(symbols), QUIET, dtype=np.int8)
        partitions = self._symbols.partitions[symbols]
        for partition in np.unique(partitions).tolist():
            rows = np.flatnonzero(partitions == partition)
            outages = self._memory.heard(partition).outages
            found[rows] = self._why(partition, outages, symbols[rows], starts[rows], ends[rows])
        return found

    def _why(self, partition: int, outages: Outages, symbols: Codes, starts: Ints, ends: Ints) -> NDArray[np.int8]:
        found = np.full(len(symbols), QUIET, dtype=np.int8)
        for name, stretches in outages.halted.items():
            rows = np.flatnonzero(symbols == self._symbols.find(partition, name))
            found[rows[touched(stretches, starts[rows], ends[rows])]] = HALTED
        some = np.flatnonzero(touched(outages.any_down, starts, ends))
        for sources, places in self._parts.watermarks.counting(symbols[some], ends[some]):
            rows = some[places]
            down = outages.down(self._sources.values[source] for source in sources)
            found[rows[touched(down, starts[rows], ends[rows])]] = FEED_DOWN
        return found

    def lags(self, through: int) -> bool:
        """Whether windows that end by a time are still open."""
        return bool((self._parts.open.table["end"] <= through).any())

    def form(self) -> Output:
        """The newest window of each series as it is now, where it has changed since it was last shown."""
        table = self._parts.open.table
        series = table["symbol"].astype(np.int64) * self._width + table["interval"]
        newest = np.ones(len(table), dtype=np.bool_)
        newest[:-1] = series[1:] != series[:-1]
        rows = np.flatnonzero(newest & (table["changed"] == 1) & self._shown[table["interval"]])
        table["changed"][rows] = 0
        counted = self._parts.counted.show()
        bars = self._parts.closing.show(merged(table[rows], counted[self._shown[counted["interval"]]]))
        indicated = bars[self._indicated[bars["interval"]]]
        return Output(bars, indicated, self._parts.indicators.peek(indicated))

    def changes(self, offsets: Mapping[int, Offsets]) -> dict[int, list[Record]]:
        """The records of the state that has changed since they were last asked for, of each partition.

        Args:
            offsets: what the state of each partition that has changed is good for.
        """
        return self._memory.changes(offsets)

    def restore(self, partition: int, loaded: Loaded) -> None:
        """Take on a partition, from state that was read back; what was known of it before is forgotten."""
        if partition in self._memory.partitions:
            self._memory.forget(partition)
        self._memory.restore(partition, loaded)

    def forget(self, partition: int) -> None:
        """Let go of a partition whose changes were asked for."""
        self._memory.forget(partition)

    def _streams_of(self, pairs: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
        """The streams of some symbols and sources, new ones where there are none yet."""
        streams, found = self._parts.streams, np.empty(len(pairs), dtype=np.intp)
        for place, pair in enumerate(pairs):
            if not streams.has(*pair):
                self._parts.seen.begin(streams.add(*pair), [])
            found[place] = streams.number(*pair)
        return found

    def _only(self, bars: Table) -> Output:
        return Output(bars, np.zeros(0, dtype=BAR), self._parts.indicators.no_values)

    def _gap(self, missing: Missing, ts_event: int) -> Gap:
        streams = self._parts.streams
        symbol, source = int(streams.symbols[missing.stream]), int(streams.sources[missing.stream])
        return Gap(symbol, source, missing.first, missing.last, ts_event)

    def _set_aside(self, ticks: TickColumns, symbols: Codes, rows: NDArray[np.intp], before: Ints) -> int:
        """Let trades wait that change closed bars, in order of arrival; says how many."""
        rows = np.sort(rows)
        trades = (ticks.price[rows], ticks.volume[rows])
        self._parts.revisions.wait(symbols[rows], before[rows], ticks.ts_event[rows], trades)
        return len(rows)
