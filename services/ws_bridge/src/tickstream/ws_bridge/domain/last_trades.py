"""The last trade of each symbol that nobody reads, as Kafka gave it: it is decoded when a snapshot wants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Strings
from tickstream.ws_bridge.domain.entry import Waiting

_FIRST_ROOM: Final = 256
_NOWHERE: Final = -1


class Sealed(Protocol):
    """A trade that wasn't decoded."""

    def partition(self) -> int | None:
        """In which partition of the topic it is."""

    def offset(self) -> int | None:
        """Where it is in that."""


Trade = TypeVar("Trade", bound=Sealed)


class LastTrades(Generic[Trade]):
    """One trade a symbol.

    All trades must come from one reading, whose symbols have the same codes for ever.

    Args:
        unseal: decodes trades; it leaves out what can't be read.
    """

    def __init__(self, unseal: Callable[[Sequence[Trade]], Sequence[Waiting]]) -> None:
        self._unseal = unseal
        self._code_of: dict[str, int] = {}
        self._is_known = np.zeros(_FIRST_ROOM, np.bool_)
        self._partitions = np.full(_FIRST_ROOM, _NOWHERE, np.int64)
        self._offsets = np.zeros(_FIRST_ROOM, np.int64)
        self._kept: NDArray[Any] = np.full(_FIRST_ROOM, None, np.object_)

    def keep(self, symbols: Strings, trades: Sequence[Trade], known: Callable[[str], bool]) -> None:
        """Keep trades, where they are the last ones of their symbols so far.

        Args:
            symbols: of each trade, each once.
            trades: as many.
            known: whether anything is kept of a symbol that wasn't seen before.
        """
        codes = symbols.codes
        self._make_room(len(symbols.values))
        for code in codes[~self._is_known[codes]].tolist():
            if known(symbols.values[code]):
                self._is_known[code] = True
                self._code_of[symbols.values[code]] = code
        partitions = np.fromiter([trade.partition() or 0 for trade in trades], np.int64, len(trades))
        offsets = np.fromiter([trade.offset() or 0 for trade in trades], np.int64, len(trades))
        newer = (self._partitions[codes] != partitions) | (self._offsets[codes] < offsets)
        taken = np.flatnonzero(newer & self._is_known[codes])
        codes = codes[taken]
        self._partitions[codes], self._offsets[codes] = partitions[taken], offsets[taken]
        self._kept[codes] = np.fromiter([trades[row] for row in taken.tolist()], np.object_, len(taken))

    def drop(self, newer: Waiting) -> None:
        """A trade that is kept elsewhere takes the place of an earlier one of its symbol here."""
        code = self._code_of.get(newer.route[2])
        if code is not None and (self._partitions[code] != newer.partition or self._offsets[code] <= newer.offset):
            self._partitions[code], self._offsets[code] = newer.partition, newer.offset
            self._kept[code] = None

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the trades that are in these partitions."""
        gone = np.isin(self._partitions, list(partitions))
        self._partitions[gone], self._kept[gone] = _NOWHERE, None

    def made(self, symbols: Collection[str] | None) -> Sequence[Waiting]:
        """Take out the trades of these symbols, or of all."""
        wanted = self._code_of.values() if symbols is None else [
            code for symbol in symbols if (code := self._code_of.get(symbol)) is not None
        ]  # fmt: skip
        codes = [code for code in wanted if self._kept[code] is not None]
        if not codes:
            return ()
        trades: list[Trade] = self._kept[codes].tolist()
        self._kept[codes] = None
        return self._unseal(trades)

    def _make_room(self, count: int) -> None:
        missing = count - len(self._kept)
        if missing > 0:
            more = max(missing, len(self._kept))
            self._is_known = np.concatenate((self._is_known, np.zeros(more, np.bool_)))
            self._partitions = np.concatenate((self._partitions, np.full(more, _NOWHERE, np.int64)))
            self._offsets = np.concatenate((self._offsets, np.zeros(more, np.int64)))
            self._kept = np.concatenate((self._kept, np.full(more, None, np.object_)))
