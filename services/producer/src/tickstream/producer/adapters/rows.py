"""From Arrow's columns to trades, and what is told of rows that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tickstream.core.columns import NULL_CODE, Codes, Floats, Interner, Ints, Strings, TickColumns
from tickstream.core.errors import FatalError
from tickstream.core.logging import logger

_LOG = logger(__name__)
_TOLD: Final = 20
_MOST: Final = 10_000
_LONGEST_TEXT: Final = 256


@dataclass(slots=True)
class BadRows:
    """Counts the rows that can't be taken, and tells of the first ones in each file unless it is quiet."""

    quiet: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def report(self, path: Path, line: int, reason: str) -> None:
        """One row is left out.

        Args:
            path: the file.
            line: the row's line in it, from 1; in Parquet the row, from 1.
            reason: what is wrong with it.

        Raises:
            FatalError: there are so many in the file that it is something else altogether.
        """
        count = self.counts[str(path)] = self.counts.get(str(path), 0) + 1
        if count <= _TOLD and not self.quiet:
            _LOG.warning("bad_row", file=str(path), line=line, reason=reason)
        elif count == _TOLD + 1 and not self.quiet:
            _LOG.warning("more_bad_rows", file=str(path), told=_TOLD)
        elif count > _MOST:
            raise FatalError(f"{path} has more than {_MOST} rows that are no trades; line {line}: {reason}")

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file as trades, those that are none included.

    Attributes:
        columns: the rows.
        problems: what is wrong with those that are no trades, by their index.
    """

    columns: TickColumns
    problems: Mapping[int, str]

    def trades(self, path: Path, first_line: int, bad: BadRows) -> TickColumns:
        """The trades; `bad` is told of the rest."""
        if not self.problems:
            return self.columns
        for row in sorted(self.problems):
            bad.report(path, first_line + row, self.problems[row])
        return self.columns.take(np.delete(np.arange(len(self.columns)), list(self.problems)))


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of some rows, as they were read."""

    price: Floats
    volume: Floats
    ts_event: Ints
    flags: Ints

    def problems(self) -> Mapping[int, str]:
        """What is wrong with the rows that are no trades, by their index."""
        bad_price = ~((self.price > 0) & np.isfinite(self.price))
        bad_volume = ~((self.volume >= 0) & np.isfinite(self.volume))
        bad_flags = (self.flags < 0) | (self.flags > np.iinfo(np.int32).max)
        bad_time = self.ts_event < 0
        rows = np.flatnonzero(bad_price | bad_volume | bad_flags | bad_time)
        return {int(row): self._problem(int(row)) for row in rows}

    def _problem(self, row: int) -> str:
        price, volume = float(self.price[row]), float(self.volume[row])
        if not (price > 0 and np.isfinite(price)):
            return f"the price must be positive and finite, was {price}"
        if not (volume >= 0 and np.isfinite(volume)):
            return f"the volume must be finite and not negative, was {volume}"
        if self.ts_event[row] < 0:
            return "the time must lie after 1970"
        return f"flags must be from 0 to 2147483647, was {int(self.flags[row])}"


def floats(column: pa.Array) -> Floats:
    """Numbers; NaN where there is none."""
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def texts(column: pa.Array, interner: Interner, path: Path) -> Strings:
    """A text column with the interner's codes; empty is null."""
    encoded = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    table = np.array([*_codes(encoded.dictionary.to_pylist(), interner, path), NULL_CODE], dtype=np.int32)
    indices: NDArray[Any] = encoded.indices.fill_null(len(table) - 1).to_numpy(zero_copy_only=False)
    codes: Codes = table[indices]
    return Strings(codes, interner.values)


def _codes(values: Sequence[object], interner: Interner, path: Path) -> list[int]:
    try:
        return [_code(value, interner) for value in values]
    except OverflowError as error:
        raise FatalError(f"{path} is no recording of trades: {error}") from error


def _code(value: object, interner: Interner) -> int:
    text = "" if value is None else str(value).strip()
    return interner.code(text[:_LONGEST_TEXT]) if text else NULL_CODE
