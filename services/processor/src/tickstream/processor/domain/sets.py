"""Which sources each symbol has. Symbols with the same sources share one set, so work is done once a set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.arrays import grown
from tickstream.processor.domain.windows import Codes

Members = frozenset[int]

_NOBODY: Final = -1
_SEVERAL: Final = -2
_EMPTY: Final[Members] = frozenset()
_FEWEST: Final = 64


class Sets:
    """The set of sources of each symbol; symbols, sources and sets are numbers.

    Attributes:
        of: for each symbol the number of its set; 0 is the empty one.
    """

    def __init__(self) -> None:
        self.of = np.zeros(0, dtype=np.int64)
        self._numbers: dict[Members, int] = {_EMPTY: 0}
        self._members: list[Members] = [_EMPTY]
        self._sole = np.array([_NOBODY])
        self._used = 0

    def reserve(self, symbols: int) -> None:
        """Make room for symbols below this."""
        self.of = grown(self.of, symbols, 0)

    def members(self, symbol: int) -> Members:
        """The sources of a symbol."""
        return self._members[int(self.of[symbol])]

    def put(self, symbols: int | Codes, members: Members) -> None:
        """Give symbols a set."""
        self.of[symbols] = self._number(members)

    def forget(self, symbols: Codes) -> None:
        """Let symbols have no sources, and forget the sets that only they had; the others get new numbers."""
        self.put(symbols, _EMPTY)
        self._forget_unused()

    def shared(self) -> Iterator[tuple[int, Members]]:
        """(number, sources) of the sets that have several."""
        for number in np.flatnonzero(self._sole[: len(self._members)] == _SEVERAL).tolist():
            yield number, self._members[number]

    def are_shared(self, symbols: Codes) -> NDArray[np.bool_]:
        """Which symbols have several sources."""
        shared: NDArray[np.bool_] = self._sole[self.of[symbols]] == _SEVERAL
        return shared

    def are_empty(self, symbols: Codes) -> NDArray[np.bool_]:
        """Which symbols have no source."""
        empty: NDArray[np.bool_] = self.of[symbols] == 0
        return empty

    def have(self, symbols: Codes, sources: Codes) -> NDArray[np.bool_]:
        """Whether each source is in its symbol's set."""
        numbers = self.of[symbols]
        sole = self._sole[numbers]
        have: NDArray[np.bool_] = sole == sources
        several = np.flatnonzero(sole == _SEVERAL)
        for number in np.unique(numbers[several]).tolist():
            rows = several[numbers[several] == number]
            have[rows] = np.isin(sources[rows], list(self._members[number]))
        return have

    def join(self, symbols: Codes, sources: Codes) -> None:
        """Add sources to their symbols' sets."""
        for source in np.unique(sources).tolist():
            joining = symbols[sources == source]
            for number in np.unique(self.of[joining]).tolist():
                self.put(joining[self.of[joining] == number], self._members[number] | {source})

    def values(self, by_source: Ints, by_set: Mapping[int, int], otherwise: int) -> Ints:
        """A value of each symbol: its only source's, its shared set's, or `otherwise`."""
        known = len(self._members)
        sole = self._sole[:known]
        values = np.full(known, otherwise, dtype=np.int64)
        alone = sole >= 0
        values[alone] = by_source[sole[alone]]
        for number, value in by_set.items():
            values[number] = value
        found: Ints = values[self.of]
        return found

    def tidy(self) -> None:
        """Forget sets that no symbol has any more, now and then; the others get new numbers."""
        if len(self._members) > 2 * self._used + _FEWEST:
            self._forget_unused()

    def _number(self, members: Members) -> int:
        number = self._numbers.get(members)
        if number is None:
            number = self._numbers[members] = len(self._members)
            self._members.append(members)
            self._sole = grown(self._sole, number + 1, _NOBODY)
            self._sole[number] = _SEVERAL if len(members) > 1 else next(iter(members), _NOBODY)
        return number

    def _forget_unused(self) -> None:
        used = np.unique(self.of)
        kept = [self._members[number] for number in used.tolist()]
        places = np.searchsorted(used, self.of)
        self._numbers, self._members = {_EMPTY: 0}, [_EMPTY]
        self.of = np.array([self._number(members) for members in kept], dtype=np.int64)[places]
        self._used = len(self._members)
