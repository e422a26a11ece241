from __future__ import annotations

from collections.abc import Iterable

import arch.univariate as models
import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.analytics.domain.forecast.direction import PRIOR, Direction
from tickstream.analytics.domain.forecast.score import JUDGED, Score
from tickstream.analytics.domain.forecast.volatility import (
    ALPHAS,
    ENOUGH,
    HORIZONS,
    LEAST_VARIANCE,
    PERSISTENCES,
    RECENT,
    Garch,
    Volatility,
    VolatilityForecast,
)
from tickstream.core.columns import Floats

SEEDS = st.integers(0, 1000)
EWMA = np.array(1e-7)


def garch_returns(minutes: int, symbols: int, alpha: float, beta: float, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    shocks, returns = rng.normal(size=(minutes, symbols)), np.zeros((minutes, symbols))
    variance = np.full(symbols, 2.5e-7)
    for row in range(minutes):
        returns[row] = np.sqrt(variance) * shocks[row]
        variance = (1 - alpha - beta) * 2.5e-7 + alpha * returns[row] ** 2 + beta * variance
    return returns


def some_missing(returns: Floats, seed: int) -> Floats:
    returns = returns.copy()
    returns[np.random.default_rng(seed).random(returns.shape) < 0.1] = np.nan
    return returns


def volatility(returns: Floats) -> Volatility:
    state = Volatility.start(returns.shape[1])
    for row in returns:
        state = state.step(row, EWMA)
    return state


def direction(returns: Floats) -> Direction:
    state = Direction.start(returns.shape[1])
    for row in returns:
        state = state.step(row)
    return state


def last(state: Volatility) -> Iterable[VolatilityForecast]:
    return (horizon.made[-1] for horizon in state.horizons)


def garch(returns: Floats) -> Garch:
    state = Garch.start(returns.shape[1])
    for row in returns:
        state = state.step(row**2)
    return state


def test_variances_and_forecasts_are_those_of_arch_weighted_by_its_likelihoods() -> None:
    """That the mean is a running one is taken out by beginning with it."""
    returns = garch_returns(1500, 1, 0.1, 0.85)
    usual = float(np.mean(returns**2))
    state = Garch(np.array([1e12 * usual]), np.array([1e12]), np.full((25, 1), usual), np.zeros((25, 1)))
    for row in returns:
        state = state.step(row**2)
    likelihoods, sums = [], []
    for place, (alpha, persistence) in enumerate((a, p) for a in ALPHAS for p in PERSISTENCES):
        model = models.ZeroMean(1e4 * returns[:, 0], volatility=models.GARCH(), rescale=False)
        fixed = model.fix([(1 - persistence) * usual * 1e8, alpha, persistence - alpha])
        ahead = fixed.forecast(horizon=30, reindex=False).variance.to_numpy()[0] / 1e8
        assert state.variance[place, 0] == pytest.approx(ahead[0], rel=1e-6)
        variances = np.empty(1500)
        model.volatility.compute_variance(
            fixed.params.to_numpy(), model.y, variances, usual * 1e8, np.full((1500, 2), (0, np.inf))
        )
        likelihoods.append(model.distribution.loglikelihood([], model.y, variances))
        sums.append([ahead[:minutes].sum() for minutes in HORIZONS])
    weights = np.exp(np.array(likelihoods) - max(likelihoods))
    np.testing.assert_allclose(state.weights[:, 0], weights / weights.sum(), rtol=1e-6)
    for minutes, wanted in zip(HORIZONS, np.array(sums).T, strict=True):
        assert state.ahead(minutes)[0] == pytest.approx(np.average(wanted, weights=state.weights[:, 0]), rel=1e-6)


def test_the_parameters_are_about_those_that_arch_finds() -> None:
    returns = garch_returns(3000, 1, 0.1, 0.85)
    alpha, beta = garch(returns).parameters
    best = arch_model(1e4 * returns[:, 0], mean="Zero", rescale=False).fit(disp="off")
    assert alpha[0] == pytest.approx(best.params["alpha[1]"], abs=0.03)
    assert beta[0] == pytest.approx(best.params["beta[1]"], abs=0.05)


def test_the_losses_are_those_of_forecasts_against_what_came() -> None:
    returns = garch_returns(150, 2, 0.15, 0.8)
    states = [Volatility.start(2)]
    for row in returns:
        states.append(states[-1].step(row, EWMA))
    for place, minutes in enumerate(HORIZONS):
        losses = []
        for made in range(ENOUGH, 150 - minutes + 1):
            foretold = states[made].horizons[place].made[-1]
            realised = (returns[made : made + minutes] ** 2).sum(axis=0)
            recent = (returns[max(made - RECENT, 0) : made] ** 2).mean(axis=0) * minutes
            np.testing.assert_allclose(foretold.naive, recent, rtol=1e-12)
            losses.append([realised / h - np.log(realised / h) - 1 for h in (foretold.garch, foretold.naive)])
        score = states[-1].horizons[place].garch
        np.testing.assert_allclose([score.loss, score.naive_loss], np.mean(losses, axis=0), rtol=1e-9)
        assert score.judged.tolist() == [len(losses)] * 2


def test_a_forecast_beats_the_naive_one_where_volatility_clusters_and_says_so() -> None:
    score = volatility(garch_returns(800, 20, 0.2, 0.75)).horizons[0].garch
    assert score.beats_naive.mean() > 0.8
    assert score.beats_naive.tolist() == (score.loss < score.naive_loss).tolist()


def test_nothing_is_said_to_beat_the_naive_one_before_enough_was_judged() -> None:
    score = Score.start(1)
    for number in range(JUDGED):
        assert score.beats_naive[0] == 0
        score = score.add(np.array([1.0]), np.array([2.0]))
        assert score.judged[0] == number + 1
    assert score.beats_naive[0] == 1
    assert score.add(np.array([np.nan]), np.array([0.0])).judged[0] == JUDGED
    assert score.add(np.array([1e3]), np.array([0.0])).beats_naive[0] == 0


def test_a_price_that_never_moves_has_the_least_volatility() -> None:
    for forecast, minutes in zip(last(volatility(np.zeros((60, 1)))), HORIZONS, strict=True):
        assert forecast.naive[0] == minutes * LEAST_VARIANCE
        assert forecast.garch[0] == pytest.approx(minutes * LEAST_VARIANCE)


@given(SEEDS, st.integers(1, 99))
@settings(max_examples=10)
def test_what_comes_later_changes_no_forecast(seed: int, at: int) -> None:
    one = some_missing(garch_returns(100, 4, 0.1, 0.8, seed), seed)
    other = np.vstack((one[:at], 10 * garch_returns(100 - at, 4, 0.2, 0.6, seed + 1)))
    made: list[list[Floats]] = []
    for returns in (one, other):
        states, chances = [Volatility.start(4)], [Direction.start(4)]
        for row in returns:
            states.append(states[-1].step(row, EWMA))
            chances.append(chances[-1].step(row))
        made.append([f for foretold in last(states[at]) for f in (foretold.garch, foretold.naive)])
        made[-1] += [chances[at].probability, chances[at].naive]
    np.testing.assert_array_equal(made[0], made[1])


def frequencies(returns: Floats) -> tuple[Floats, Floats]:
    """The chance of a rise after the last minute, and the naive one, by counting with pandas."""
    chances, naive = [], []
    for column in returns.T:
        sign = pd.Series(np.sign(column))
        kind = 10 * sign + sign.shift()
        after = pd.DataFrame({"kind": kind.shift(), "sign": sign}).dropna().query("sign != 0")
        alike = after[after["kind"] == kind.iloc[-1]]["sign"]
        chances.append(((alike > 0).sum() + PRIOR / 2) / (len(alike) + PRIOR))
        naive.append(((after["sign"] > 0).sum() + PRIOR / 2) / (len(after) + PRIOR))
    return np.array(chances), np.array(naive)


@given(SEEDS)
@settings(max_examples=10)
def test_chances_are_frequencies_after_minutes_alike(seed: int) -> None:
    returns = np.round(garch_returns(80, 3, 0.1, 0.8, seed) / 5e-4) * 5e-4
    returns[:-2] = some_missing(returns[:-2], seed)
    state = direction(returns)
    chances, naive = frequencies(returns)
    np.testing.assert_allclose(state.probability, chances, rtol=1e-12)
    np.testing.assert_allclose(state.naive, naive, rtol=1e-12)


def test_a_market_without_memory_is_foretold_by_about_one_half_and_that_does_not_count_as_better() -> None:
    state = direction(np.random.default_rng(4).normal(0, 5e-4, (390, 100)))
    assert np.abs(state.probability - 0.5).max() < 0.15
    assert state.score.loss.mean() >= state.score.naive_loss.mean() - 1e-4


def test_chances_are_as_frequent_as_they_say_where_there_is_memory() -> None:
    rng = np.random.default_rng(8)
    signs = np.ones((2000, 20))
    for row in range(1, 2000):
        signs[row] = signs[row - 1] * np.where(rng.random(20) < 0.3, 1, -1)
    state, chances, ups = Direction.start(20), np.empty((2000, 20)), signs > 0
    for row, sign in enumerate(signs):
        chances[row] = state.probability
        state = state.step(sign * 5e-4)
    chances, ups = chances[500:], ups[500:]
    for low in (0.2, 0.3, 0.6, 0.7):
        chosen = (chances >= low) & (chances < low + 0.1)
        assert chosen.sum() > 200
        assert ups[chosen].mean() == pytest.approx(chances[chosen].mean(), abs=0.05)
    assert state.score.beats_naive.all()
    assert state.score.naive_loss.mean() == pytest.approx(0.25, abs=0.01)
