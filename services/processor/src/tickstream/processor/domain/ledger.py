"""What an engine must not forget, in tables, as the changelog's segments hold it.

A row names its symbol and source by numbers of the partition's own, which stay the same for good,
and its interval by its code. So a commit costs a few records, however many symbols have traded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tickstream.core.columns import Ints
from tickstream.core.intervals import Interval
from tickstream.processor.domain import state
from tickstream.processor.domain.bars import WINDOW, Table
from tickstream.processor.domain.closing import CURSOR
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.retained import Needed, Retained
from tickstream.processor.domain.revisions import REVISION
from tickstream.processor.domain.state import Loaded, Record
from tickstream.processor.domain.windows import window_keys

CLOSED: Final = b"w"
REVISED: Final = b"v"
OPEN: Final = b"p"
CURSORS: Final = b"c"
REACHED: Final = b"y"
STREAMS: Final = b"q"

SYMBOL: Final = np.dtype([("key", "i8"), ("symbol", "i4"), ("traded", "i8"), ("reached", "i8")])
"""How far a symbol has come, by trades and in all, where its sources don't tell; its key is the symbol."""

STREAM: Final = np.dtype(
    [
        ("key", "i8"),
        ("symbol", "i4"),
        ("source", "i4"),
        ("since", "i8"),
        ("until", "i8"),
        ("first", "i8"),
        ("last", "i8"),
    ]
)
"""A symbol's trades from a source: when it counted the last time, which numbers were seen. Its key is its number in
the partition."""

_DTYPES: Final = {CLOSED: WINDOW, REVISED: REVISION, OPEN: WINDOW, CURSORS: CURSOR, REACHED: SYMBOL, STREAMS: STREAM}
_WINDOWS: Final = (CLOSED, REVISED, OPEN)


class Numbers:
    """Numbers of texts that stay the same over restarts, beside the codes that a process gives them.

    Args:
        kind: of the records that say which number is which text.
        lanes: gives the codes.
        partition: whose numbers these are.
    """

    def __init__(self, kind: bytes, lanes: Lanes, partition: int) -> None:
        self._kind = kind
        self._lanes = lanes
        self._partition = partition
        self._code_of: list[int] = []
        self._number_of = np.zeros(0, dtype=np.int64)
        self._written = 0

    def of(self, codes: Ints) -> Ints:
        """The numbers of texts by their codes; those that have none yet get the next ones."""
        if len(self._number_of) < len(self._lanes):
            room = np.full(2 * len(self._lanes) - len(self._number_of), -1)
            self._number_of = np.concatenate((self._number_of, room))
        numbers = self._number_of[codes]
        if (numbers < 0).any():
            for code in np.unique(codes[numbers < 0]).tolist():
                self._add(code)
            numbers = self._number_of[codes]
        return numbers

    def codes(self, numbers: Ints) -> Ints:
        """The codes of texts by their numbers."""
        return np.array(self._code_of, dtype=np.int64)[numbers]

    def changes(self) -> list[Record]:
        """A record of the numbers that are new since this was last asked."""
        fresh = [self._lanes.values[code] for code in self._code_of[self._written :]]
        if not fresh:
            return []
        record = state.names_record(self._kind, self._written, fresh)
        self._written = len(self._code_of)
        return [record]

    def restore(self, names: Sequence[str]) -> None:
        """Go on with the texts of the numbers from 0 on."""
        codes = [self._lanes.code(self._partition, name) for name in names]
        self.of(np.zeros(0, dtype=np.int64))
        for code in codes:
            self._add(code)
        self._written = len(codes)

    def _add(self, code: int) -> None:
        self._number_of[code] = len(self._code_of)
        self._code_of.append(code)


class Ledger:
    """The tables of one partition.

    Args:
        partition: which.
        intervals: those in use.
        symbols: gives the symbols' codes.
        sources: gives the sources' codes.
        shelves: tables that others fill, by kind; the rest is filled by `note`.
    """

    def __init__(
        self,
        partition: int,
        intervals: Sequence[Interval],
        symbols: Lanes,
        sources: Lanes,
        shelves: Mapping[bytes, Retained],
    ) -> None:
        self._interval_codes = np.array([interval.code for interval in intervals])
        self._width = len(intervals)
        self.symbols = Numbers(b"n", symbols, partition)
        self.sources = Numbers(b"m", sources, partition)
        self._filled = shelves.keys()
        self._shelves = {kind: shelves[kind] if kind in shelves else Retained(dtype) for kind, dtype in _DTYPES.items()}

    def note(self, kind: bytes, rows: Table) -> None:
        """Keep rows, with a process's codes, sorted by key."""
        self._shelves[kind].add(rows)

    def changes(self, needed: Mapping[bytes, Needed]) -> list[Record]:
        """The records since this was last asked.

        Args:
            needed: for each kind which of its rows are still needed; all are, of others.
        """
        records = []
        for kind, shelf in self._shelves.items():
            for number, rows in shelf.changes(needed.get(kind, _all)):
                stored = None if rows is None else self._stored(kind, rows).tobytes()
                records.append(state.segment_record(kind, number, stored))
        return [*self.symbols.changes(), *self.sources.changes(), *records]

    def restore(self, loaded: Loaded) -> dict[bytes, Table]:
        """Go on from what was read back; gives the rows of what `note` fills, with new keys but for streams."""
        self.symbols.restore(loaded.names(b"n"))
        self.sources.restore(loaded.names(b"m"))
        found = {}
        for kind, dtype in _DTYPES.items():
            shelf = self._shelves[kind]
            stored = loaded.segments(kind)
            shelf.restore((number, self._own(kind, np.frombuffer(rows, dtype=dtype).copy())) for number, rows in stored)
            if kind not in self._filled:
                found[kind] = shelf.all()
        return found

    def stored_symbols(self, rows: Table) -> bytes:
        """Rows of any kind that names symbols, as they are stored."""
        stored = rows.copy()
        stored["symbol"] = self.symbols.of(rows["symbol"].astype(np.int64))
        return stored.tobytes()

    def _stored(self, kind: bytes, rows: Table) -> Table:
        stored = rows.copy()
        stored["symbol"] = self.symbols.of(rows["symbol"].astype(np.int64))
        if kind == STREAMS:
            stored["source"] = self.sources.of(rows["source"].astype(np.int64))
        elif kind != REACHED:
            stored["interval"] = self._interval_codes[rows["interval"]]
        return stored

    def _own(self, kind: bytes, rows: Table) -> Table:
        """Stored rows, less those of intervals that aren't in use any more, with this process's codes."""
        if kind == STREAMS:
            rows["source"] = self.sources.codes(rows["source"].astype(np.int64))
        elif kind != REACHED:
            order = np.argsort(self._interval_codes)
            places = order[np.searchsorted(self._interval_codes[order], rows["interval"]) % self._width]
            known = self._interval_codes[places] == rows["interval"]
            rows, places = rows[known], places[known]
            rows["interval"] = places
        symbols = self.symbols.codes(rows["symbol"].astype(np.int64))
        rows["symbol"] = symbols
        if kind in _WINDOWS:
            rows["key"] = window_keys(symbols, rows["interval"].astype(np.int64), self._width, rows["start"])
        elif kind == CURSORS:
            rows["key"] = symbols * self._width + rows["interval"]
        elif kind == REACHED:
            rows["key"] = symbols
        return rows


def _all(rows: Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(len(rows), dtype=np.bool_)
