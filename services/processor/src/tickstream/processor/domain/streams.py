"""The streams: the trades of one symbol from one source. Symbols and sources are lanes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.windows import Codes

_NOBODY: Final = -1


class Streams:
    """Which stream is of which symbol and source.

    Args:
        lanes: the symbols.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._numbers: dict[tuple[int, int], int] = {}
        self._symbols = np.zeros(0, dtype=np.int64)
        self._sources = np.zeros(0, dtype=np.int64)
        self._keys = np.zeros(0, dtype=np.int64)
        self._traded: dict[int, None] = {}
        self._next_keys: defaultdict[int, int] = defaultdict(int)
        self._length = 0
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many numbers are in use, or were."""
        return self._length

    @property
    def traded(self) -> Collection[int]:
        """The symbols that have streams."""
        return self._traded.keys()

    @property
    def symbols(self) -> Codes:
        """The symbol of each stream; -1 where the number isn't in use."""
        return self._symbols[: len(self)]

    @property
    def sources(self) -> Codes:
        """The source of each stream, as above."""
        return self._sources[: len(self)]

    @property
    def keys(self) -> Ints:
        """The number of each stream in its partition, in order of appearance; it stays the same for good."""
        return self._keys[: len(self)]

    def has(self, symbol: int, source: int) -> bool:
        """Whether there is such a stream."""
        return (symbol, source) in self._numbers

    def number(self, symbol: int, source: int) -> int:
        """The number of a stream that there is."""
        return self._numbers[symbol, source]

    def add(self, symbol: int, source: int) -> int:
        """A new stream; gives its number."""
        return self.restore(symbol, source, self._next_keys[int(self._lanes.partitions[symbol])])

    def restore(self, symbol: int, source: int, key: int) -> int:
        """A stream with a key that it has had before; gives its number."""
        number = self._free.pop() if self._free else self._length
        self._length = max(self._length, number + 1)
        self._numbers[symbol, source] = number
        self._symbols, self._sources = grown(self._symbols, number + 1, 0), grown(self._sources, number + 1, 0)
        self._keys = grown(self._keys, number + 1, 0)
        self._symbols[number], self._sources[number], self._keys[number] = symbol, source, key
        self._traded[symbol] = None
        partition = int(self._lanes.partitions[symbol])
        self._next_keys[partition] = max(self._next_keys[partition], key + 1)
        return number

    def forget(self, partition: int) -> NDArray[np.intp]:
        """Let go of a partition's streams; their numbers will be those of others."""
        gone = np.flatnonzero(np.isin(self.symbols, self._lanes.of(partition)))
        for symbol, source in zip(self.symbols[gone].tolist(), self.sources[gone].tolist(), strict=True):
            del self._numbers[symbol, source]
            self._traded.pop(symbol, None)
        self._symbols[gone] = self._sources[gone] = _NOBODY
        self._free += gone.tolist()
        self._next_keys.pop(partition, None)
        return gone

    def of(self, symbols: Codes, sources: Collection[int]) -> NDArray[np.intp]:
        """The streams of some symbols from some sources."""
        return np.flatnonzero(np.isin(self.sources, list(sources)) & np.isin(self.symbols, symbols))

    def by_symbol(self, symbols: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """(row, stream) of each stream of the symbols in some rows, row by row."""
        order = np.argsort(self.symbols, kind="stable")
        ordered = self.symbols[order]
        begin, end = np.searchsorted(ordered, symbols), np.searchsorted(ordered, symbols, side="right")
        counts = end - begin
        rows = np.repeat(np.arange(len(symbols)), counts)
        places = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) + begin[rows]
        return rows, order[places]
