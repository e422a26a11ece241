"""Where the next bar may close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.analytics.domain.forecast.score import Score
from tickstream.core.columns import Floats, Ints

_KINDS: Final = 9
_NONE: Final = -1
PRIOR: Final = 50.0
"""Moves, half of them upwards, that a frequency is mixed with."""


@dataclass(frozen=True, slots=True)
class Direction:
    """The chance that a symbol's next bar closes higher, if it closes elsewhere at all.

    It is the frequency of that after minutes alike: of nine kinds, by whether the price rose, fell or stayed in the
    minute and in the one before. Frequencies are means of a beta distribution, which begins at one half. The naive
    forecast is the same frequency over all minutes.

    Attributes:
        ups: moves upwards after each kind of minute, [kinds, symbols].
        moves: all moves, the same.
        sign: of the last return, [symbols]; NaN without one.
        kind: of the last minute, [symbols]; -1 for none.
    """

    ups: Floats
    moves: Floats
    sign: Floats
    kind: Ints
    score: Score

    @classmethod
    def start(cls, symbols: int) -> Direction:
        """Before the first return."""
        counts = np.zeros((_KINDS, symbols))
        return cls(counts, counts, np.full(symbols, np.nan), np.full(symbols, _NONE), Score.start(symbols))

    def next_day(self) -> Direction:
        """The same counts on another trading day, with nothing judged yet."""
        symbols = len(self.kind)
        return Direction(self.ups, self.moves, np.full(symbols, np.nan), np.full(symbols, _NONE), Score.start(symbols))

    def step(self, returns: Floats) -> Direction:
        """One minute on: judge the last forecast, count the move, see what kind of minute it is."""
        sign = np.sign(returns)
        moved = (self.kind != _NONE) & (np.abs(sign) == 1)
        up = np.where(moved, sign > 0, np.nan)
        kinds = (self.kind == np.arange(_KINDS)[:, None]) & moved
        kind = 3 * (sign + 1) + self.sign + 1
        return Direction(
            self.ups + (kinds & (sign > 0)),
            self.moves + kinds,
            sign,
            np.where(np.isnan(kind), _NONE, kind).astype(np.int64),
            self.score.add((self.probability - up) ** 2, (self.naive - up) ** 2),
        )

    @property
    def probability(self) -> Floats:
        """That the next move is upwards, [symbols]; NaN without a return in the last two minutes."""
        chances = _frequency(self.ups, self.moves)
        chosen = np.take_along_axis(chances, np.maximum(self.kind, 0)[None, :], axis=0)[0]
        return np.where(self.kind == _NONE, np.nan, chosen)

    @property
    def naive(self) -> Floats:
        """The same from how often the symbol has moved upwards, [symbols]."""
        return _frequency(self.ups.sum(axis=0), self.moves.sum(axis=0))


def _frequency(ups: Floats, moves: Floats) -> Floats:
    return (ups + PRIOR / 2.0) / (moves + PRIOR)
