"""The last trade of each symbol that nobody reads, in columns: its JSON is made when a snapshot wants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Strings, TickColumns
from tickstream.ws_bridge.domain.entry import Entry, Route

Rows = NDArray[np.intp]

_NUMBERS: Final = ("price", "volume", "ts_event", "ts_ingest", "seq", "flags")
_TEXTS: Final = ("symbol", "source", "venue", "conditions")
_PLACE: Final = ("partition", "offset")
_KINDS: Final = {
    **dict.fromkeys((*_NUMBERS, *_PLACE), np.int64),
    **dict.fromkeys(("price", "volume"), np.float64),
    **dict.fromkeys(_TEXTS, np.int32),
    "trade_id": np.object_,
    "kept": np.bool_,
}
_FIRST_ROOM: Final = 256


class LastTrades:
    """A table with one row a symbol.

    All trades must come from one reading, whose texts have the same codes for ever.

    Args:
        encode: gives the JSON of trades.
    """

    def __init__(self, encode: Callable[[TickColumns], Sequence[bytes]]) -> None:
        self._encode = encode
        self._table: dict[str, NDArray[Any]] = {name: np.zeros(_FIRST_ROOM, kind) for name, kind in _KINDS.items()}
        self._row_of: dict[str, int] = {}
        self._row_of_code = np.full(_FIRST_ROOM, -1, np.int64)
        self._texts: dict[str, Sequence[str]] = {}

    def keep(
        self, columns: TickColumns, partitions: NDArray[np.int64], offsets: NDArray[np.int64], rows: Rows,
        known: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """Keep these rows, the last of each of their symbols.

        Args:
            columns: trades.
            partitions: where they are in the topic.
            offsets: the same.
            rows: those to be kept, one a symbol.
            known: whether anything is kept of a symbol that wasn't seen before.
        """
        codes = columns.symbol.codes[rows]
        places = self._places(codes, columns.symbol.values, known)
        taken = places >= 0
        rows, places = rows[taken], places[taken]
        table = self._table
        for name in _NUMBERS:
            table[name][places] = getattr(columns, name)[rows]
        for name in _TEXTS:
            texts: Strings = getattr(columns, name)
            table[name][places] = texts.codes[rows]
            self._texts[name] = texts.values
        table["partition"][places] = partitions[rows]
        table["offset"][places] = offsets[rows]
        ids, kept_ids = columns.trade_id, table["trade_id"]
        for place, row in zip(places.tolist(), rows.tolist(), strict=True):
            kept_ids[place] = None if ids is None else ids[row]
        table["kept"][places] = True

    def drop(self, symbol: str) -> None:
        """There is a newer trade of the symbol, kept elsewhere."""
        row = self._row_of.get(symbol)
        if row is not None:
            self._table["kept"][row] = False

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the trades that are in these partitions."""
        self._table["kept"] &= ~np.isin(self._table["partition"], list(partitions))

    def made(self, symbols: Collection[str] | None) -> list[Entry]:
        """Take out the trades of these symbols, or of all, as entries."""
        wanted = self._row_of.values() if symbols is None else [
            row for symbol in symbols if (row := self._row_of.get(symbol)) is not None
        ]  # fmt: skip
        rows = np.fromiter(wanted, np.int64, len(wanted))
        rows = rows[self._table["kept"][rows]]
        if not len(rows):
            return []
        columns = self._columns(rows)
        found = zip(
            columns.symbol.to_list(),
            self._encode(columns),
            self._table["partition"][rows].tolist(),
            self._table["offset"][rows].tolist(),
            columns.ts_ingest.tolist(),
            strict=True,
        )
        made = [Entry(route := _route(symbol), route, *more) for symbol, *more in found]
        self._table["kept"][rows] = False
        return made

    def _columns(self, rows: NDArray[np.int64]) -> TickColumns:
        table = self._table
        found: dict[str, Any] = {name: table[name][rows] for name in _NUMBERS}
        found |= {name: Strings(table[name][rows], self._texts[name]) for name in _TEXTS}
        return TickColumns(**found, trade_id=table["trade_id"][rows].tolist())

    def _places(
        self, codes: NDArray[np.int32], names: Sequence[str], known: Callable[[str], bool]
    ) -> NDArray[np.int64]:
        """The row of each symbol in the table; -1: nothing is kept of it."""
        if len(names) > len(self._row_of_code):
            self._row_of_code = _wider(self._row_of_code, len(names), -1)
        for code in codes[self._row_of_code[codes] < 0].tolist():
            if known(names[code]):
                row = self._row_of_code[code] = self._row_of.setdefault(names[code], len(self._row_of))
                if row >= len(self._table["kept"]):
                    self._table = {name: _wider(column, row + 1, 0) for name, column in self._table.items()}
        return self._row_of_code[codes]


def _wider(column: NDArray[Any], size: int, filling: int) -> NDArray[Any]:
    """The column with room for at least so many, and for as many again as it has."""
    wider = np.full(max(size, 2 * len(column)), filling, column.dtype)
    wider[: len(column)] = column
    return wider


def _route(symbol: str | None) -> Route:
    return ("ticks", "", symbol or "")
