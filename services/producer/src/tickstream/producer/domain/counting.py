"""The number of a trade within its source and symbol."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tickstream.core.columns import Codes, Ints, TickColumns


class SeqCounter:
    """Counts a source's trades by symbol, from 1, in the order in which they come."""

    def __init__(self) -> None:
        self._counts: Ints = np.zeros(0, dtype=np.int64)

    def number(self, columns: TickColumns) -> TickColumns:
        """The same trades with their seq."""
        return replace(columns, seq=self._next(columns.symbol.codes))

    def _next(self, symbols: Codes) -> Ints:
        tally = np.bincount(symbols, minlength=len(self._counts))
        before = np.zeros(len(tally), dtype=np.int64)
        before[: len(self._counts)] = self._counts
        self._counts = before + tally
        if np.count_nonzero(tally) == 1:
            return before[symbols] + np.arange(1, len(symbols) + 1)
        order = np.argsort(symbols, kind="stable")
        starts = np.concatenate([[0], np.cumsum(tally)[:-1]])
        seq = np.empty(len(symbols), dtype=np.int64)
        seq[order] = np.arange(1, len(symbols) + 1) - starts[symbols[order]]
        return before[symbols] + seq
