"""The streams of a partition: the trades of one symbol from one source, numbered in order of appearance."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from tickstream.processor.domain.arrays import grown
from tickstream.processor.domain.windows import Codes


class Streams:
    """Which stream is of which symbol and source; both are codes."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._symbols = np.zeros(0, dtype=np.int64)
        self._sources = np.zeros(0, dtype=np.int64)
        self._traded: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def traded(self) -> Collection[int]:
        """The symbols that have streams."""
        return self._traded.keys()

    @property
    def symbols(self) -> Codes:
        """The symbol of each stream."""
        return self._symbols[: len(self)]

    @property
    def sources(self) -> Codes:
        """The source of each stream."""
        return self._sources[: len(self)]

    def has(self, symbol: int, source: int) -> bool:
        """Whether there is such a stream."""
        return (symbol, source) in self._numbers

    def number(self, symbol: int, source: int) -> int:
        """The number of a stream that there is."""
        return self._numbers[symbol, source]

    def add(self, symbol: int, source: int) -> int:
        """A new stream; gives its number."""
        number = self._numbers[symbol, source] = len(self._numbers)
        self._symbols, self._sources = grown(self._symbols, number + 1, 0), grown(self._sources, number + 1, 0)
        self._symbols[number], self._sources[number] = symbol, source
        self._traded[symbol] = None
        return number

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
