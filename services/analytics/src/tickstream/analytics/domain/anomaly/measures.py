"""Measures of how unusual values are.

Components are the first axis, symbols the last, a window's minutes come before both. A missing value
is NaN. Nothing here knows which components there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.columns import Floats

ENOUGH: Final = 20
"""Minutes that a judgement needs."""
_MAD: Final = 1.4826
"""Makes the median absolute deviation the standard deviation of a normal distribution."""
_MEAN_AD: Final = 1.2533
"""The same for the mean absolute deviation: the root of pi / 2."""

CUSUM_SLACK: Final = 0.5
"""k: half of the shift to be found, in standard deviations."""
CUSUM_LIMIT: Final = 8.0
"""h: a sum above it is a change. Independent normal values give a false alarm in about 10,000 minutes."""
CUSUM_CLIP: Final = 3.0
"""Values count up to here: one outlier is no change of level."""


def robust_z(past: Floats, now: Floats, least: Floats) -> Floats:
    """Distance from the median in robust standard deviations (Iglewicz and Hoaglin 1993).

    The median absolute deviation gives way to the mean one where most values are about alike, as they are
    where prices move by a tick or not at all.

    Args:
        past: [minutes, components, symbols].
        now: [components, symbols].
        least: the smallest standard deviation that counts, [components].

    Returns:
        As `now`; NaN where less than `ENOUGH` minutes are known.
    """
    count = np.sum(~np.isnan(past), axis=0)
    median = _median(past, count)
    deviations = np.abs(past - median)
    scale = _MAD * _median(deviations, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _MEAN_AD * np.nansum(deviations, axis=0) / count
        scale = np.where(scale > least[:, None], scale, np.maximum(mean, least[:, None]))
        return np.where(count >= ENOUGH, (now - median) / scale, np.nan)


def _median(values: Floats, count: Floats) -> Floats:
    """The median over the first axis of the known values; `np.nanmedian` takes twenty times as long."""
    if not len(values):
        return np.full(values.shape[1:], np.nan)
    ordered = np.sort(values, axis=0)
    middle = np.stack((np.maximum(count - 1, 0) // 2, count // 2))
    middles: Floats = np.take_along_axis(ordered, np.minimum(middle, len(values) - 1), axis=0)
    median: Floats = middles.mean(axis=0)
    return median


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a minute is from what is usual, all components together.

    Attributes:
        distance: Mahalanobis', [symbols]; NaN where too little is known.
        shares: of each component in the distance's square, [components, symbols]; they add up to 1.
    """

    distance: Floats
    shares: Floats


def mahalanobis(past: Floats, now: Floats, least: Floats) -> Distance:
    """Distance from the mean by a shrunk covariance, and the components' shares in it.

    Components are divided by their standard deviations, their correlations shrunk towards none by
    Ledoit and Wolf's (2004) estimate. Shares are the squares of the components after whitening by
    the correlations' inverse symmetric root, which keeps each as close to its own component as
    can be (Garthwaite and Koch 2016; Kessy, Lewin and Strimmer 2018).

    Args:
        past: [minutes, components, symbols]; minutes that lack a component don't count.
        now: [components, symbols].
        least: the smallest standard deviation that counts, [components].
    """
    here = ~np.isnan(past.sum(axis=1, keepdims=True))
    count = here.sum(axis=0)[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = past.sum(axis=0, where=here) / count
        centred = np.where(here, past - mean, 0.0)
        deviation = np.maximum(np.sqrt(np.sum(centred**2, axis=0) / count), least[:, None])
        matrix = _shrunk(centred / deviation, count)
        standard = (now - mean) / deviation
    known = (count >= ENOUGH) & ~np.isnan(now).any(axis=0)
    whitened = np.full(now.shape, np.nan)
    roots, axes = np.linalg.eigh(matrix[known])
    inverse = (axes / np.sqrt(roots)[:, None, :]) @ axes.swapaxes(1, 2)
    whitened[:, known] = np.einsum("sij,js->is", inverse, standard[:, known])
    squares = whitened**2
    total = squares.sum(axis=0)
    shares = np.divide(squares, total, out=np.zeros_like(squares), where=total > 0)
    return Distance(np.sqrt(total), np.where(known, shares, np.nan))


def _shrunk(standard: Floats, count: Floats) -> Floats:
    """Correlations shrunk towards none, [symbols, components, components].

    A component that moves less than counts has a variance of one all the same.
    """
    one = np.eye(standard.shape[1])
    correlation = np.einsum("tis,tjs->sij", standard, standard) / count[:, None, None]
    correlation = np.where(one, 1.0, correlation)
    spread = np.sum((correlation - one) ** 2, axis=(1, 2))
    fourth = np.sum(np.sum(standard**2, axis=1) ** 2, axis=0) / count
    noise = (fourth - np.sum(correlation**2, axis=(1, 2))) / count
    weight = np.divide(np.clip(noise, 0.0, spread), spread, out=np.ones_like(spread), where=spread > 0)
    shrunk: Floats = correlation + weight[:, None, None] * (one - correlation)
    return shrunk


@dataclass(frozen=True, slots=True)
class Cusum:
    """Two-sided cumulative sums of standardised values (Page 1954), each [components, symbols].

    Attributes:
        up, down: the sums, never negative; one that was above `CUSUM_LIMIT` begins again at 0.
        rising, falling: minutes since each was last 0, Page's estimate of how long ago it changed.
    """

    up: Floats
    down: Floats
    rising: Floats
    falling: Floats

    @classmethod
    def start(cls, components: int, symbols: int) -> Cusum:
        """Nothing has been seen yet."""
        nothing = np.zeros((components, symbols))
        return cls(nothing, nothing, nothing, nothing)

    def grow(self, symbols: int) -> Cusum:
        """With room for new symbols, which come last."""
        more = ((0, 0), (0, symbols - self.up.shape[1]))
        return Cusum(*(np.pad(each, more) for each in (self.up, self.down, self.rising, self.falling)))

    def step(self, z: Floats) -> Cusum:
        """One minute on; where z is NaN nothing changes."""
        up, rising = _cumulate(self.up, self.rising, z)
        down, falling = _cumulate(self.down, self.falling, -z)
        return Cusum(up, down, rising, falling)

    @property
    def changed(self) -> Floats:
        """1 where a level went up, -1 where it went down, else 0."""
        return (self.up > CUSUM_LIMIT).astype(np.float64) - (self.down > CUSUM_LIMIT)


def _cumulate(total: Floats, minutes: Floats, z: Floats) -> tuple[Floats, Floats]:
    begun = np.where(total > CUSUM_LIMIT, 0.0, total)
    summed = np.maximum(0.0, begun + np.clip(z, -CUSUM_CLIP, CUSUM_CLIP) - CUSUM_SLACK)
    known = ~np.isnan(z)
    running = np.where(begun > 0, minutes, 0.0) + 1.0
    return np.where(known, summed, total), np.where(known, np.where(summed > 0, running, 0.0), minutes)
