"""How far event time has come by the sources' marks alone.

A mark promises that nothing of its source in this partition that comes after it is older. Symbols
have come as far as the least promise of their sources. Nobody waits for a source that lies more
than `patience` behind the fastest, by promise or trade, nor for one that has said that it ends,
until it trades again; one that has promised nothing yet is waited for without end.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown
from tickstream.processor.domain.sets import Members, Sets
from tickstream.processor.domain.windows import Codes

NEVER: Final = int(np.iinfo(np.int64).min)


class Promises:
    """The promises of a partition's sources, and the sources that each symbol waits for.

    Args:
        patience: nanoseconds.

    Attributes:
        sets: the sources of each symbol; that they are left out in time is `part`'s work.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._promised = np.zeros(0, dtype=np.int64)
        self._ended = np.zeros(0, dtype=np.int64)
        self.sets = Sets()

    def reserve(self, symbols: int, sources: int) -> None:
        """Make room for codes below these."""
        self.sets.reserve(symbols)
        self._promised = grown(self._promised, sources, NEVER)
        self._ended = grown(self._ended, sources, NEVER)

    def mark(self, source: int, ts: int, *, final: bool) -> None:
        """Note what a source says."""
        told = self._ended if final else self._promised
        told[source] = max(int(told[source]), ts)

    def of(self, source: int) -> tuple[int, int]:
        """What a source has promised, and when it has ended; `NEVER` where it hasn't."""
        return int(self._promised[source]), int(self._ended[source])

    def restore(self, source: int, promised: int, ended: int) -> None:
        """Set the same."""
        self._promised[source], self._ended[source] = promised, ended

    def take(self, symbols: Codes, sources: Codes, latest: Ints) -> NDArray[np.bool_]:
        """Note which symbols sources have traded; tells which are new to their symbol.

        Args:
            symbols: of each pair, as are sources.
            sources: as above.
            latest: how far each source has come by its trades.
        """
        self._ended[sources] = NEVER
        joining = ~self.sets.have(symbols, sources)
        rows = np.flatnonzero(joining)
        if len(rows):
            reached = self._reached(latest)
            for symbol_set in np.unique(self.sets.of[symbols[rows]]).tolist():
                some = rows[self.sets.of[symbols[rows]] == symbol_set]
                members = list(self.sets.members(int(symbols[some[0]])))
                fastest = reached[members].max(initial=NEVER + self._patience)
                joining[some] = reached[sources[some]] >= fastest - self._patience
            self.sets.join(symbols[joining], sources[joining])
        return joining

    def part(self, latest: Ints) -> list[tuple[Codes, Members]]:
        """Leave out the sources that lie more than twice `patience` behind: (symbols, sources) of those."""
        parted = []
        reached = self._reached(latest)
        self.sets.tidy()
        for number, members in list(self.sets.shared()):
            fastest = max(int(reached[source]) for source in members)
            gone = frozenset(source for source in members if reached[source] < fastest - 2 * self._patience)
            if gone:
                symbols = np.flatnonzero(self.sets.of == number)
                self.sets.put(symbols, members - gone)
                parted.append((symbols, gone))
        return parted

    def reached(self, latest: Ints) -> Ints:
        """How far each symbol has come; `NEVER` where that isn't known."""
        together = {number: self._slowest(members, latest) for number, members in self.sets.shared()}
        return self.sets.values(np.maximum(self._promised, self._ended), together, NEVER)

    def _slowest(self, members: Members, latest: Ints) -> int:
        reached = {source: max(int(self._promised[source]), int(latest[source])) for source in members}
        since = max(reached.values()) - self._patience
        waited = [source for source in members if reached[source] >= since and self._ended[source] == NEVER]
        if waited:
            return min(int(self._promised[source]) for source in waited)
        return max(int(self._ended[source]) for source in members)

    def _reached(self, latest: Ints) -> Ints:
        return np.maximum(self._promised, latest)
