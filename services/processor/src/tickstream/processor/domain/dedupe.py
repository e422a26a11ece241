"""Which trades were seen before, by (source, symbol, seq), and which are missing.

What was seen of a stream, the trades of one symbol from one source, is a set of numbers. Mostly it
is one range that grows at its end; then nothing is looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown

Range = tuple[int, int]
"""Numbers from the first to the last, both included."""

MAX_RANGES: Final = 64
"""More ranges than this are too many to keep: the oldest hole is then taken for seen."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Numbers that a stream skipped, at the row where that showed."""

    stream: int
    first: int
    last: int
    row: int


class Seen:
    """What was seen of each stream; streams are numbered from 0."""

    def __init__(self) -> None:
        self._first = np.zeros(0, dtype=np.int64)
        self._last = np.zeros(0, dtype=np.int64)
        self._holed: dict[int, list[Range]] = {}

    def begin(self, stream: int, ranges: list[Range]) -> None:
        """A stream begins of which these sorted ranges were seen."""
        self._first, self._last = grown(self._first, stream + 1, 0), grown(self._last, stream + 1, 0)
        self._first[stream] = self._last[stream] = 0
        self._store(stream, ranges)

    def spans(self, streams: NDArray[np.intp]) -> tuple[Ints, Ints]:
        """The first and the last number of each stream."""
        return self._first[streams], self._last[streams]

    def holed(self, streams: Iterable[int]) -> list[int]:
        """Those streams of which numbers between their first and last are missing."""
        return [stream for stream in streams if stream in self._holed] if self._holed else []

    def ranges(self, stream: int) -> list[Range]:
        """What was seen of a stream, in order."""
        if stream in self._holed:
            return self._holed[stream]
        last = int(self._last[stream])
        return [(int(self._first[stream]), last)] if last else []

    def take(
        self, streams: NDArray[np.intp], starts: NDArray[np.intp], seq: Ints
    ) -> tuple[NDArray[np.bool_], list[Missing]]:
        """Note the trades of a batch.

        Args:
            streams: the stream of each run of rows, each stream once.
            starts: where each run begins in `seq`.
            seq: the trades' numbers, each run in order of arrival.

        Returns:
            (for each row whether it is new, what showed to be missing).
        """
        ends = np.append(starts[1:], len(seq))
        follows = np.ones(len(seq), dtype=np.bool_)
        np.equal(seq[1:], seq[:-1] + 1, out=follows[1:])
        follows[starts] = True
        heads, last = seq[starts], self._last[streams]
        smooth = np.logical_and.reduceat(follows, starts) & ((last == 0) | (heads == last + 1))
        self._first[streams] = np.where(last == 0, heads, self._first[streams])
        self._last[streams[smooth]] = seq[ends[smooth] - 1]
        if self._holed:
            for stream, end in zip(streams[smooth].tolist(), seq[ends[smooth] - 1].tolist(), strict=True):
                self._extend(stream, end)
        fresh = np.ones(len(seq), dtype=np.bool_)
        missing: list[Missing] = []
        for run in np.flatnonzero(~smooth).tolist():
            rows = slice(int(starts[run]), int(ends[run]))
            known = self.ranges(int(streams[run])) if last[run] else []
            fresh[rows] = self._one_by_one(int(streams[run]), known, seq[rows], rows.start, missing)
        return fresh, missing

    def _one_by_one(
        self, stream: int, known: list[Range], seq: Ints, offset: int, missing: list[Missing]
    ) -> NDArray[np.bool_]:
        bounds = np.array(known, dtype=np.int64).reshape(-1, 2)
        at = np.searchsorted(bounds[:, 0], seq, side="right") - 1
        old = (at >= 0) & (seq <= bounds[:, 1][at]) if known else np.zeros(len(seq), dtype=np.bool_)
        _, first_rows = np.unique(seq, return_index=True)
        fresh = np.zeros(len(seq), dtype=np.bool_)
        fresh[first_rows] = True
        fresh &= ~old
        before = np.maximum.accumulate(np.concatenate(([bounds[-1, 1] if known else seq[0] - 1], seq)))[:-1]
        missing += [
            Missing(stream, int(before[row]) + 1, int(seq[row]) - 1, offset + row)
            for row in np.flatnonzero(fresh & (seq > before + 1)).tolist()
        ]
        self._store(stream, _joined(known, np.sort(seq[fresh])))
        return fresh

    def _extend(self, stream: int, last: int) -> None:
        ranges = self._holed.get(stream)
        if ranges is not None:
            ranges[-1] = (ranges[-1][0], last)

    def _store(self, stream: int, ranges: list[Range]) -> None:
        while len(ranges) > MAX_RANGES:
            ranges[:2] = [(ranges[0][0], ranges[1][1])]
        self._holed.pop(stream, None)
        if len(ranges) > 1:
            self._holed[stream] = ranges
        if ranges:
            self._first[stream], self._last[stream] = ranges[0][0], ranges[-1][1]


def _joined(known: list[Range], fresh: Ints) -> list[Range]:
    """The union of ranges and of sorted numbers that none of them holds."""
    if not len(fresh):
        return list(known)
    cuts = np.flatnonzero(np.diff(fresh) > 1)
    firsts = fresh[np.concatenate(([0], cuts + 1))].tolist()
    lasts = fresh[np.append(cuts, len(fresh) - 1)].tolist()
    joined: list[Range] = []
    for first, last in sorted([*known, *zip(firsts, lasts, strict=True)]):
        if joined and first == joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
