"""Records by the batch: one array a field.

`Strings` holds a text column as codes into a list of distinct values, so that grouping and
comparing work on integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.model import Bar, Tick

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

NULL_CODE: Final = -1


class Interner:
    """Gives each distinct text a small integer, the same one for as long as it lives.

    Symbols, sources and venues are few; the bound is there for a topic full of rubbish.
    """

    __slots__ = ("__weakref__", "_codes", "limit", "values")

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

    def find(self, value: str) -> int:
        """The code of `value`; -1, which no value has, when it wasn't seen before."""
        return self._codes.get(value, -1)

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
class TickInterners:
    """The codes of the trades' text columns, kept from batch to batch."""

    symbols: Interner = field(default_factory=Interner)
    sources: Interner = field(default_factory=Interner)
    venues: Interner = field(default_factory=Interner)
    conditions: Interner = field(default_factory=Interner)

    def learn(self, tick: Tick) -> None:
        """Give each text of a trade its code.

        Raises:
            OverflowError: an interner is full.
        """
        self.symbols.code(tick.symbol)
        self.sources.code(tick.source)
        if tick.venue is not None:
            self.venues.code(tick.venue)
        if tick.conditions is not None:
            self.conditions.code(tick.conditions)


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

    @classmethod
    def of(cls, ticks: Sequence[Tick], interners: TickInterners, *, trade_ids: bool = True) -> TickColumns:
        """The columns of some trades, with `interners`' codes."""
        return cls(
            symbol=Strings.of((tick.symbol for tick in ticks), interners.symbols),
            price=np.array([tick.price for tick in ticks], dtype=np.float64),
            volume=np.array([tick.volume for tick in ticks], dtype=np.float64),
            ts_event=np.array([tick.ts_event for tick in ticks], dtype=np.int64),
            ts_ingest=np.array([tick.ts_ingest for tick in ticks], dtype=np.int64),
            seq=np.array([tick.seq for tick in ticks], dtype=np.int64),
            source=Strings.of((tick.source for tick in ticks), interners.sources),
            venue=Strings.of((tick.venue for tick in ticks), interners.venues),
            conditions=Strings.of((tick.conditions for tick in ticks), interners.conditions),
            flags=np.array([tick.flags for tick in ticks], dtype=np.int64),
            trade_id=[tick.trade_id for tick in ticks] if trade_ids else None,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[TickColumns]) -> TickColumns:
        """The rows of all parts, whose text columns must have the same interners."""
        columns: dict[str, Any] = {}
        for name in _TICK_FIELDS:
            pieces = [getattr(part, name) for part in parts]
            if name == "trade_id":
                columns[name] = None if None in pieces else [text for piece in pieces for text in piece]
            elif isinstance(pieces[0], Strings):
                columns[name] = Strings(np.concatenate([piece.codes for piece in pieces]), pieces[0].values)
            else:
                columns[name] = np.concatenate(pieces)
        return cls(**columns)

    def to_ticks(self) -> list[Tick]:
        """The trades, one by one."""
        ids = self.trade_id if self.trade_id is not None else nulls(len(self)).to_list()
        columns = {name: ids if name == "trade_id" else _plain(getattr(self, name)) for name in _TICK_FIELDS}
        return [Tick(*row) for row in zip(*columns.values(), strict=True)]

    def __len__(self) -> int:
        return len(self.price)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> TickColumns:
        """The chosen rows, in their order."""
        if self.trade_id is None:
            ids = None
        else:
            chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
            ids = list(map(self.trade_id.__getitem__, chosen.tolist()))
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


@dataclass(frozen=True, slots=True)
class BarColumns:
    """Bars by the batch; every column has the same length."""

    symbol: Strings
    interval: Strings
    start: Ints
    end: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    vwap: Floats
    trades: Ints
    state: Strings
    revision: Ints
    activity: Strings
    session: Strings

    @classmethod
    def of(cls, bars: Sequence[Bar]) -> BarColumns:
        """The columns of some bars."""
        return cls(**{name: _column([getattr(bar, name) for bar in bars], kind) for name, kind in _BAR_KINDS.items()})

    def to_bars(self) -> list[Bar]:
        """The bars, one by one."""
        return [Bar(*row) for row in zip(*(_plain(getattr(self, name)) for name in _BAR_KINDS), strict=True)]

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> BarColumns:
        """The chosen rows, in their order."""
        columns: dict[str, Any] = {}
        for column in fields(self):
            values = getattr(self, column.name)
            columns[column.name] = values.take(rows) if isinstance(values, Strings) else values[rows]
        return BarColumns(**columns)


_TICK_FIELDS: Final = tuple(column.name for column in fields(Tick))
_BAR_KINDS: Final = {column.name: str(column.type) for column in fields(BarColumns)}


def _column(values: Sequence[Any], kind: str) -> Any:
    if kind == "Strings":
        return Strings.of(values)
    return np.array(values, dtype=np.int64 if kind == "Ints" else np.float64)


def _plain(column: Any) -> Any:
    return column.to_list() if isinstance(column, Strings) else column.tolist()
