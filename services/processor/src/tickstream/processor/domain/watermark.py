"""How far event time has come, by source and by symbol, in each partition.

A symbol has come as far as the slowest of its sources: by their trades, or by their marks, if those
say more. Its windows close by that. What is late follows from the trades alone: marks are read
beside them, so how far the trades had been read when a mark came is chance. A mark that is kept to
makes no trade late, so it doesn't matter when it comes.

A source joins a symbol with a trade of it that lies no more than `patience` behind the symbol's
fastest source; the first one counts from just before its first trade. It leaves with the very trade
that puts it more than twice `patience` behind. A symbol never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown, sorted_rows
from tickstream.processor.domain.courses import Course, Courses, Rows
from tickstream.processor.domain.presence import EVER, FOREVER, Presence
from tickstream.processor.domain.promises import Promises
from tickstream.processor.domain.sets import Members, Sets
from tickstream.processor.domain.streams import Streams
from tickstream.processor.domain.windows import Codes

NEVER: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of trades, and how far the symbol of each had come just before it."""

    symbols: Codes
    sources: Codes
    ts: Ints
    courses: Courses
    before: Ints


class Watermarks:
    """The event watermarks; symbols and sources are lanes.

    Args:
        patience: nanoseconds.
        grace: nanoseconds that a window waits after its end.
        streams: which there are.

    Attributes:
        promises: what the marks say.
        presence: when sources count.
    """

    def __init__(self, patience: int, grace: int, streams: Streams) -> None:
        self._patience = patience
        self._grace = grace
        self._streams = streams
        self._latest = np.zeros(0, dtype=np.int64)
        self._sets = Sets()
        self._traded = np.zeros(0, dtype=np.int64)
        self._reached = np.zeros(0, dtype=np.int64)
        self._noted = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        self._moved: list[NDArray[np.intp]] = []
        self.promises = Promises(patience)
        self.presence = Presence()

    def all(self) -> Ints:
        """How far each symbol had come when `advance` was last called; `NEVER` where it isn't known."""
        return self._reached

    def latest(self, source: int) -> int:
        """How far a source has come by its trades."""
        return int(self._latest[source])

    def limits(self) -> Ints:
        """How far the windows of each symbol are to be closed."""
        return np.where(self._reached == NEVER, NEVER, self._reached - np.where(self._reached == NEVER, 0, self._grace))

    def reserve(self, symbols: int, sources: int) -> None:
        """Make room for codes below these."""
        self._sets.reserve(symbols)
        self._traded = grown(self._traded, symbols, NEVER)
        self._reached = grown(self._reached, symbols, NEVER)
        self._noted = (grown(self._noted[0], symbols, NEVER), grown(self._noted[1], symbols, NEVER))
        self._latest = grown(self._latest, sources, NEVER)
        self.promises.reserve(symbols, sources)

    def take(self, symbols: Codes, sources: Codes, ts: Ints, streams: NDArray[np.intp]) -> Ints:
        """Note a batch of trades, and tell how far each one's symbol had come just before it.

        That is by trades alone, but where the marks have closed windows over a trade.

        Args:
            symbols: of each trade, in order of arrival, as are sources and ts.
            sources: as above.
            ts: event times.
            streams: those that the batch holds, each once, sorted by symbol.
        """
        self.reserve(int(symbols.max()) + 1, int(sources.max()) + 1)
        courses = Courses(sources, ts, self._latest, self._patience)
        before = np.maximum(self._traded[symbols], courses.running)
        of, by = self._streams.symbols[streams], self._streams.sources[streams]
        fresh = self._sets.are_empty(of) & _alone(of)
        if fresh.any():
            self._sets.join(of[fresh], by[fresh])
            self._begin(streams[fresh], EVER)
        self._cross(_Batch(symbols, sources, ts, courses, before), of, by)
        self._latest = courses.latest
        self.promises.take(of, by)
        closed = self._reached[symbols]
        return np.where(ts < closed, np.maximum(before, closed), before)

    def mark(self, source: int, ts: int, *, final: bool) -> None:
        """Note that a source says that it has come as far as `ts`, and whether it ends."""
        self.reserve(0, source + 1)
        self.promises.mark(source, ts, final=final)

    def advance(self) -> None:
        """Bring the symbols as far as trades and marks say."""
        self._sets.tidy()
        self._reached = np.maximum(self._reached, np.maximum(self._traded, self.promises.reached(self._latest)))

    def counting(self, symbols: Codes, ends: Ints) -> Iterator[tuple[Members, Rows]]:
        """(sources, rows): who counts for windows of some symbols that end at these times."""
        rows, streams = self._streams.by_symbol(symbols)
        counts = self.presence.counts(streams, ends[rows])
        rows, sources = rows[counts], self._streams.sources[streams[counts]]
        heads = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: len(rows)])
        found: dict[bytes, list[int]] = {}
        for begin, end in zip(heads.tolist(), [*heads[1:].tolist(), len(rows)], strict=False):
            found.setdefault(sources[begin:end].tobytes(), []).append(int(rows[begin]))
        for members, places in found.items():
            yield frozenset(np.frombuffer(members, dtype=np.int64).tolist()), np.array(places)

    def moved(self) -> NDArray[np.intp]:
        """The streams whose sources have joined or left since this was last asked."""
        moved = np.unique(np.concatenate([np.zeros(0, dtype=np.intp), *self._moved]))
        self._moved.clear()
        return moved

    def underivable(self) -> tuple[Codes, Ints, Ints]:
        """(symbols, by trades, in all) of those that have come elsewhere than their sources, if that has changed."""
        elsewhere, unknown = (
            (self._traded != traded) | (self._reached != reached) for traded, reached in (self._derived(), self._noted)
        )
        symbols = np.flatnonzero(elsewhere & unknown)
        self._note(symbols)
        return symbols, self._traded[symbols], self._reached[symbols]

    def restore_source(self, source: int, latest: int, promised: int, ended: int) -> None:
        """Set how far a source had come."""
        self.reserve(0, source + 1)
        self._latest[source] = latest
        self.promises.restore(source, promised, ended)

    def restore_streams(self, streams: NDArray[np.intp], since: Ints, until: Ints) -> None:
        """Set when the sources of streams counted the last time."""
        symbols, sources = self._streams.symbols[streams], self._streams.sources[streams]
        self.reserve(int(symbols.max(initial=-1)) + 1, int(sources.max(initial=-1)) + 1)
        self.presence.restore(streams, since, until)
        present = until == FOREVER
        self._sets.join(symbols[present], sources[present])
        self.promises.join(symbols, sources)

    def restore_symbols(self, of: Codes, symbols: Codes, traded: Ints, reached: Ints) -> None:
        """Set how far the symbols `of` a partition had come: as far as their sources, but where it says more."""
        self.reserve(int(of.max(initial=-1)) + 1, 0)
        for own, derived in zip((self._traded, self._reached), self._derived(), strict=True):
            own[of] = derived[of]
        self._traded[symbols] = np.maximum(self._traded[symbols], traded)
        self._reached[symbols] = np.maximum(self._reached[symbols], reached)
        self._note(symbols)

    def forget(self, symbols: Codes, sources: Codes, streams: NDArray[np.intp]) -> None:
        """Let nothing be known of these."""
        self.reserve(int(symbols.max(initial=-1)) + 1, int(sources.max(initial=-1)) + 1)
        self._sets.forget(symbols)
        for values in (self._traded, self._reached, *self._noted):
            values[symbols] = NEVER
        self._latest[sources] = NEVER
        self.promises.forget(symbols, sources)
        self.presence.forget(streams)

    def _note(self, symbols: Codes) -> None:
        for noted, now in zip(self._noted, (self._traded, self._reached), strict=True):
            noted[symbols] = now[symbols]

    def _derived(self) -> tuple[Ints, Ints]:
        """How far the symbols' sources are now: by their trades, and in all."""
        together = {
            number: _slowest(self._latest[list(members)], self._patience) for number, members in self._sets.shared()
        }
        traded = self._sets.values(self._latest, together, NEVER)
        return traded, np.maximum(traded, self.promises.reached(self._latest))

    def _cross(self, batch: _Batch, of: Codes, by: Codes) -> None:
        """Follow the symbols that have several sources, or may get them, and then bring all symbols forward."""
        foreign = ~self._sets.have(of, by)
        numbers = self._sets.of.copy()
        walked = np.zeros(len(numbers), dtype=np.bool_)
        walked[of[foreign & self._may_join(of, by, batch.courses.latest)]] = True
        followed = dict(self._sets.shared())
        for number, members in followed.items():
            walked[of[(numbers[of] == number) & np.isin(by, batch.courses.of(members).lagging())]] = True
        crossed = foreign | self._sets.are_shared(of)
        followed |= {int(numbers[symbol]): self._sets.members(symbol) for symbol in of[foreign & ~walked[of]].tolist()}
        rows = np.flatnonzero(np.isin(batch.symbols, of[crossed & ~walked[of]])) if crossed.any() else np.zeros(0, int)
        rows_of = numbers[batch.symbols[rows]]
        for number, members in followed.items():
            self._follow(batch, rows[rows_of == number], np.flatnonzero((numbers == number) & ~walked), members)
        alone = self._sets.values(batch.courses.latest, {}, NEVER)
        self._traded = np.maximum(self._traded, np.where(walked, NEVER, alone))
        self._walk_all(batch, np.flatnonzero(walked))

    def _may_join(self, symbols: Codes, sources: Codes, latest: Ints) -> NDArray[np.bool_]:
        """Which sources come near enough to their symbol's fastest in a batch; `latest` is how far they come."""
        fastest = {number: int(self._latest[list(members)].max()) for number, members in self._sets.shared()}
        before = self._sets.values(self._latest, fastest, NEVER)[symbols]
        near: NDArray[np.bool_] = latest[sources] >= np.maximum(before, NEVER + self._patience) - self._patience
        return near

    def _follow(self, batch: _Batch, rows: Rows, symbols: Codes, members: Members) -> None:
        """Follow the symbols of one set, with their trades, through a batch in which nobody joins them."""
        at, last, come = -1, len(batch.ts), NEVER
        while at < last:
            course = batch.courses.of(members)
            begin = course.after(at)
            part = course.next_parting(begin)
            end = last if part is None else max(int(course.rows[part]), at)
            mine = rows[(rows > at) & (rows <= end)]
            running = np.maximum.accumulate(np.append(come, course.slowest[begin:part]))
            reached = running[course.before(mine) - begin + 1]
            batch.before[mine] = np.maximum(self._traded[batch.symbols[mine]], reached)
            come, at = int(running[-1]), end
            if part is not None:
                gone = course.leaving(part)
                members = self._leave(symbols, self._streams.of(symbols, gone), members - gone, course.fastest[part])
        self._traded[symbols] = np.maximum(self._traded[symbols], come)

    def _walk_all(self, batch: _Batch, walked: Codes) -> None:
        if not len(walked):
            return
        order = sorted_rows(batch.symbols)
        ordered = batch.symbols[order]
        begins, ends = np.searchsorted(ordered, walked), np.searchsorted(ordered, walked, side="right")
        for symbol, begin, end in zip(walked.tolist(), begins.tolist(), ends.tolist(), strict=True):
            self._walk(batch, symbol, order[begin:end])

    def _walk(self, batch: _Batch, symbol: int, rows: Rows) -> None:
        """Follow one symbol through a batch, from one change of its sources to the next."""
        members, at, last = self._sets.members(symbol), -1, len(batch.ts)
        if not members:
            at = int(rows[0])
            self._traded[symbol] = batch.before[at]
            members = self._join(batch, symbol, at, members)
        while at < last:
            course = batch.courses.of(members)
            begin = course.after(at)
            part = course.next_parting(begin)
            leaves = last if part is None else max(int(course.rows[part]), at)
            mine = rows[(rows > at) & (rows <= leaves)]
            joins = self._joins(batch, course, mine)
            end = leaves if joins is None else joins
            mine = mine[mine <= end]
            stop = len(course.rows) if end == last else int(course.before(np.array([end]))[0]) + 1
            running = np.maximum.accumulate(np.append(self._traded[symbol], course.slowest[begin:stop]))
            batch.before[mine] = running[course.before(mine) - begin + 1]
            self._traded[symbol] = running[-1]
            at = end
            if joins is not None:
                members = self._join(batch, symbol, joins, members)
            elif part is not None:
                gone = course.leaving(part)
                streams = np.array([self._streams.number(symbol, source) for source in gone])
                members = self._leave(symbol, streams, members - gone, course.fastest[part])

    def _joins(self, batch: _Batch, course: Course, rows: Rows) -> int | None:
        """The first of a symbol's trades with which another source joins it."""
        others = rows[~np.isin(batch.sources[rows], course.members)]
        reached = np.maximum(batch.courses.running[others], batch.ts[others])
        near = others[reached >= course.fastest[course.before(others)] - self._patience]
        return int(near[0]) if len(near) else None

    def _join(self, batch: _Batch, symbol: int, row: int, members: Members) -> Members:
        source = int(batch.sources[row])
        closed = int(batch.before[row]) - (self._grace if batch.before[row] > NEVER else 0)
        since = max(closed, int(batch.ts[row])) if members else EVER
        self._begin(np.array([self._streams.number(symbol, source)]), since)
        self._sets.put(symbol, members | {source})
        return members | {source}

    def _leave(self, symbols: int | Codes, streams: Rows, left: Members, until: int) -> Members:
        self.presence.end(streams, int(until))
        self._moved.append(streams)
        self._sets.put(symbols, left)
        return left

    def _begin(self, streams: NDArray[np.intp], since: int) -> None:
        self.presence.begin(streams, since)
        self._moved.append(streams)


def _alone(symbols: Codes) -> NDArray[np.bool_]:
    """Which of some sorted symbols are there once."""
    alone = np.ones(len(symbols), dtype=np.bool_)
    same = symbols[1:] == symbols[:-1]
    alone[1:] &= ~same
    alone[:-1] &= ~same
    return alone


def _slowest(reached: Ints, patience: int) -> int:
    return int(reached[reached >= reached.max() - patience].min())
