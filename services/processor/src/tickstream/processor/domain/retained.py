"""What late trades may still change, kept for as long as they may.

Rows are only ever added; a later row of the same key takes the place of an earlier one. They lie in
segments, sorted by key, which are written to the changelog whole: new rows make a small segment,
neighbouring small ones are merged into a larger one, and once most rows are of no more use all of
it is written anew. So each row is written a few times at most, and the changelog stays as long as
what is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.bars import Table, stacked
from tickstream.processor.domain.windows import KEY_SECONDS_BITS, Codes

LARGEST: Final = 16_384
"""Rows of a segment, at most."""

_FANOUT: Final = 8
_SLACK: Final = 8 * 1024


class Retained:
    """Rows by key, of one dtype, which has at least key, symbol, interval, start and end.

    Args:
        dtype: of the rows.
        width: how many intervals are in use; (symbol * width + interval) is a row's series.
    """

    def __init__(self, dtype: np.dtype[np.void], width: int) -> None:
        self._dtype = dtype
        self._width = width
        self._segments: dict[int, Table] = {}
        self._fresh: list[Table] = []
        self._number = 0
        self._useful = 0

    def __len__(self) -> int:
        return sum(map(len, self._segments.values())) + sum(map(len, self._fresh))

    def add(self, rows: Table) -> None:
        """Keep rows, which are sorted by key."""
        if len(rows):
            self._fresh.append(rows)

    def of(self, series: Codes) -> Table:
        """The rows of some series, sorted by key."""
        lows, highs = bounds(series)
        parts = []
        for rows in (*self._segments.values(), *self._fresh):
            keys = rows["key"]
            begin, end = np.searchsorted(keys, lows), np.searchsorted(keys, highs)
            if (begin < end).any():
                parts.append(rows[ranges(begin, end)])
        return _newest(parts, self._dtype)

    def restore(self, segments: Iterable[tuple[int, Table]]) -> None:
        """Go on from segments that were written."""
        for number, rows in sorted(segments, key=lambda numbered: numbered[0]):
            self._segments[number] = rows[np.argsort(rows["key"], kind="stable")]
            self._number = number + 1
        self._useful = len(self)

    def changes(self, expired: Ints) -> list[tuple[int, Table | None]]:
        """The segments to be written since this was last asked; None for those that are gone.

        Args:
            expired: for each symbol an event time; windows that end there or before aren't needed,
                but for each series' last of them.
        """
        if not self._fresh:
            return []
        before = dict(self._segments)
        if len(self) > 2 * self._useful + _SLACK:
            self._useful = self._count_useful(expired)
        if len(self) > 2 * self._useful + _SLACK:
            self._write_anew(expired)
        else:
            self._seal()
            self._merge()
        gone: list[tuple[int, Table | None]] = [(number, None) for number in before.keys() - self._segments.keys()]
        return gone + [(number, rows) for number, rows in self._segments.items() if before.get(number) is not rows]

    def _count_useful(self, expired: Ints) -> int:
        tables = (*self._segments.values(), *self._fresh)
        return len(np.unique(np.concatenate([rows["key"][rows["end"] > expired[rows["symbol"]]] for rows in tables])))

    def _seal(self) -> None:
        rows = _newest(self._fresh, self._dtype)
        self._fresh = []
        self._append(rows)

    def _append(self, rows: Table) -> None:
        for begin in range(0, len(rows), LARGEST):
            self._segments[self._number] = rows[begin : begin + LARGEST]
            self._number += 1

    def _merge(self) -> None:
        """Merge the last segments where enough of them are of one size."""
        while True:
            numbers = list(self._segments)[-_FANOUT:]
            tail = [self._segments[number] for number in numbers]
            smallest = len(tail[-1])
            total = sum(map(len, tail))
            if len(tail) < _FANOUT or total > LARGEST or max(map(len, tail)) > _FANOUT * smallest:
                return
            for number in numbers:
                del self._segments[number]
            self._append(_newest(tail, self._dtype))

    def _write_anew(self, expired: Ints) -> None:
        rows = _newest([*self._segments.values(), *self._fresh], self._dtype)
        series = rows["symbol"].astype(np.int64) * self._width + rows["interval"]
        needed = rows["end"] > expired[rows["symbol"]]
        # The last one that is not needed tells what the first needed one began with.
        needed[:-1] |= needed[1:] & (series[1:] == series[:-1])
        needed[:-1] |= series[1:] != series[:-1]
        needed[-1:] = True
        self._fresh = []
        self._segments = {}
        self._append(rows[needed])
        self._useful = len(self)


def bounds(series: Codes) -> tuple[Ints, Ints]:
    """The least key of each series, and one that is greater than all of its keys."""
    return series << KEY_SECONDS_BITS, (series + 1) << KEY_SECONDS_BITS


def ranges(begin: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
    """All numbers of some ranges [begin, end), range by range."""
    counts = end - begin
    firsts = np.repeat(begin - np.cumsum(counts) + counts, counts)
    return firsts + np.arange(len(firsts))


def _newest(parts: list[Table], dtype: np.dtype[np.void]) -> Table:
    """The rows of all parts, sorted by key; of rows with one key the last."""
    rows = parts[0] if len(parts) == 1 else stacked(parts, dtype)
    rows = rows[np.argsort(rows["key"], kind="stable")]
    last = np.ones(len(rows), dtype=np.bool_)
    np.not_equal(rows["key"][1:], rows["key"][:-1], out=last[:-1])
    return rows[last]
