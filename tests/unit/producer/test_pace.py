from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tickstream.producer.domain.pace import Pacer

SECOND = 1_000_000_000
T0 = 1_381_239_000 * SECOND


def test_event_time_runs_at_the_speed_against_the_clock() -> None:
    pacer = Pacer(60.0, T0, 1000.0)
    assert pacer.due(1000.0) == T0
    assert pacer.due(1002.5) == T0 + 150 * SECOND
    assert pacer.wait(T0 + 60 * SECOND, 1000.0) == 1.0


def test_max_speed_waits_for_nothing() -> None:
    pacer = Pacer(math.inf, T0, 1000.0)
    assert pacer.due(1000.0) > T0 + 10**18
    assert pacer.wait(T0 + 10**18, 1000.0) == 0.0


@given(st.lists(st.floats(0.0, 30.0), max_size=50), st.sampled_from([0.5, 1.0, 7.0, 60.0]))
def test_delays_do_not_add_up(pauses: list[float], speed: float) -> None:
    """However irregularly the clock is looked at, what is due depends on the time alone."""
    pacer, now = Pacer(speed, T0, 50.0), 50.0
    for pause in pauses:
        now += pause
        elapsed = (pacer.due(now) - T0) / SECOND / speed
        assert math.isclose(elapsed, now - 50.0, abs_tol=1e-6)


@given(st.integers(0, 10**15), st.sampled_from([0.5, 1.0, 60.0]))
def test_a_trade_is_due_after_its_wait_and_not_a_millisecond_before(ahead: int, speed: float) -> None:
    pacer = Pacer(speed, T0, 0.0)
    wait = pacer.wait(T0 + ahead, 0.0)
    assert pacer.due(wait + 0.001) >= T0 + ahead
    assert pacer.due(wait - 0.001) < T0 + ahead


def test_a_new_speed_goes_on_from_where_the_event_time_is() -> None:
    pacer = Pacer(math.inf, T0, 0.0)
    pacer.rebase(10.0, T0 + 100 * SECOND, 5.0)
    assert pacer.due(5.0) == T0 + 100 * SECOND
    assert pacer.due(6.0) == T0 + 110 * SECOND
