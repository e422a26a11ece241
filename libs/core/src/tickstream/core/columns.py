"""Records by the batch: one array a field.

`Strings` holds a text column as codes into a list of distinct values, so that grouping and
comparing work on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

NULL_CODE: Final = -1


class Interner:
    """Gives each distinct text a small integer, the same one for as long as it lives.

    Symbols, sources and venues are few; the bound is there for a topic full of rubbish.
    """

    __slots__ = ("_codes", "limit", "values")

    def __init__(self, values: Iterable[str] = (), limit: int = 1_000_000) -> None:
        self.limit = limit
        self.values: list[str] = []
        self._codes: dict[str, int] = {}
        for value in values:
            self.code(value)

    def code(self, value: str) -> int:
        """The code of `value`, a new one when it wasn't seen before.

        Raises:
            OverflowError: there are `limit` distinct values already.
        """
        code = self._codes.get(value)
        if code is None:
            code = len(self.values)
            if code >= self.limit:
                raise OverflowError(f"more than {self.limit} distinct texts in one column, the next was {value!r}")
            self._codes[value] = code
            self.values.append(value)
        return code

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Strings:
    """A column of texts: `values[codes[i]]`, or null where the code is -1."""

    codes: Codes
    values: Sequence[str]

    @classmethod
    def of(cls, texts: Iterable[str | None], interner: Interner | None = None) -> Strings:
        """The column of `texts`; codes are those of `interner` when one is given."""
        table = interner if interner is not None else Interner()
        codes = np.fromiter((NULL_CODE if text is None else table.code(text) for text in texts), dtype=np.int32)
        return cls(codes, table.values)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: int) -> str | None:
        code = int(self.codes[index])
        return None if code == NULL_CODE else self.values[code]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Strings:
        """The column of the chosen rows."""
        return Strings(self.codes[rows], self.values)

    def to_list(self) -> list[str | None]:
        """The texts, one by one."""
        values = self.values
        return [None if code == NULL_CODE else values[code] for code in self.codes.tolist()]


def nulls(length: int) -> Strings:
    """A column of nothing."""
    return Strings(np.full(length, NULL_CODE, dtype=np.int32), ())


@dataclass(frozen=True, slots=True)
class TickColumns:
    """Trades by the batch; every column has the same length.

    `trade_id` is left as it is, a list or None: it is nearly unique, so codes would not help.
    """

    symbol: Strings
    price: Floats
    volume: Floats
    ts_event: Ints
    ts_ingest: Ints
    seq: Ints
    source: Strings
    venue: Strings
    conditions: Strings
    flags: Ints
    trade_id: Sequence[str | None] | None = field(default=None)

    def __len__(self) -> int:
        return len(self.price)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TickColumns:
        """The chosen rows, in their order."""
        if self.trade_id is None:
            ids = None
        else:
            chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
            ids = [self.trade_id[int(row)] for row in chosen]
        return TickColumns(
            symbol=self.symbol.take(rows),
            price=self.price[rows],
            volume=self.volume[rows],
            ts_event=self.ts_event[rows],
            ts_ingest=self.ts_ingest[rows],
            seq=self.seq[rows],
            source=self.source.take(rows),
            venue=self.venue.take(rows),
            conditions=self.conditions.take(rows),
            flags=self.flags[rows],
            trade_id=ids,
        )
