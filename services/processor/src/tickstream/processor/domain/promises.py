"""How far event time has come by the sources' marks alone.

A mark promises that nothing of its source in this partition that comes after it is older. A symbol
has come as far as the least promise of the sources that have ever traded it. Nobody waits for one
that lies more than `patience` behind the fastest, by promise or trade, nor for one that has said
that it ends, until it trades again; one that has promised nothing yet is waited for without end.
Nothing here depends on the order in which trades and marks were told.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown
from tickstream.processor.domain.sets import Members, Sets
from tickstream.processor.domain.windows import Codes

NEVER: Final = int(np.iinfo(np.int64).min)


class Promises:
    """The promises of a partition's sources.

    Args:
        patience: nanoseconds.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._promised = np.zeros(0, dtype=np.int64)
        self._ended = np.zeros(0, dtype=np.int64)
        self._sets = Sets()

    def reserve(self, symbols: int, sources: int) -> None:
        """Make room for codes below these."""
        self._sets.reserve(symbols)
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

    def forget(self, symbols: Codes, sources: Codes) -> None:
        """Let symbols have no sources, and sources have said nothing."""
        self._sets.forget(symbols)
        self._promised[sources] = self._ended[sources] = NEVER

    def take(self, symbols: Codes, sources: Codes) -> None:
        """Note which symbols sources have traded: pairs of the two."""
        self._ended[sources] = NEVER
        self.join(symbols, sources)

    def join(self, symbols: Codes, sources: Codes) -> None:
        """Wait for sources in their symbols from now on."""
        fresh = ~self._sets.have(symbols, sources)
        if fresh.any():
            self._sets.join(symbols[fresh], sources[fresh])
            self._sets.tidy()

    def reached(self, latest: Ints) -> Ints:
        """How far each symbol has come; `NEVER` where that isn't known."""
        together = {number: self._slowest(members, latest) for number, members in self._sets.shared()}
        return self._sets.values(np.maximum(self._promised, self._ended), together, NEVER)

    def _slowest(self, members: Members, latest: Ints) -> int:
        sources = list(members)
        promised, ended = self._promised[sources], self._ended[sources]
        reached = np.maximum(promised, latest[sources])
        waited = (reached >= reached.max() - self._patience) & (ended == NEVER)
        return int(promised[waited].min() if waited.any() else ended.max())
