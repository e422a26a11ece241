"""The volatility of the next minutes, by EWMA and by GARCH(1,1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tickstream.analytics.domain.forecast.score import Score
from tickstream.core.columns import Floats

ENOUGH: Final = 20
"""Returns that a forecast of volatility needs."""
HORIZONS: Final = (5, 30)
"""Minutes that volatility is foretold for."""
RECENT: Final = 30
"""Minutes whose realised volatility is the naive forecast; no horizon is longer."""
LEAST_VARIANCE: Final = 1e-10
"""Of a one-minute log return: a tenth of a basis point, squared. None is taken for less."""
ALPHAS: Final = (0.02, 0.05, 0.1, 0.15, 0.2)
PERSISTENCES: Final = (0.8, 0.9, 0.95, 0.98, 0.995)
"""Sums of a GARCH's alpha and beta; each goes with each alpha."""
_OUTLIER: Final = 100.0
"""A squared return counts as so many variances at most in a likelihood: one jump doesn't choose parameters."""


def qlike(realised: Floats, forecast: Floats) -> Floats:
    """The loss of a forecast of variance, 0 when it was right (Patton 2011)."""
    ratio = realised / forecast
    return ratio - np.log(ratio) - 1.0


_ALPHA: Final = np.repeat(ALPHAS, len(PERSISTENCES))[:, None]
_PERSISTENCE: Final = np.tile(PERSISTENCES, len(ALPHAS))[:, None]


@dataclass(frozen=True, slots=True)
class Garch:
    """GARCH(1,1) with variance targeting (Bollerslev 1986; Engle and Mezrich 1996).

    Every pair of parameters of a grid is followed. Forecasts and parameters are means over the grid, weighted by the
    normal likelihoods of the returns so far (Bayesian model averaging: Hoeting, Madigan, Raftery and Volinsky 1999):
    the returns of a day or two leave more than one pair likely. The variance that forecasts go back to is the mean of
    the squared returns so far.

    Attributes:
        total: of the squared returns, [symbols].
        count: of the returns, [symbols].
        variance: of the next return, [parameters, symbols].
        losses: the negative log likelihoods, twice and less a constant, [parameters, symbols].
    """

    total: Floats
    count: Floats
    variance: Floats
    losses: Floats

    @classmethod
    def start(cls, symbols: int) -> Garch:
        """Nothing has been seen."""
        nothing, table = np.zeros(symbols), np.zeros((len(_ALPHA), symbols))
        return cls(nothing, nothing, table, table)

    def step(self, squares: Floats) -> Garch:
        """One minute on; a missing return counts as one of the size expected."""
        known = ~np.isnan(squares)
        total, count = self.total + np.where(known, squares, 0.0), self.count + known
        usual = _usual(total, count)
        before = np.where(self.count > 0, self.variance, usual)
        last = np.where(known, squares, before)
        loss = np.log(before) + np.minimum(last / before, _OUTLIER)
        return Garch(
            total,
            count,
            (1.0 - _PERSISTENCE) * usual + _ALPHA * last + (_PERSISTENCE - _ALPHA) * before,
            self.losses + np.where(known & (self.count >= ENOUGH), loss, 0.0),
        )

    @property
    def weights(self) -> Floats:
        """Of the pairs of parameters, [parameters, symbols]; they add up to 1."""
        likelihoods = np.exp((self.losses.min(axis=0) - self.losses) / 2.0)
        weights: Floats = likelihoods / likelihoods.sum(axis=0)
        return weights

    @property
    def parameters(self) -> tuple[Floats, Floats]:
        """Alpha and beta, [symbols]."""
        weights = self.weights
        return (weights * _ALPHA).sum(axis=0), (weights * (_PERSISTENCE - _ALPHA)).sum(axis=0)

    def ahead(self, minutes: int) -> Floats:
        """The expected sum of the next squared returns, [symbols]."""
        usual = _usual(self.total, self.count)
        persisting = (1.0 - _PERSISTENCE**minutes) / (1.0 - _PERSISTENCE)
        expected: Floats = minutes * usual + (self.weights * persisting * (self.variance - usual)).sum(axis=0)
        return expected


def _usual(total: Floats, count: Floats) -> Floats:
    return np.maximum(total / np.maximum(count, 1.0), LEAST_VARIANCE)


@dataclass(frozen=True, slots=True)
class VolatilityForecast:
    """Variances foretold for one horizon, each [symbols], NaN where there is none."""

    ewma: Floats
    garch: Floats
    naive: Floats


@dataclass(frozen=True, slots=True)
class Horizon:
    """The forecasts of the next so many minutes, and how those before them did.

    Attributes:
        made: the last forecasts, the oldest first; as many as the horizon has minutes, fewer at the start.
    """

    minutes: int
    made: tuple[VolatilityForecast, ...]
    ewma: Score
    garch: Score

    @classmethod
    def start(cls, minutes: int, symbols: int) -> Horizon:
        """Nothing has been foretold."""
        return cls(minutes, (), Score.start(symbols), Score.start(symbols))

    def step(self, recent: Floats, forecast: VolatilityForecast) -> Horizon:
        """Judge the forecast whose minutes have passed, and remember the one made now.

        Args:
            recent: the last squared returns, [minutes, symbols].
            forecast: made of them.
        """
        made = (*self.made, forecast)
        if len(made) <= self.minutes:
            return replace(self, made=made)
        due = made[0]
        realised = np.maximum(recent[-self.minutes :].sum(axis=0), self.minutes * LEAST_VARIANCE)
        naive = qlike(realised, due.naive)
        return replace(
            self,
            made=made[1:],
            ewma=self.ewma.add(qlike(realised, due.ewma), naive),
            garch=self.garch.add(qlike(realised, due.garch), naive),
        )


@dataclass(frozen=True, slots=True)
class Volatility:
    """What the volatility of the next minutes is expected to be.

    Attributes:
        recent: the last squared returns, each [symbols], `RECENT` of them.
    """

    recent: tuple[Floats, ...]
    garch: Garch
    horizons: tuple[Horizon, ...]

    @classmethod
    def start(cls, symbols: int) -> Volatility:
        """Before the first return."""
        return cls((np.full(symbols, np.nan),) * RECENT, Garch.start(symbols), _horizons(symbols))

    def next_day(self) -> Volatility:
        """The same models on another trading day, with nothing judged yet."""
        return replace(self, horizons=_horizons(len(self.recent[0])))

    def step(self, returns: Floats, ewma: Floats) -> Volatility:
        """One minute on.

        Args:
            returns: of the minute.
            ewma: exponentially weighted mean of the squared returns up to this one.
        """
        squares = returns**2
        recent = (*self.recent[1:], squares)
        stepped = Volatility(recent, self.garch.step(squares), self.horizons)
        window = np.stack(recent)
        mean = _mean(window)
        enough = ~np.isnan(mean) & (stepped.garch.count >= ENOUGH)
        horizons = []
        for horizon in self.horizons:
            minutes = horizon.minutes
            foretold = (minutes * ewma, stepped.garch.ahead(minutes), minutes * mean)
            usable = (np.where(enough, np.maximum(each, minutes * LEAST_VARIANCE), np.nan) for each in foretold)
            horizons.append(horizon.step(window, VolatilityForecast(*usable)))
        return replace(stepped, horizons=tuple(horizons))


def _mean(recent: Floats) -> Floats:
    """The naive forecast of one minute's variance, [symbols]; NaN where less than `ENOUGH` returns are known."""
    count = np.count_nonzero(~np.isnan(recent), axis=0)
    return np.where(count >= ENOUGH, np.nansum(recent, axis=0) / np.maximum(count, 1), np.nan)


def _horizons(symbols: int) -> tuple[Horizon, ...]:
    return tuple(Horizon.start(minutes, symbols) for minutes in HORIZONS)
