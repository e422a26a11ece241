"""Correlations and betas of all pairs over windows that slide.

Sums of products over each pair's common minutes are kept by adding the row that enters a window and
taking off the row that leaves it. Taking off leaves rounding errors behind, so every `BLOCK` rows a
window's sums are made anew. Rows are added one after the other in both cases: the sums are the same
to the last bit, whether a day was followed minute by minute or entered in its middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Floats, Ints

BLOCK: Final = 30
"""Rows after which a window's sums are made anew."""
ENOUGH: Final = 20
"""Common returns that a pair needs."""
FLAT: Final = 1e-14
"""A variance of one-minute log returns up to this is none: 0.001 basis points squared, far above rounding errors."""

Rows = Callable[[int], Floats]
"""Gives a row's returns, [symbols], NaN where there is none."""


@dataclass(frozen=True, slots=True)
class Comovement:
    """What the sums over a window say of each pair (i, j); NaN where there isn't enough.

    Attributes:
        returns: common returns, [symbols, symbols].
        correlation: Pearson's, over the common minutes.
        beta: of i on j, the slope of the least-squares line.
    """

    returns: Floats
    correlation: Floats
    beta: Floats


class Comoments:
    """Sums over the minutes in which both symbols of a pair have a return.

    Attributes:
        sums: of 1, of i's returns, of their squares, and of i's times j's; [4, symbols, symbols].
    """

    __slots__ = ("_product", "sums")

    def __init__(self, symbols: int) -> None:
        self.sums = np.zeros((4, symbols, symbols))
        self._product = np.empty((symbols, symbols))

    def add(self, row: Floats) -> None:
        """Take a minute's returns in, [symbols], NaN where there is none."""
        self._count(row, np.add)

    def remove(self, row: Floats) -> None:
        """Take off the returns of a minute that was added before."""
        self._count(row, np.subtract)

    def _count(self, row: Floats, how: np.ufunc) -> None:
        here = ~np.isnan(row)
        if not here.any():
            return
        x, one = np.where(here, row, 0.0), here.astype(np.float64)
        for total, left, right in zip(self.sums, (one, x, x * x, x), (one, one, one, x), strict=True):
            how(total, np.multiply.outer(left, right, out=self._product), out=total)

    def grow(self, symbols: int) -> None:
        """Make room for symbols that have had no return yet, which come last."""
        more = symbols - self.sums.shape[1]
        if more:
            self.sums = np.pad(self.sums, ((0, 0), (0, more), (0, more)))
            self._product = np.empty((symbols, symbols))

    def comovement(self) -> Comovement:
        """Correlations and betas of all pairs."""
        n, total, square, product = self.sums
        with np.errstate(divide="ignore", invalid="ignore"):
            covariance = product - total * total.T / n
            variance = square - total * total / n
            variance[(n < ENOUGH) | ~(variance > FLAT * n)] = np.nan
            correlation = np.clip(covariance / np.sqrt(variance * variance.T), -1.0, 1.0)
            return Comovement(n, correlation, covariance / variance.T)


class RollingComoments:
    """The sums over one window of a trading day, at whichever row is asked for.

    The next row is reached by one step, any other one from the beginning of its block.

    Args:
        span: rows of the window; None for the day so far, from which nothing ever leaves.
    """

    def __init__(self, span: int | None) -> None:
        self._span = span
        self._row = -1
        self._comoments = Comoments(0)

    def rewind(self, row: int) -> None:
        """Rows from this one on aren't what they were."""
        if row <= self._row:
            self._row, self._comoments = -1, Comoments(0)

    def at(self, row: int, rows: Rows) -> Comoments:
        """The sums over the window that ends with a row; good until another one is asked for."""
        self.rewind(row + 1)
        block = row // BLOCK * BLOCK
        if self._span is not None and self._row < block:
            self._refill(block, rows)
        self._comoments.grow(len(rows(row)))
        for each in range(self._row + 1, row + 1):
            self._comoments.add(rows(each))
            if self._span is not None and each >= self._span:
                self._comoments.remove(rows(each - self._span))
        self._row = row
        return self._comoments

    def _refill(self, row: int, rows: Rows) -> None:
        self._comoments = Comoments(len(rows(row)))
        for each in range(max(row + 1 - (self._span or 0), 0), row + 1):
            self._comoments.add(rows(each))
        self._row = row


def strongest(correlations: Floats, number: int) -> Ints:
    """The places of the largest correlations of each row, either sign, the largest first.

    Args:
        correlations: [symbols, symbols]; NaN comes last.
        number: how many of each row, at most.
    """
    return np.argsort(-np.abs(correlations), axis=1, kind="stable")[:, :number]


def summary(correlation: Floats) -> dict[str, float]:
    """The whole market's mean correlation, and how much of what symbols do is done by all alike.

    The share is that of the matrix' first eigenvalue in the sum of all, that is in the number of
    symbols; pairs without a correlation have 0 there. Empty without a pair.
    """
    moving = ~np.isnan(np.diagonal(correlation))
    matrix = correlation[np.ix_(moving, moving)]
    pairs = matrix[np.triu_indices(len(matrix), 1)]
    known = pairs[~np.isnan(pairs)]
    if not len(known):
        return {}
    first = np.linalg.eigvalsh(np.nan_to_num(matrix, nan=0.0))[-1]
    return {
        "mean": float(np.mean(known)),
        "first_eigenvalue_share": float(first / len(matrix)),
        "symbols": float(len(matrix)),
        "pairs": float(len(known)),
    }
