"""The last bars, indicators or figures of every symbol, in columns.

Rows are in the order of their ends, the newest in the last column; where a symbol has fewer than
the tape is deep, the first columns are empty: their end is 0, their values NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints

NEVER: Final = np.iinfo(np.int64).max
_FEW: Final = 8


@dataclass(frozen=True, slots=True)
class TapeKey:
    """Which rows a tape holds.

    Attributes:
        kind: what they are.
        interval: of bars and their indicators; figures have none.
        sessions: bars of others are left out; empty takes all.
    """

    kind: str
    interval: str = ""
    sessions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((self.kind, self.interval, "+".join(self.sessions))).rstrip("/")


class Tape:
    """The last rows of every symbol.

    Args:
        fields: the names of a row's values.
        depth: how many rows of a symbol are kept.

    Attributes:
        symbols: the place of each symbol in the first dimension of `end`.
        end: event times, (symbols, depth).
        since: for each symbol the earliest end that has changed since `settle`, NEVER when none has.
    """

    def __init__(self, fields: Iterable[str], depth: int) -> None:
        self.fields: dict[str, int] = {name: place for place, name in enumerate(dict.fromkeys(fields))}
        self.depth = depth
        self.symbols: dict[str, int] = {}
        self.end: Ints = np.zeros((_FEW, depth), dtype=np.int64)
        self.since: Ints = np.full(_FEW, NEVER, dtype=np.int64)
        self._values: Floats = np.full((len(self.fields), _FEW, depth), np.nan)

    def __len__(self) -> int:
        return len(self.symbols)

    def place(self, symbol: str) -> int:
        """Where a symbol's rows are; a new place when it has none yet."""
        found = self.symbols.get(symbol)
        if found is not None:
            return found
        place = self.symbols[symbol] = len(self.symbols)
        if place == len(self.since):
            self.end = np.concatenate([self.end, np.zeros_like(self.end)])
            self.since = np.concatenate([self.since, np.full_like(self.since, NEVER)])
            self._values = np.concatenate([self._values, np.full_like(self._values, np.nan)], axis=1)
        return place

    def newest(self, symbol: str) -> int:
        """The newest end of a symbol, 0 when it has no rows."""
        place = self.symbols.get(symbol)
        return 0 if place is None else int(self.end[place, -1])

    def is_late(self, symbol: str, end: int, values: Mapping[str, float]) -> bool:
        """Whether a row lies before the newest one, or says something else than that does."""
        newest = self.newest(symbol)
        if end != newest:
            return end < newest
        known = self._values[:, self.symbols[symbol], -1]
        return any(
            known[at] == known[at] and known[at] != values.get(name, known[at]) for name, at in self.fields.items()
        )

    def put(self, symbol: str, end: int, values: Mapping[str, float]) -> bool:
        """Take a row, or the revision of one; says whether it changed anything.

        What isn't given of a row stays as it was. Values of names that the tape doesn't have are
        left out; a row older than all that is kept of a full symbol is too.
        """
        place = self.place(symbol)
        given = [at for name, at in self.fields.items() if name in values]
        row = [values[name] for name in self.fields if name in values]
        ends = self.end[place]
        column = self.depth - 1
        if end > ends[-1]:
            self._shift(place, self.depth)
        else:
            column = int(np.searchsorted(ends, end, side="right")) - 1
            if column < 0:
                return False
            if ends[column] == end:
                if np.array_equal(self._values[given, place, column], row, equal_nan=True):
                    return False
            else:
                self._shift(place, column + 1)
        if self.end[place, column] != end:
            self.end[place, column] = end
            self._values[:, place, column] = np.nan
        self._values[given, place, column] = row
        self.since[place] = min(int(self.since[place]), end)
        return True

    def _shift(self, place: int, stop: int) -> None:
        """Make room in column `stop - 1`, forgetting the oldest row."""
        self.end[place, : stop - 1] = self.end[place, 1:stop]
        self._values[:, place, : stop - 1] = self._values[:, place, 1:stop]

    def column(self, field: str, places: NDArray[np.intp], length: int) -> Floats:
        """The last `length` values of a field, (places, length)."""
        found: Floats = self._values[self.fields[field], places, self.depth - length :]
        return found

    def values(self, field: str) -> Floats:
        """All values of a field, (symbols, depth)."""
        found: Floats = self._values[self.fields[field]]
        return found

    def ends(self, places: NDArray[np.intp], length: int) -> Ints:
        """The last `length` ends, (places, length)."""
        return self.end[places, self.depth - length :]

    def row(self, symbol: str, end: int) -> dict[str, float]:
        """One row's values, those that aren't NaN; empty when there is no such row."""
        place = self.symbols.get(symbol)
        if place is None or end not in self.end[place]:
            return {}
        return self._row(place, int(np.searchsorted(self.end[place], end)))

    def _row(self, place: int, column: int) -> dict[str, float]:
        found = self._values[:, place, column].tolist()
        return {name: found[at] for name, at in self.fields.items() if found[at] == found[at]}

    def before(self, symbol: str, end: int) -> tuple[int, dict[str, float]] | None:
        """The end and the values of the row before one; None when there is none."""
        place = self.place(symbol)
        ends = self.end[place]
        column = (self.depth if end > ends[-1] else int(np.searchsorted(ends, end))) - 1
        if column < 0 or not ends[column]:
            return None
        return int(ends[column]), self._row(place, column)

    def ends_from(self, symbol: str, end: int) -> list[int]:
        """The ends of a symbol's rows from one on."""
        ends = self.end[self.symbols[symbol]]
        found: list[int] = ends[np.searchsorted(ends, end) :].tolist()
        return found

    def settle(self) -> None:
        """What has changed was taken into account."""
        self.since[:] = NEVER

    def reshaped(self, fields: Sequence[str], depth: int) -> Tape:
        """A tape of other fields and depth with what is known of them."""
        other = Tape(fields, depth)
        for symbol, place in self.symbols.items():
            for column in np.flatnonzero(self.end[place])[-depth:]:
                end = int(self.end[place, column])
                other.put(symbol, end, self.row(symbol, end))
        other.settle()
        for symbol, place in self.symbols.items():
            other.since[other.place(symbol)] = self.since[place]
        return other
