"""How well forecasts did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Floats

JUDGED: Final = 30
"""Forecasts that must have been judged before one is said to beat the naive one."""


@dataclass(frozen=True, slots=True)
class Score:
    """Mean losses of a forecast and of the naive one, over the same outcomes; each [symbols]."""

    loss: Floats
    naive_loss: Floats
    judged: Floats

    @classmethod
    def start(cls, symbols: int) -> Score:
        """Nothing has been judged."""
        nothing = np.zeros(symbols)
        return cls(nothing, nothing, nothing)

    def add(self, loss: Floats, naive_loss: Floats) -> Score:
        """With one more outcome a symbol; none where a loss is NaN."""
        known = ~np.isnan(loss) & ~np.isnan(naive_loss)
        judged = self.judged + known
        share = np.divide(1.0, judged, out=np.zeros_like(judged), where=known)
        return Score(
            self.loss + share * (np.where(known, loss, 0.0) - self.loss),
            self.naive_loss + share * (np.where(known, naive_loss, 0.0) - self.naive_loss),
            judged,
        )

    @property
    def beats_naive(self) -> Floats:
        """1 where the forecast has lost less than the naive one over `JUDGED` outcomes at least, else 0."""
        return ((self.judged >= JUDGED) & (self.loss < self.naive_loss)).astype(np.float64)
