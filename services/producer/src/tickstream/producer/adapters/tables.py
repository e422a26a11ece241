"""Trades in tables with named columns, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tickstream.core.columns import NULL_CODE, Ints, Strings, TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.model import FLAG_SUSPICIOUS
from tickstream.producer.adapters.rows import Numbers, Rows, floats, texts
from tickstream.producer.adapters.times import times
from tickstream.producer.domain.chunks import constant, unsent
from tickstream.producer.domain.names import is_symbol

ALIASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "symbol": ("symbol", "ticker", "sym", "instrument"),
        "ts_event": ("ts_event", "timestamp", "time", "datetime", "date_time", "ts"),
        "price": ("price", "last", "px", "trade_price"),
        "volume": ("volume", "size", "qty", "quantity", "amount", "vol"),
        "venue": ("venue", "exchange", "ex", "market"),
        "trade_id": ("trade_id", "tradeid", "id"),
        "conditions": ("conditions", "condition", "cond", "sale_condition"),
        "flags": ("flags",),
        "suspicious": ("suspicious",),
    }
)
"""The names under which each column is found, whatever their case; the first that is there counts."""

_REQUIRED: Final = ("symbol", "ts_event", "price", "volume")
_TRUE: Final = pa.array(["1", "true", "t", "yes"])


@dataclass(frozen=True, slots=True)
class Columns:
    """Which of a table's columns mean what.

    Attributes:
        path: the file, for messages.
        found: the table's own name of each of our columns that it has.
    """

    path: Path
    found: Mapping[str, str]

    @classmethod
    def of(cls, path: Path, names: Sequence[str]) -> Columns:
        """The columns of a table with these names.

        Raises:
            FatalError: a required one isn't among them.
        """
        lower = {name.strip().lower(): name for name in reversed(names)}
        found = {
            column: next(lower[alias] for alias in aliases if alias in lower)
            for column, aliases in ALIASES.items()
            if any(alias in lower for alias in aliases)
        }
        missing = [f"{column} (or {', '.join(ALIASES[column][1:])})" for column in _REQUIRED if column not in found]
        if missing:
            raise FatalError(f"{path} has no column {'; '.join(missing)} among {', '.join(names) or 'none'}")
        return cls(path, found)


@dataclass(frozen=True, slots=True)
class TableReader:
    """Turns the tables of one file into trades.

    Args:
        columns: which of the columns mean what.
        zone: of times that name none; without it they are bad.
        origin: the code of the trades' source.
        interners: give the texts their codes.
    """

    columns: Columns
    zone: ZoneInfo | None
    origin: int
    interners: TickInterners

    def rows(self, batch: pa.RecordBatch) -> Rows:
        """The rows of a batch.

        Raises:
            ArrowInvalid: a value is not of its column's type.
        """
        path = self.columns.path
        taken = {column: batch[name] for column, name in self.columns.found.items()}
        symbol = texts(taken["symbol"], self.interners.symbols, path)
        numbers = Numbers(
            price=floats(taken["price"]),
            volume=floats(taken["volume"]),
            ts_event=times(taken["ts_event"], self.zone),
            flags=_flags(taken, len(batch)),
        )
        columns = unsent(
            symbol,
            numbers.price,
            numbers.volume,
            numbers.ts_event,
            constant(self.origin, self.interners.sources.values, len(batch)),
            venue=texts(taken["venue"], self.interners.venues, path) if "venue" in taken else None,
            conditions=texts(taken["conditions"], self.interners.conditions, path) if "conditions" in taken else None,
            flags=numbers.flags,
            trade_id=taken["trade_id"].cast(pa.string()).to_pylist() if "trade_id" in taken else None,
        )
        return Rows(columns, {**numbers.problems(), **_bad_symbols(symbol)})


def _bad_symbols(symbol: Strings) -> Mapping[int, str]:
    known: NDArray[np.int32] = np.unique(symbol.codes)
    bad = [code for code in known.tolist() if code == NULL_CODE or not is_symbol(symbol.values[code])]
    rows = np.flatnonzero(np.isin(symbol.codes, bad)) if bad else ()
    return {int(row): _symbol_problem(symbol[int(row)]) for row in rows}


def _symbol_problem(text: str | None) -> str:
    if text is None:
        return "the symbol is missing"
    return f"the symbol must be of upper-case letters, digits and . _ : / ^ = + -, 32 at the most, was {text[:50]!r}"


def _flags(taken: Mapping[str, pa.Array], length: int) -> Ints:
    flags: Ints = np.zeros(length, dtype=np.int64)
    if "flags" in taken:
        flags = taken["flags"].cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if "suspicious" in taken:
        said = pc.utf8_lower(taken["suspicious"].cast(pa.string()))
        suspicious = pc.is_in(said, value_set=_TRUE).to_numpy(zero_copy_only=False)
        flags = flags | np.where(suspicious, FLAG_SUSPICIOUS, 0)
    return flags
