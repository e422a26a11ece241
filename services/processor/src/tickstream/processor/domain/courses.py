"""How far sources, and symbols that have several of them, come within a batch of trades.

A source has come as far as its latest trade in the partition. A set of sources has come as far as
the slowest of them, less those that lie more than `patience` behind the fastest. One that lies
more than twice `patience` behind leaves the set with the very trade that shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import run_heads, sorted_rows
from tickstream.processor.domain.sets import Members
from tickstream.processor.domain.windows import Codes

Rows = NDArray[np.intp]


class Courses:
    """What the trades of one batch come to.

    Args:
        sources: of each trade, in order of arrival.
        ts: event times.
        latest: how far each source had come before.
        patience: nanoseconds.

    Attributes:
        running: how far each trade's source had come just before it.
        latest: how far each source is after all of them.
    """

    def __init__(self, sources: Codes, ts: Ints, latest: Ints, patience: int) -> None:
        self._ts = ts
        self._begin = latest
        self._order = sorted_rows(sources)
        self._heads = run_heads(sources[self._order])
        self._who = sources[self._order[self._heads]]
        self.running, self.latest = self._follow()
        self._patience = patience
        self._courses: dict[Members, Course] = {}

    def of(self, members: Members) -> Course:
        """The course of a set of sources, as if nobody joined or left it."""
        found = self._courses.get(members)
        if found is None:
            found = self._courses[members] = self._course(members)
        return found

    def _course(self, members: Members) -> Course:
        order = sorted(members)
        rises = [self._rises(source) for source in order]
        rows = np.unique(np.concatenate(rises))
        reached = np.empty((len(order), len(rows) + 1), dtype=np.int64)
        for place, (source, own) in enumerate(zip(order, rises, strict=True)):
            values = np.concatenate((self._begin[source : source + 1], self._ts[own]))
            reached[place, 0] = values[0]
            reached[place, 1:] = values[np.searchsorted(own, rows, side="right")]
        fastest = reached.max(axis=0)
        waited = np.where(reached >= fastest - self._patience, reached, fastest)
        behind = reached < fastest - 2 * self._patience
        return Course(np.concatenate(([-1], rows)), waited.min(axis=0), fastest, np.array(order), behind)

    def _rises(self, source: int) -> Rows:
        """The trades with which a source comes further."""
        place = int(np.searchsorted(self._who, source))
        if place == len(self._who) or self._who[place] != source:
            return np.zeros(0, dtype=np.intp)
        end = self._heads[place + 1] if place + 1 < len(self._heads) else len(self._order)
        rows = self._order[self._heads[place] : end]
        return rows[self._ts[rows] > self.running[rows]]

    def _follow(self) -> tuple[Ints, Ints]:
        latest, in_order = self._begin.copy(), self._ts[self._order]
        counts = np.diff(self._heads, append=len(in_order))
        before = np.empty(len(in_order), dtype=np.int64)
        before[1:] = in_order[:-1]
        before[self._heads] = self._begin[self._who]
        if (in_order < before).any():
            before = _running_maximum(before, np.repeat(np.arange(len(counts)), counts))
        tails = self._heads + counts - 1
        latest[self._who] = np.maximum(before[tails], in_order[tails])
        running = np.empty(len(in_order), dtype=np.int64)
        running[self._order] = before
        return running, latest


@dataclass(frozen=True)
class Course:
    """How far a set of sources is after some trades of a batch.

    Attributes:
        rows: those with which one of them came further, after a -1 for how far they were before the batch.
        slowest: after each, how far the slowest is that is waited for.
        fastest: how far the fastest is.
        members: the sources.
        behind: members x rows, where they lie too far behind to stay.
    """

    rows: Rows
    slowest: Ints
    fastest: Ints
    members: Codes
    behind: NDArray[np.bool_]

    @cached_property
    def _parting(self) -> Rows:
        return np.flatnonzero(self.behind.any(axis=0))

    def lagging(self) -> Codes:
        """Those that lie too far behind at some time."""
        return self.members[self.behind.any(axis=1)]

    def after(self, row: int) -> int:
        """The place in `rows` of what holds after a trade."""
        return int(np.searchsorted(self.rows, row, side="right")) - 1

    def before(self, rows: Rows) -> Rows:
        """The places of what holds just before trades."""
        return np.searchsorted(self.rows, rows) - 1

    def next_parting(self, place: int) -> int | None:
        """The first place from `place` on where somebody leaves."""
        at = int(np.searchsorted(self._parting, place))
        return int(self._parting[at]) if at < len(self._parting) else None

    def leaving(self, place: int) -> Members:
        """Who leaves there."""
        return frozenset(self.members[self.behind[:, place]].tolist())


def _running_maximum(values: Ints, groups: NDArray[np.intp]) -> Ints:
    """The largest value so far within each group; groups are ascending runs."""
    distinct, ranks = np.unique(values, return_inverse=True)
    span = len(distinct)
    highest: Ints = distinct[np.maximum.accumulate(groups * span + ranks) - groups * span]
    return highest
