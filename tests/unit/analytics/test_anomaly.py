from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, stats
from sklearn.covariance import LedoitWolf

from tickstream.analytics.domain.anomaly.measures import (
    CUSUM_CLIP,
    CUSUM_LIMIT,
    CUSUM_SLACK,
    ENOUGH,
    Cusum,
    mahalanobis,
    robust_z,
)
from tickstream.core.columns import Floats

LEAST = np.array([1e-9, 1e-9, 1e-9])


def hour(symbols: int = 4, seed: int = 2) -> tuple[Floats, Floats]:
    """Sixty minutes of three correlated components, and the one after them."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(3, 3))
    values = np.einsum("ij,tjs->tis", mixing, rng.standard_t(5, (61, 3, symbols))) * np.array([1e-3, 2, 1e-4])[:, None]
    return values[:60], values[60]


def test_robust_z_is_that_of_scipy() -> None:
    past, now = hour()
    past[3:17, 1, 2] = np.nan
    found = robust_z(past, now, LEAST)
    median = np.nanmedian(past, axis=0)
    spread = stats.median_abs_deviation(past, axis=0, scale="normal", nan_policy="omit")
    np.testing.assert_allclose(found, (now - median) / spread, rtol=1e-4)


def test_where_most_minutes_are_alike_the_mean_deviation_stands_in() -> None:
    past = np.zeros((60, 1, 1))
    past[:10] = 1.0
    found = robust_z(past, np.array([[2.0]]), np.array([1e-9]))
    assert found[0, 0] == pytest.approx(2.0 / (1.2533 * 10 / 60))


def test_where_all_minutes_are_alike_the_least_deviation_counts() -> None:
    past = np.zeros((60, 1, 1))
    assert robust_z(past, np.array([[0.5]]), np.array([0.1]))[0, 0] == pytest.approx(5.0)


@pytest.mark.parametrize("minutes", [0, 1, ENOUGH - 1])
def test_too_few_minutes_say_nothing(minutes: int) -> None:
    past, now = hour()
    assert np.isnan(robust_z(past[:minutes], now, LEAST)).all()
    found = mahalanobis(past[:minutes], now, LEAST)
    assert np.isnan(found.distance).all()
    assert np.isnan(found.shares).all()


def test_the_distance_is_that_of_scikit_learns_shrunk_covariance() -> None:
    past, now = hour()
    past[:9, 1, 2] = np.nan
    found = mahalanobis(past, now, LEAST)
    for symbol in range(4):
        rows = past[~np.isnan(past[:, :, symbol]).any(axis=1), :, symbol]
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        standard = (now[:, symbol] - mean) / deviation
        shrunk = LedoitWolf().fit((rows - mean) / deviation)
        assert found.distance[symbol] ** 2 == pytest.approx(shrunk.mahalanobis(standard[None])[0], rel=1e-9)
        whitened = np.real(linalg.sqrtm(shrunk.get_precision())) @ standard
        np.testing.assert_allclose(found.shares[:, symbol], whitened**2 / np.sum(whitened**2), rtol=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 50))
def test_shares_add_up_to_one_and_point_at_what_is_unusual(seed: int, far: float) -> None:
    past, now = hour(seed=seed)
    found = mahalanobis(past, now, LEAST)
    np.testing.assert_allclose(found.shares.sum(axis=0), 1.0)
    assert (found.shares >= 0).all()
    odd = past.mean(axis=0)
    odd[1] += far * past[:, 1].std(axis=0)
    moved = mahalanobis(past, odd, LEAST)
    assert (np.argmax(moved.shares, axis=0) == 1).all() or (moved.distance < far).all()


def test_a_component_that_never_moved_has_no_share() -> None:
    past, now = hour()
    past[:, 1], now[1] = 3.0, 3.0
    found = mahalanobis(past, now, LEAST)
    np.testing.assert_allclose(found.shares[1], 0.0, atol=1e-12)
    assert np.isfinite(found.distance).all()


def test_where_nothing_ever_moved_the_least_deviations_measure() -> None:
    past, now = np.zeros((60, 3, 1)), np.array([[0.3], [0.0], [-0.4]])
    found = mahalanobis(past, now, np.array([0.1, 0.1, 0.1]))
    assert found.distance[0] == pytest.approx(5.0)
    np.testing.assert_allclose(found.shares[:, 0], [0.36, 0.0, 0.64])


def textbook(values: Floats) -> tuple[list[float], list[float]]:
    """The tabular CUSUM as Montgomery has it, begun again after an alarm."""
    ups, downs, up, down = [], [], 0.0, 0.0
    for value in values:
        x = min(max(value, -CUSUM_CLIP), CUSUM_CLIP)
        up = max(0.0, (up if up <= CUSUM_LIMIT else 0.0) + x - CUSUM_SLACK)
        down = max(0.0, (down if down <= CUSUM_LIMIT else 0.0) - x - CUSUM_SLACK)
        ups.append(up)
        downs.append(down)
    return ups, downs


@given(st.lists(st.floats(-20, 20), max_size=80))
def test_cumulative_sums_are_those_of_the_textbook(values: list[float]) -> None:
    state = Cusum.start(1, 1)
    ups, downs = textbook(np.array(values))
    for value, up, down in zip(values, ups, downs, strict=True):
        state = state.step(np.array([[value]]))
        assert (state.up[0, 0], state.down[0, 0]) == (up, down)
        assert state.changed[0, 0] == int(up > CUSUM_LIMIT) - int(down > CUSUM_LIMIT)


def test_a_shift_is_found_and_its_beginning_told() -> None:
    values = np.concatenate((np.random.default_rng(1).normal(0, 1, 200), np.full(30, 1.8)))
    state, found = Cusum.start(1, 1), []
    for minute, value in enumerate(values):
        state = state.step(np.array([[value]]))
        if state.changed[0, 0]:
            found.append(minute - int(state.rising[0, 0]) + 1)
    assert found
    assert abs(found[0] - 200) <= 5


def test_a_minute_without_a_value_changes_nothing() -> None:
    state = Cusum.start(1, 2).step(np.array([[2.0, 2.0]]))
    after = state.step(np.array([[np.nan, 2.0]]))
    assert (after.up[0, 0], after.rising[0, 0]) == (state.up[0, 0], state.rising[0, 0])
    assert after.rising[0, 1] == 2


def test_symbols_that_come_later_begin_at_nothing() -> None:
    grown = Cusum.start(2, 1).step(np.ones((2, 1))).grow(3)
    np.testing.assert_array_equal(grown.up, [[0.5, 0, 0], [0.5, 0, 0]])
