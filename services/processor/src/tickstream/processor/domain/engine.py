"""Everything that one partition's trades and marks come to: bars, indicators, state.

The same log gives the same closed bars, indicators and rejections, however it is cut into batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Interner, Ints, TickColumns
from tickstream.core.model import FLAG_SUSPICIOUS, Progress
from tickstream.processor.domain import catalogue, state
from tickstream.processor.domain.bars import WINDOW, OpenWindows, Table, Trades, stacked
from tickstream.processor.domain.catalogue import Catalogue
from tickstream.processor.domain.closing import BAR, Closing
from tickstream.processor.domain.dedupe import Missing, Seen
from tickstream.processor.domain.series import Bar, Series
from tickstream.processor.domain.state import BLOCK, Loaded, Offsets, Record, StreamState
from tickstream.processor.domain.watermark import NEVER, Watermarks, sorted_rows
from tickstream.processor.domain.windows import Calendars, Codes, Interval, window_ends, window_keys, window_starts


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decides; times in nanoseconds.

    Attributes:
        intervals: of the bars, shortest first.
        indicated: the places of those that have indicators.
        shown: the places of those whose forming bars are shown.
        grace: how long after its end a window waits.
        patience: how far a source may lie behind before it is not waited for.
        quiet_limit: how long after its last trade a symbol gets quiet bars.
        include_suspicious: whether suspicious prints count.
        catalogue: the indicators.
    """

    intervals: tuple[Interval, ...]
    indicated: frozenset[int]
    shown: frozenset[int]
    grace: int
    patience: int
    quiet_limit: int
    include_suspicious: bool
    catalogue: Catalogue = field(default_factory=catalogue.usual)


@dataclass(frozen=True, slots=True)
class Gap:
    """Trades that a source skipped, both numbers included."""

    symbol: int
    source: int
    first: int
    last: int
    ts_event: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch of trades: `late` are rows of it."""

    duplicates: int
    suspicious: int
    late: NDArray[np.intp]
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Output:
    """Bars, and the indicators of some of them: `values[i]`, by the catalogue's names, belongs to `bars[rows[i]]`."""

    bars: Table
    rows: NDArray[np.intp]
    values: Floats

    @classmethod
    def concatenate(cls, parts: Sequence[Output]) -> Output:
        """The bars of all parts."""
        offsets = np.cumsum([0, *(len(part.bars) for part in parts)])
        return cls(
            stacked([part.bars for part in parts], BAR),
            np.concatenate(
                [
                    np.zeros(0, dtype=np.intp),
                    *(part.rows + offset for part, offset in zip(parts, offsets, strict=False)),
                ]
            ),
            np.concatenate([part.values for part in parts]) if parts else np.zeros((0, 0)),
        )


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
        self._shown = np.isin(np.arange(self._width), list(rules.shown))
        self._seen = Seen()
        self._streams: dict[tuple[int, int], int] = {}
        self._pairs: list[tuple[int, int]] = []
        self._streams_of: dict[int, list[int]] = {}
        self._watermarks = Watermarks(rules.patience)
        self._open = OpenWindows(rules.intervals, calendars, rules.indicated)
        self._closing = Closing(rules.intervals, calendars, rules.quiet_limit)
        self._names = rules.catalogue.names
        self._plans = [rules.catalogue.plan(interval.name) for interval in rules.intervals]
        self._series: dict[int, Series] = {}
        self._anchors: dict[int, int] = {}
        self._touched: set[int] = set()
        self._heard: set[int] = set()
        self._kept: list[Record] = []

    @property
    def symbol_count(self) -> int:
        """How many symbols the partition has."""
        return len(self._streams_of)

    def take(self, ticks: TickColumns) -> Taken:
        """Count trades, in the order of the log."""
        symbols, sources = ticks.symbol.codes.astype(np.int64), ticks.source.codes.astype(np.int64)
        order, heads, mixed = _by_pair(symbols, sources)
        pairs = list(zip(symbols[order[heads]].tolist(), sources[order[heads]].tolist(), strict=True))
        streams = np.array([self._stream(pair) for pair in pairs], dtype=np.intp)
        fresh, missing = self._seen.take(streams, heads, ticks.seq[order])
        firsts = order[heads].tolist()
        joins = [(symbol, source, row) for (symbol, source), row in zip(pairs, firsts, strict=True)]
        before = self._watermarks.take(symbols, sources, ticks.ts_event, joins)
        self._touched.update(symbol for symbol, _ in pairs)
        self._heard.update(source for _, source in pairs)
        counted = fresh
        suspicious = (ticks.flags[order] & FLAG_SUSPICIOUS) != 0
        left_out = 0
        if not self._rules.include_suspicious and suspicious.any():
            counted = fresh & ~suspicious
            left_out = int(np.count_nonzero(fresh & suspicious))
        late = self._late(order[counted], symbols, ticks.ts_event, before)
        rows = order[counted]
        if len(late):
            rows = rows[~np.isin(rows, late)]
        self._open.take(_trades(ticks, symbols, rows, mixed=mixed))
        gaps = [self._gap(found, int(ticks.ts_event[order[found.row]])) for found in missing]
        return Taken(len(ticks) - int(np.count_nonzero(fresh)), left_out, np.sort(late), gaps)

    def mark(self, progress: Progress) -> None:
        """Note how far a source says that it has come; its offset must have been reached."""
        source = self._sources.code(progress.source)
        self._touched.update(self._watermarks.mark(source, progress.ts_event, final=progress.final).tolist())
        self._heard.add(source)

    def close(self) -> Output:
        """Close what the watermarks have passed."""
        self._watermarks.advance()
        reached = self._watermarks.all()
        limits = np.where(reached == NEVER, NEVER, reached - np.where(reached == NEVER, 0, self._rules.grace))
        self._closing.reserve(len(limits))
        table = self._open.table
        windows = self._open.remove(table["end"] <= limits[table["symbol"]])
        bars = self._closing.close(windows, limits)
        if not len(bars):
            return self._only(bars)
        self._touched.update(np.unique(bars["symbol"]).tolist())
        rows = np.flatnonzero(self._indicated[bars["interval"]])
        return Output(bars, rows, self._indicate(bars[rows]))

    def form(self) -> Output:
        """The newest window of each series as it is now, where it has changed since it was last shown."""
        table = self._open.table
        if not len(table):
            return self._only(np.zeros(0, dtype=BAR))
        series = table["symbol"].astype(np.int64) * self._width + table["interval"]
        newest = np.append(series[1:] != series[:-1], values=True)
        rows = np.flatnonzero(newest & (table["changed"] == 1) & self._shown[table["interval"]])
        table["changed"][rows] = 0
        bars = self._closing.show(table[rows])
        indicated = np.flatnonzero(self._indicated[bars["interval"]])
        values = [
            [*self._series_of(place).peek(bar), vwap]
            for place, bar, vwap in zip(*_plain(bars[indicated], self._width), strict=True)
        ]
        return Output(bars, indicated, np.array(values).reshape(-1, len(self._names)))

    def changes(self, offsets: Offsets) -> list[Record]:
        """The state's records that have changed since they were last asked for."""
        records = [state.offsets_record(offsets), *self._kept]
        records += [
            state.source_record(
                self._sources.values[source],
                self._watermarks.progress(source),
                over=self._watermarks.is_over(source),
            )
            for source in sorted(self._heard)
        ]
        records += self._symbol_records(np.array(sorted(self._touched), dtype=np.int64))
        self._kept = []
        self._heard.clear()
        self._touched.clear()
        return records

    def restore(self, loaded: Loaded) -> None:
        """Go on from state that was read back."""
        for source, (progress, over) in loaded.sources.items():
            self._watermarks.restore_source(self._sources.code(source), progress, over=over)
        places = {interval.seconds: place for place, interval in enumerate(self._rules.intervals)}
        windows = [self._open.table]
        for name, found in loaded.symbols.items():
            symbol = self._symbols.code(name)
            live = []
            for stream in found.streams:
                pair = (symbol, self._sources.code(stream.source))
                self._stream(pair, stream.seen)
                if stream.live:
                    live.append(pair[1])
            self._watermarks.restore_symbol(symbol, found.watermark, live)
            self._closing.reserve(symbol + 1)
            for cursor in found.cursors:
                if int(cursor["seconds"]) in places:
                    place = places[int(cursor["seconds"])]
                    self._closing.cursors[symbol, place] = cursor
                    self._restore_series(loaded, name, symbol * self._width + place, int(cursor["bars"]))
            windows.append(self._own(found.windows, symbol, places))
        self._open.restore(stacked(windows, WINDOW))

    def _stream(self, pair: tuple[int, int], seen: Sequence[tuple[int, int]] = ()) -> int:
        stream = self._streams.get(pair)
        if stream is None:
            stream = self._streams[pair] = self._seen.add_stream(list(seen))
            self._pairs.append(pair)
            self._streams_of.setdefault(pair[0], []).append(stream)
        return stream

    def _only(self, bars: Table) -> Output:
        return Output(bars, np.zeros(0, dtype=np.intp), np.zeros((0, len(self._names))))

    def _series_of(self, place: int) -> Series:
        series = self._series.get(place)
        if series is None:
            series = self._series[place] = Series(self._plans[place % self._width])
        return series

    def _gap(self, missing: Missing, ts_event: int) -> Gap:
        symbol, source = self._pairs[missing.stream]
        return Gap(symbol, source, missing.first, missing.last, ts_event)

    def _late(self, rows: NDArray[np.intp], symbols: Codes, ts: Ints, before: Ints) -> NDArray[np.intp]:
        """Those rows whose shortest window had closed before them."""
        some = rows[ts[rows] < before[rows]]
        if not len(some):
            return some
        interval = self._rules.intervals[0]
        starts = window_starts(interval, self._calendars, symbols[some], ts[some])
        ends = window_ends(interval, self._calendars, symbols[some], starts)
        return some[ends + self._rules.grace <= before[some]]

    def _indicate(self, bars: Table) -> Floats:
        """The indicators of closed bars; keeps the bars in the changelog."""
        values = np.empty((len(bars), len(self._names)))
        numbers: dict[int, int] = {}
        for row, (place, bar, vwap) in enumerate(zip(*_plain(bars, self._width), strict=True)):
            values[row] = [*self._series_of(place).close(bar), vwap]
            numbers[place] = numbers.get(place, 0) + 1
        totals = self._closing.cursors.reshape(-1)["bars"]
        for place, count in numbers.items():
            self._keep(place, int(totals[place]), count)
        return values

    def _keep(self, place: int, total: int, count: int) -> None:
        """Keep the last `count` of a series' bars: full blocks together, the others one by one."""
        symbol = self._symbols.values[place // self._width].encode()
        seconds = self._rules.intervals[place % self._width].seconds
        series = self._series[place]
        full = total // BLOCK * BLOCK
        self._keep_anchor(place, symbol, seconds)
        for low in range((total - count) // BLOCK * BLOCK, full, BLOCK):
            first = max(low, series.anchor)
            if first < low + BLOCK:
                bars = series.last(total - first)[:, : low + BLOCK - first]
                self._kept.append(state.block_record(symbol, seconds, first, bars))
        rest = series.last(min(count, total - full)).T.tolist() if total > full else []
        for number, bar in enumerate(rest, start=total - len(rest)):
            self._kept.append(state.bar_record(symbol, seconds, number, bar))

    def _keep_anchor(self, place: int, symbol: bytes, seconds: int) -> None:
        """Keep where a series' bars begin now, and drop the blocks before."""
        series, before = self._series[place], self._anchors.get(place, 0)
        if series.anchor != before:
            self._anchors[place] = series.anchor
            self._kept.append(state.anchor_record(symbol, seconds, series.anchor, series.stands))
            gone = range(before // BLOCK, series.anchor // BLOCK)
            self._kept += [state.block_gone(symbol, seconds, block) for block in gone]

    def _symbol_records(self, symbols: Codes) -> list[Record]:
        table = self._open.table
        lows = np.searchsorted(table["symbol"], symbols, side="left").tolist()
        highs = np.searchsorted(table["symbol"], symbols, side="right").tolist()
        stored = table.copy()
        seconds = np.array([interval.seconds for interval in self._rules.intervals])
        stored["interval"] = seconds[table["interval"]]
        windows, size = stored.tobytes(), table.itemsize
        self._closing.reserve(int(symbols.max(initial=-1)) + 1)
        watermarks = self._watermarks.all()
        records = []
        for symbol, low, high in zip(symbols.tolist(), lows, highs, strict=True):
            records.append(
                state.symbol_record(
                    self._symbols.values[symbol].encode(),
                    int(watermarks[symbol]),
                    windows[low * size : high * size],
                    self._closing.cursors[symbol].tobytes(),
                    self._stream_states(symbol),
                )
            )
        return records

    def _stream_states(self, symbol: int) -> list[StreamState]:
        live = self._watermarks.sources(symbol)
        return [
            StreamState(self._sources.values[source], source in live, self._seen.ranges(stream))
            for stream, source in ((stream, self._pairs[stream][1]) for stream in self._streams_of.get(symbol, ()))
        ]

    def _restore_series(self, loaded: Loaded, symbol: str, place: int, bars: int) -> None:
        interval = place % self._width
        if interval in self._rules.indicated and bars:
            seconds = self._rules.intervals[interval].seconds
            held = loaded.held(symbol, seconds, bars)
            self._series[place] = Series(self._plans[interval], held)
            if not held.bars.shape[1]:
                self._kept += [
                    state.block_gone(symbol.encode(), seconds, block) for block in loaded.blocks(symbol, seconds)
                ]
                self._kept.append(state.anchor_record(symbol.encode(), seconds, held.anchor, held.stands))
            self._anchors[place] = held.anchor

    def _own(self, windows: Table, symbol: int, places: dict[int, int]) -> Table:
        """Stored windows with this process's codes."""
        known = windows[np.isin(windows["interval"], list(places))]
        known["symbol"] = symbol
        known["interval"] = [places[seconds] for seconds in known["interval"].tolist()]
        known["key"] = window_keys(
            known["symbol"].astype(np.int64), known["interval"].astype(np.int64), self._width, known["start"]
        )
        return known


def _by_pair(symbols: Codes, sources: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Rows in a stable order by symbol and source, where each pair begins, whether a symbol has several."""
    order = sorted_rows(symbols)
    by_symbol, by_source = symbols[order], sources[order]
    other_symbol = by_symbol[1:] != by_symbol[:-1]
    other_source = by_source[1:] != by_source[:-1]
    mixed = bool((other_source & ~other_symbol).any())
    if mixed:
        order = np.lexsort((sources, symbols))
        by_symbol, by_source = symbols[order], sources[order]
        other_symbol = by_symbol[1:] != by_symbol[:-1]
        other_source = by_source[1:] != by_source[:-1]
    return order, np.concatenate(([0], np.flatnonzero(other_symbol | other_source) + 1)), mixed


def _trades(ticks: TickColumns, symbols: Codes, rows: NDArray[np.intp], *, mixed: bool) -> Trades:
    """Rows of a batch, which are sorted by symbol and, unless sources are mixed, by arrival."""
    if mixed:
        rows = rows[np.lexsort((rows, symbols[rows]))]
    symbol, ts = symbols[rows], ticks.ts_event[rows]
    arrival = None
    if ((ts[1:] < ts[:-1]) & (symbol[1:] == symbol[:-1])).any():
        by_time = np.lexsort((rows, ts, symbol))
        arrival = np.argsort(by_time)
        rows, ts = rows[by_time], ts[by_time]
    return Trades(symbol, ts, ticks.price[rows], ticks.volume[rows], arrival)


def _plain(bars: Table, width: int) -> tuple[list[int], list[Bar], list[float]]:
    """Series, prices as indicators take them and session VWAP of bars, as Python's own numbers."""
    places = (bars["symbol"].astype(np.int64) * width + bars["interval"]).tolist()
    columns = [bars[name].tolist() for name in ("open", "high", "low", "close")]
    prices = list(zip(*columns, bars["sums"][:, 0].tolist(), strict=True))
    return places, prices, bars["session_vwap"].tolist()
