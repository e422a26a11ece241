"""How far event time has come, by source and by symbol.

A source has come as far as its latest trade in the partition, or as its last mark says. A symbol
has come as far as the slowest of the live sources that trade it; one that lies more than
`patience` behind the fastest of them is not waited for. A source that says that it ends is live
again from its next trade on. A symbol never goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.windows import Codes

NEVER: Final = int(np.iinfo(np.int64).min)
_NONE: Final = -1
_SEVERAL: Final = -2
_ROOM: Final = 64


class Watermarks:
    """The event watermarks of one partition; symbols and sources are codes.

    Args:
        patience: nanoseconds.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._progress = np.zeros(0, dtype=np.int64)
        self._over: set[int] = set()
        self._of = np.zeros(0, dtype=np.int64)
        self._sole = np.zeros(0, dtype=np.int64)
        self._several: dict[int, frozenset[int]] = {}

    def all(self) -> Ints:
        """The watermark of each symbol by its code; `NEVER` where the partition doesn't have the symbol."""
        return self._of

    def progress(self, source: int) -> int:
        """How far a source has come."""
        return int(self._progress[source])

    def is_over(self, source: int) -> bool:
        """Whether the source has said that it ends, and nothing was heard of it since."""
        return source in self._over

    def sources(self, symbol: int) -> frozenset[int]:
        """The live sources of a symbol."""
        sole = int(self._sole[symbol])
        if sole == _SEVERAL:
            return self._several[symbol]
        return frozenset() if sole == _NONE else frozenset((sole,))

    def by_sources(self, symbols: Codes) -> Iterator[tuple[frozenset[int], NDArray[np.intp]]]:
        """(live sources, rows) of the symbols in some rows; those without any come one by one."""
        sole = self._sole[symbols]
        for source in np.unique(sole).tolist():
            rows = np.flatnonzero(sole == source)
            if source >= 0:
                yield frozenset((source,)), rows
                continue
            for symbol in np.unique(symbols[rows]).tolist():
                yield self.sources(symbol), rows[symbols[rows] == symbol]

    def restore_source(self, source: int, progress: int, *, over: bool) -> None:
        """Set how far a source had come."""
        self.reserve(0, source + 1)
        self._progress[source] = progress
        if over:
            self._over.add(source)

    def restore_symbols(self, symbols: Codes, reached: Ints) -> None:
        """Set how far symbols had come."""
        self.reserve(int(symbols.max(initial=-1)) + 1, 0)
        self._of[symbols] = reached

    def restore_live(self, symbol: int, source: int) -> None:
        """Let a source be live for a symbol."""
        self.reserve(symbol + 1, source + 1)
        self._set_sources(symbol, self.sources(symbol) | {source})

    def underivable(self, symbols: Codes) -> Codes:
        """Those symbols that have not come just as far as their only live source."""
        self.reserve(int(symbols.max(initial=-1)) + 1, 0)
        sole = self._sole[symbols]
        derived = (sole >= 0) & (self._of[symbols] == self._progress[np.maximum(sole, 0)])
        found: Codes = symbols[~derived]
        return found

    def are_live(self, symbols: Codes, sources: Codes) -> NDArray[np.bool_]:
        """Whether each source is live for its symbol."""
        live: NDArray[np.bool_] = self._sole[symbols] == sources
        for row in np.flatnonzero(self._sole[symbols] == _SEVERAL).tolist():
            live[row] = int(sources[row]) in self._several[int(symbols[row])]
        return live

    @property
    def shared(self) -> list[int]:
        """The symbols that have several live sources."""
        return list(self._several)

    def reserve(self, symbols: int, sources: int) -> None:
        """Make room for codes below these."""
        self._of = grown(self._of, symbols, NEVER)
        self._sole = grown(self._sole, symbols, _NONE)
        self._progress = grown(self._progress, sources, NEVER)

    def take(self, symbols: Codes, sources: Codes, ts: Ints, pairs: Iterable[tuple[int, int, int]]) -> Ints:
        """Note a batch of trades, and tell how far each one's symbol had come just before it.

        Args:
            symbols: of each trade, in order of arrival, as are sources and ts.
            sources: as above.
            ts: event times.
            pairs: (symbol, source, first row) that the batch holds, each once.
        """
        self.reserve(int(symbols.max()) + 1, int(sources.max()) + 1)
        running, latest = _running(sources, ts, self._progress)
        before = np.maximum(self._of[symbols], running)
        joins: dict[int, dict[int, int]] = {}
        for symbol, source, row in pairs:
            if self._sole[symbol] != source and source not in self.sources(symbol):
                joins.setdefault(symbol, {})[source] = row
        crossed = {symbol for symbol, rows in joins.items() if len(rows) > 1 or self._sole[symbol] != _NONE}
        if self._several:
            crossed |= self._several.keys() & set(np.unique(symbols).tolist())
        if crossed:
            exact = _Crossing(self._progress, sources, ts, self._patience)
            for symbol in sorted(crossed):
                rows = np.flatnonzero(symbols == symbol)
                course = exact.course(self.sources(symbol), joins.get(symbol, {}))
                before[rows] = np.maximum(self._of[symbol], course[rows])
                self._of[symbol] = max(int(self._of[symbol]), int(course[-1]))
        self._progress = latest
        self._over -= {source for rows in joins.values() for source in rows}
        for symbol, joined in joins.items():
            self._set_sources(symbol, self.sources(symbol).union(joined))
        self.advance()
        return before

    def mark(self, source: int, ts: int, *, final: bool) -> NDArray[np.intp]:
        """Note that a source has come as far as `ts`; a final one is not waited for any more.

        Returns:
            the symbols that the source was taken from.
        """
        self.reserve(0, source + 1)
        self._progress[source] = max(int(self._progress[source]), ts)
        if not final:
            return np.zeros(0, dtype=np.intp)
        self.advance()
        self._over.add(source)
        alone = np.flatnonzero(self._sole == source)
        self._sole[alone] = _NONE
        shared = [symbol for symbol, live in self._several.items() if source in live]
        for symbol in shared:
            self._set_sources(symbol, self._several[symbol] - {source})
        return np.concatenate((alone, np.array(shared, dtype=np.intp)))

    def advance(self) -> None:
        """Bring the symbols as far as their sources have come."""
        alone = np.flatnonzero(self._sole >= 0)
        self._of[alone] = np.maximum(self._of[alone], self._progress[self._sole[alone]])
        for symbol, live in list(self._several.items()):
            reached = {source: int(self._progress[source]) for source in live}
            fastest = max(reached.values())
            self._of[symbol] = max(int(self._of[symbol]), _slowest(reached, fastest - self._patience))
            kept = frozenset(source for source in live if reached[source] >= fastest - 2 * self._patience)
            if kept != live:
                self._set_sources(symbol, kept)

    def _set_sources(self, symbol: int, live: frozenset[int]) -> None:
        self._several.pop(symbol, None)
        if len(live) > 1:
            self._several[symbol] = live
        self._sole[symbol] = _SEVERAL if len(live) > 1 else next(iter(live), _NONE)


class _Crossing:
    """The courses of symbols that have several sources, within one batch."""

    def __init__(self, progress: Ints, sources: Codes, ts: Ints, patience: int) -> None:
        self._progress = progress
        self._sources = sources
        self._ts = ts
        self._patience = patience
        self._reached: dict[int, Ints] = {}
        self._known: dict[frozenset[int], Ints] = {}

    def course(self, live: frozenset[int], joins: Mapping[int, int]) -> Ints:
        """How far a symbol has come just before each row, and after the last one.

        Args:
            live: its sources from the start.
            joins: for each other source the row with which it joins.
        """
        if not joins and live in self._known:
            return self._known[live]
        sources = [*live, *joins]
        reached = np.stack([self._course_of(source) for source in sources])
        first = None if live else min(joins, key=joins.__getitem__)
        for place, source in enumerate(joins, start=len(live)):
            # The only source there is counts from just before its first trade on.
            reached[place, : joins[source] + (source != first)] = NEVER
        waiting = reached.copy()
        absent = reached == NEVER
        fastest = reached.max(axis=0)
        waiting[absent | (reached < np.where(absent, 0, fastest - self._patience))] = np.iinfo(np.int64).max
        slowest = waiting.min(axis=0)
        slowest[absent.all(axis=0)] = NEVER
        course = np.maximum.accumulate(slowest)
        if not joins:
            self._known[live] = course
        return course

    def _course_of(self, source: int) -> Ints:
        found = self._reached.get(source)
        if found is None:
            own = np.where(self._sources == source, self._ts, NEVER)
            found = np.maximum.accumulate(np.concatenate((self._progress[source : source + 1], own)))
            self._reached[source] = found
        return found


def _running(sources: Codes, ts: Ints, progress: Ints) -> tuple[Ints, Ints]:
    """How far each trade's source had come just before it; and how far each source is after all of them."""
    latest = progress.copy()
    order = sorted_rows(sources)
    in_order = ts[order]
    heads = run_heads(sources[order])
    counts = np.diff(heads, append=len(ts))
    before = np.empty(len(ts), dtype=np.int64)
    before[1:] = in_order[:-1]
    who = sources[order[heads]]
    before[heads] = progress[who]
    if (in_order < before).any():
        before = _running_maximum(before, np.repeat(np.arange(len(heads)), counts))
    tails = heads + counts - 1
    latest[who] = np.maximum(before[tails], in_order[tails])
    running = np.empty(len(ts), dtype=np.int64)
    running[order] = before
    return running, latest


def _running_maximum(values: Ints, groups: NDArray[np.intp]) -> Ints:
    """The largest value so far within each group; groups are ascending runs."""
    distinct, ranks = np.unique(values, return_inverse=True)
    span = len(distinct)
    highest: Ints = distinct[np.maximum.accumulate(groups * span + ranks) - groups * span]
    return highest


def _slowest(reached: Mapping[int, int], since: int) -> int:
    return min(ts for ts in reached.values() if ts >= since)


def sorted_rows(codes: Codes) -> NDArray[np.intp]:
    """A stable order by small codes."""
    if len(codes) and codes.max() < 1 << 16:
        return np.argsort(codes.astype(np.uint16), kind="stable")
    return np.argsort(codes, kind="stable")


def run_heads(values: Codes) -> NDArray[np.intp]:
    """Where runs of equal values begin."""
    return np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))


def grown(values: Ints, length: int, filler: int) -> Ints:
    """The array with room for at least `length` values."""
    if length <= len(values):
        return values
    room = max(length, 2 * len(values), _ROOM) - len(values)
    return np.concatenate((values, np.full(room, filler, dtype=np.int64)))
