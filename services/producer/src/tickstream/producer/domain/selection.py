"""Which trades of a stream are published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Strings
from tickstream.core.partition import partition_for
from tickstream.producer.domain.chunks import Chunk

_NEVER: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the partitions that one of several replicas publishes to.

    Attributes:
        replica: which one, from 0.
        replicas: how many there are.
        partitions: how many the topic has.
    """

    replica: int = 0
    replicas: int = 1
    partitions: int = 1

    def partition(self, symbol: str) -> int:
        """Where a symbol's trades go."""
        return partition_for(symbol, self.partitions)

    def holds(self, symbol: str) -> bool:
        """Whether a symbol is this replica's."""
        return self.partition(symbol) % self.replicas == self.replica


class Selection:
    """Lets through what is wanted, and ends the stream when nothing more can be.

    Args:
        share: the replica's share of the symbols.
        symbols: the wanted ones; empty wants all.
        start: nothing before this event time; None for no such bound.
        end: nothing from this event time on; None for no such bound.
        count: at most so many trades; None for all.

    Attributes:
        left: how many more trades may follow; None for no bound.
        cut: whether the stream was ended before its own end.
        until: where it was ended, if by its time range.
    """

    def __init__(
        self, share: Share, symbols: Collection[str], start: int | None, end: int | None, count: int | None
    ) -> None:
        self._share = share
        self._start = start
        self._end = end
        self.left = count
        self._wanted: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._symbols = frozenset(symbols)
        self.cut = False
        self.until: int | None = None

    def want(self, symbols: Collection[str]) -> None:
        """From now on only these; empty wants all."""
        self._symbols = frozenset(symbols)
        self._wanted = self._wanted[:0]

    def of(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The chunks with what is wanted of them."""
        for chunk in chunks:
            over = self._end is not None and (chunk.until >= self._end or (len(chunk) and chunk.due[0] >= self._end))
            wanted = self._limit(self._bound(chunk))
            # Behind the last trade there is nothing to wait for.
            yield replace(wanted, until=int(wanted.due[-1]) if len(wanted) else _NEVER) if over else wanted
            if over or self.left == 0:
                self.cut = True
                self.until = self._end if self.left != 0 else None
                return

    def _bound(self, chunk: Chunk) -> Chunk:
        times = chunk.columns.ts_event
        rows = self._want(chunk.columns.symbol)
        if self._start is not None:
            rows &= times >= self._start
        if self._end is not None:
            rows &= times < self._end
        return chunk.take(rows)

    def _limit(self, chunk: Chunk) -> Chunk:
        if self.left is None:
            return chunk
        if len(chunk) > self.left:
            until = int(chunk.due[self.left])
            chunk = replace(chunk.take(np.arange(len(chunk)) < self.left), until=until, ended=())
        self.left -= len(chunk)
        return chunk

    def _want(self, symbol: Strings) -> NDArray[np.bool_]:
        known = len(self._wanted)
        if known < len(symbol.values):
            fresh = [self._wants(text) for text in symbol.values[known:]]
            self._wanted = np.append(self._wanted, np.array(fresh, dtype=np.bool_))
        return self._wanted[symbol.codes]

    def _wants(self, symbol: str) -> bool:
        return (not self._symbols or symbol in self._symbols) and self._share.holds(symbol)
