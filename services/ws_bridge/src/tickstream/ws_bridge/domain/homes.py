"""Which partitions have the trades of a symbol."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Strings
from tickstream.core.partition import partition_for

Partitions = frozenset[int]

_MAX_SYMBOLS: Final = 100_000
_FIRST_ROOM: Final = 256
_NOWHERE: Final[Partitions] = frozenset()


class Homes:
    """The partitions in which each symbol has been seen, learnt from what is read.

    A symbol's trades are where they were seen, or where Kafka's own partitioner puts its key: so partitioners of other
    kinds do no harm, and a symbol goes on being found when the topic grows. All trades must come from one reading,
    whose texts have the same codes for ever.

    Attributes:
        all: the topic's partitions.
        scattered: how often the topic grew, or a symbol was found in a further partition: then its producers disagree.
    """

    def __init__(self) -> None:
        self.all = _NOWHERE
        self.scattered = 0
        self._seen: dict[str, Partitions] = {}
        self._own: dict[str, int] = {}
        self._last_of_code = np.full(_FIRST_ROOM, -1, np.int64)

    def open(self, count: int) -> None:
        """The topic has so many partitions; if there were others before, symbols may be elsewhere by now."""
        if count != len(self.all):
            self.scattered += bool(self.all)
            self.all = frozenset(range(count))
            self._seen.clear()
            self._own.clear()
            self._last_of_code[:] = -1

    def learn(self, symbols: Strings, partitions: NDArray[np.int64]) -> None:
        """Trades of these symbols were read from these partitions."""
        codes = symbols.codes
        missing = len(symbols.values) - len(self._last_of_code)
        if missing > 0:
            more = np.full(max(missing, len(self._last_of_code)), -1, np.int64)
            self._last_of_code = np.concatenate((self._last_of_code, more))
        elsewhere = np.flatnonzero(self._last_of_code[codes] != partitions)
        for code, partition in set(zip(codes[elsewhere].tolist(), partitions[elsewhere].tolist(), strict=True)):
            self.saw(symbols.values[code], partition)
            self._last_of_code[code] = partition

    def saw(self, symbol: str, partition: int) -> None:
        """A trade of the symbol was read from the partition."""
        seen = self._seen.get(symbol)
        if seen is None:
            if len(self._seen) < _MAX_SYMBOLS:
                self._seen[symbol] = _alone(partition)
        elif partition not in seen:
            self._seen[symbol] = seen | {partition}
            self.scattered += 1

    def needed(self, symbols: Iterable[str] | None) -> Partitions:
        """The partitions that have to be read for these symbols, or for all (None); all for one that wasn't seen."""
        if symbols is None:
            return self.all
        found: set[int] = set()
        for symbol in symbols:
            if symbol not in self._seen:
                return self.all
            found.update(self._likely(symbol))
            if len(found) == len(self.all):
                break
        return frozenset(found)

    def likely(self, symbols: Iterable[str] | None) -> Partitions:
        """The same, but of symbols that weren't seen only where Kafka's own partitioner puts them."""
        return self.all if symbols is None else _NOWHERE.union(*map(self._likely, symbols))

    def _likely(self, symbol: str) -> Partitions:
        seen = self._seen.get(symbol, _NOWHERE)
        if not self.all:
            return seen
        own = self._own.get(symbol)
        if own is None:
            own = partition_for(symbol, len(self.all))
            if symbol in self._seen:
                self._own[symbol] = own
        return seen | {own}


@cache
def _alone(partition: int) -> Partitions:
    """One for all symbols that are there alone."""
    return frozenset((partition,))
