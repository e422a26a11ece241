from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from tickstream.analytics.domain.correlation.comoments import (
    BLOCK,
    ENOUGH,
    Comoments,
    RollingComoments,
    strongest,
    summary,
)
from tickstream.core.columns import Floats

SPANS: Final = (30, 60, None)


def market(minutes: int, symbols: int, missing: float = 0.1, seed: int = 5) -> Floats:
    """Returns with a factor in common, some of them missing; one symbol doesn't move for an hour."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(0, 5e-4, (minutes, 1))
    returns = factor * rng.uniform(-1, 2, symbols) + rng.standard_t(3, (minutes, symbols)) * 4e-4
    returns[rng.random(returns.shape) < missing] = np.nan
    returns[40:100, 0] = 0.0
    return returns


def frame(returns: Floats, row: int, span: int | None) -> pd.DataFrame:
    return pd.DataFrame(returns[max(row + 1 - (span or row + 1), 0) : row + 1])


@pytest.mark.parametrize("span", SPANS)
def test_correlations_are_those_of_pandas_over_the_common_minutes_of_each_pair(span: int | None) -> None:
    returns = market(200, 7)
    rolling = RollingComoments(span)
    for row in range(200):
        found = rolling.at(row, returns.__getitem__).comovement().correlation
        wanted = frame(returns, row, span).corr(min_periods=ENOUGH).to_numpy()
        flat = np.isnan(found)
        np.testing.assert_allclose(found[~flat], wanted[~flat], atol=1e-9)
        assert np.isnan(wanted[flat]).all() or 40 <= row < 130


def test_a_symbol_that_does_not_move_has_no_correlation() -> None:
    returns = market(120, 3, missing=0.0)
    found = RollingComoments(30).at(95, returns.__getitem__).comovement()
    assert np.isnan(found.correlation[0]).all()
    assert np.isnan(found.beta[:, 0]).all()
    assert found.correlation[1, 1] == pytest.approx(1.0)


def test_beta_is_the_slope_of_the_least_squares_line() -> None:
    returns = market(150, 4)
    found = RollingComoments(60).at(149, returns.__getitem__).comovement()
    window = frame(returns, 149, 60).to_numpy()
    for i, j in ((1, 2), (2, 1), (3, 1)):
        both = ~np.isnan(window[:, i]) & ~np.isnan(window[:, j])
        line = sm.OLS(window[both, i], sm.add_constant(window[both, j])).fit()
        assert found.beta[i, j] == pytest.approx(line.params[1], rel=1e-9)
        assert found.correlation[i, j] ** 2 == pytest.approx(line.rsquared, rel=1e-9)
        assert found.returns[i, j] == both.sum()


@given(st.lists(st.integers(0, 149), min_size=1, max_size=6), st.sampled_from(SPANS))
def test_the_minutes_asked_for_before_change_no_bit(rows: list[int], span: int | None) -> None:
    returns = market(150, 3)
    followed, jumped = RollingComoments(span), RollingComoments(span)
    for row in range(rows[-1] + 1):
        followed.at(row, returns.__getitem__)
    for row in rows:
        jumped.at(row, returns.__getitem__)
    row = rows[-1]
    np.testing.assert_array_equal(jumped.at(row, returns.__getitem__).sums, followed.at(row, returns.__getitem__).sums)


def test_a_revised_return_counts_as_if_it_had_come_at_first() -> None:
    returns = market(130, 3)
    rolling = RollingComoments(60)
    rolling.at(120, returns.__getitem__)
    revised = returns.copy()
    revised[100] = 1e-3
    rolling.rewind(100)
    afresh = RollingComoments(60).at(121, revised.__getitem__)
    np.testing.assert_array_equal(rolling.at(121, revised.__getitem__).sums, afresh.sums)


def test_a_symbol_that_comes_later_changes_no_bit_of_the_others() -> None:
    returns = market(130, 4)
    returns[:100, 3] = np.nan
    grown, whole = RollingComoments(60), RollingComoments(60)
    grown.at(95, returns[:, :3].__getitem__)
    np.testing.assert_array_equal(grown.at(129, returns.__getitem__).sums, whole.at(129, returns.__getitem__).sums)


def test_rounding_errors_do_not_outlive_a_block() -> None:
    """A return of 40 percent leaves nothing behind once the window's sums have been made anew."""
    returns = market(300, 3, missing=0.0)
    returns[50] = 0.4
    rolling = RollingComoments(30)
    for row in range(300):
        sums = rolling.at(row, returns.__getitem__).sums.copy()
        exact = Comoments(3)
        for each in frame(returns, row, 30).to_numpy():
            exact.add(each)
        assert np.max(np.abs(sums - exact.sums)) < 1e-15
        if row % BLOCK == 0:
            np.testing.assert_array_equal(sums, exact.sums)


def test_the_strongest_come_first_either_sign() -> None:
    found = strongest(np.array([[0.1, np.nan, -0.9, 0.5, 0.5], [np.nan, 0.2, np.nan, 0.3, -0.4]]), 3)
    assert found.tolist() == [[2, 3, 4], [4, 3, 1]]


def test_the_market_is_summed_up_by_its_mean_correlation_and_first_eigenvalue() -> None:
    returns = market(200, 6, missing=0.0)
    correlation = RollingComoments(None).at(199, returns.__getitem__).comovement().correlation
    found = summary(correlation)
    wanted = np.corrcoef(returns, rowvar=False)
    assert found["mean"] == pytest.approx((wanted.sum() - 6) / 30, rel=1e-9)
    assert found["first_eigenvalue_share"] == pytest.approx(max(np.linalg.eigvals(wanted).real) / 6, rel=1e-9)
    assert (found["symbols"], found["pairs"]) == (6, 15)
    assert summary(np.full((3, 3), np.nan)) == {}
