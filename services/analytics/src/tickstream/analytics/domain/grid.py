"""One trading day's closed one-minute bars as arrays [row, symbol].

Row r is the minute that begins r minutes after the day. Columns are the symbols in the order of
their names, the same ones in the grids of all days, so that sums across symbols don't depend on
who came first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints
from tickstream.core.model import Activity, Bar, SessionName
from tickstream.core.topics import INTERVALS

INTERVAL: Final = "1m"
MINUTE: Final = INTERVALS[INTERVAL]

Bools = NDArray[np.bool_]
Small = NDArray[np.int8]

SESSIONS: Final = get_args(SessionName)
ACTIVITIES: Final = get_args(Activity)
REGULAR: Final = SESSIONS.index("regular")
CONTINUOUS: Final = SESSIONS.index("continuous")

_ROWS: Final = 60
"""Room is made for so many more rows at once."""
_COLUMNS: Final = 64
_PRICES: Final = ("open", "high", "low", "close", "vwap")
_EMPTY: Final[dict[str, tuple[type[np.generic], float]]] = {
    **dict.fromkeys((*_PRICES, "volume", "returns"), (np.float64, np.nan)),
    "trades": (np.int64, 0),
    "revision": (np.int32, -1),
    "session": (np.int8, -1),
    "activity": (np.int8, -1),
    "steady": (np.bool_, False),
}
"""Each array's type, and what it has where there is no bar."""


@dataclass(slots=True)
class Symbols:
    """The names of the columns."""

    names: list[str] = field(default_factory=list)
    columns: dict[str, int] = field(default_factory=dict)

    def column(self, name: str) -> int:
        """The column of a symbol; a new one is the last, until they are put in order."""
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = len(self.names)
            self.names.append(name)
        return column

    def keep(self, order: list[int]) -> None:
        """Have these columns only, in this order."""
        self.names = [self.names[column] for column in order]
        self.columns = {name: column for column, name in enumerate(self.names)}


class Grid:
    """The bars of one trading day; whatever is NaN, or -1, has no bar.

    Args:
        begin: when the day begins.
        symbols: the columns' names, those of all days' grids.

    Attributes:
        session: an index into `SESSIONS`.
        activity: an index into `ACTIVITIES`.
        steady: whether there is a bar of the regular or the continuous session: one whose prices
            and volume the figures of a symbol are made of.
        returns: log returns from close to close of successive steady bars; the day's first has none.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    vwap: Floats
    trades: Ints
    revision: NDArray[np.int32]
    session: Small
    activity: Small
    steady: Bools
    returns: Floats

    def __init__(self, begin: int, symbols: Symbols) -> None:
        self.begin = begin
        self._symbols = symbols
        self._room: dict[str, NDArray[Any]] = {
            name: np.full((0, 0), empty, dtype) for name, (dtype, empty) in _EMPTY.items()
        }
        self._changed = 0
        self._view(0, 0)
        self._reserve(0, len(symbols.names))

    @property
    def symbols(self) -> list[str]:
        """The columns' names."""
        return self._symbols.names

    @property
    def rows(self) -> int:
        """How many rows there are, up to the last one with a bar."""
        return len(self.close)

    def end(self, row: int) -> int:
        """When the minute of a row ends."""
        return self.begin + (row + 1) * MINUTE

    def row(self, end: int) -> int:
        """The row of the last minute that has ended by `end`."""
        return (end - self.begin) // MINUTE - 1

    def put(self, bar: Bar) -> int | None:
        """Add a bar, or the revision of one; gives its row, or None when nothing has changed."""
        row, column = (bar.start - self.begin) // MINUTE, self._symbols.column(bar.symbol)
        if row >= self.rows or column >= self.close.shape[1]:
            self._reserve(row + 1, column + 1)
        if self.revision[row, column] >= bar.revision:
            return None
        for name in (*_PRICES, "volume", "trades", "revision"):
            getattr(self, name)[row, column] = getattr(bar, name)
        session = SESSIONS.index(bar.session)
        self.session[row, column] = session
        self.activity[row, column] = ACTIVITIES.index(bar.activity)
        self.steady[row, column] = session in (REGULAR, CONTINUOUS)
        self._changed = min(self._changed, row)
        return row

    def filled(self, first: int, stop: int) -> list[int]:
        """The rows from `first` on, before `stop`, in which any symbol has a bar."""
        first, stop = max(first, 0), max(stop, 0)
        return (np.flatnonzero((self.revision[first:stop] >= 0).any(axis=1)) + first).tolist()

    def window(self, row: int, minutes: int) -> slice:
        """The rows of the minutes up to the end of a row."""
        return slice(max(row + 1 - minutes, 0), row + 1)

    def last_rows(self, stop: int, among: Bools) -> Ints:
        """Each symbol's last row before `stop` of those that `among` chooses; -1 where there is none."""
        chosen = among[:stop]
        last = stop - 1 - np.argmax(chosen[::-1], axis=0) if stop else np.full(len(self.symbols), -1)
        return np.where(chosen.any(axis=0), last, -1)

    def settle(self) -> None:
        """Bring the returns up to date with the bars."""
        first, self._changed = self._changed, self.rows
        if first >= self.rows:
            return
        before = self.last_rows(first, self.steady)
        known = np.where(before >= 0, self.close[before, np.arange(len(before))], np.nan)
        for row in range(first, self.rows):
            steady = self.steady[row]
            self.returns[row] = np.where(steady, np.log(self.close[row]) - np.log(known), np.nan)
            known = np.where(steady, self.close[row], known)

    def present(self) -> Bools:
        """Which symbols have a bar on this day."""
        here: Bools = np.any(self.revision >= 0, axis=0)
        return here

    def first_price(self, column: int) -> float | None:
        """The open of a symbol's first bar; None when it has none."""
        rows = self._rows_of(column)
        return float(self.open[rows[0], column]) if rows else None

    def last_price(self, column: int) -> float | None:
        """The close of a symbol's last bar; None when it has none."""
        rows = self._rows_of(column)
        return float(self.close[rows[-1], column]) if rows else None

    def _rows_of(self, column: int) -> list[int]:
        return np.flatnonzero(self.revision[:, column] >= 0).tolist() if column < self.close.shape[1] else []

    def keep(self, order: list[int]) -> None:
        """Have these columns only, in this order, as `Symbols.keep`."""
        self._reserve(0, max(order, default=-1) + 1)
        if order != list(range(len(order))):
            self._room = {name: np.ascontiguousarray(values[:, order]) for name, values in self._room.items()}
        self._view(self.rows, len(order))

    def _reserve(self, rows: int, columns: int) -> None:
        """Have room for so many rows and columns at least."""
        shape = (max(rows, self.rows), max(columns, self.close.shape[1]))
        if shape != self.close.shape:
            room = self._room["close"].shape
            if shape[0] > room[0] or shape[1] > room[1]:
                self._grow(_room(shape[0], room[0], _ROWS), _room(shape[1], room[1], _COLUMNS))
            self._view(*shape)

    def _grow(self, rows: int, columns: int) -> None:
        for name, (dtype, empty) in _EMPTY.items():
            have = self._room[name]
            self._room[name] = np.full((rows, columns), empty, dtype)
            self._room[name][: have.shape[0], : have.shape[1]] = have

    def _view(self, rows: int, columns: int) -> None:
        for name, values in self._room.items():
            setattr(self, name, values[:rows, :columns])


def _room(wanted: int, have: int, step: int) -> int:
    return have if wanted <= have else -(-wanted // step) * step
