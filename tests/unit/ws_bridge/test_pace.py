from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.pace import CommandBudget, Pace, Tempo


@given(st.floats(0.1, 30), st.lists(st.floats(0.02, 0.2), min_size=50, max_size=300))
def test_frames_never_come_more_often_than_max_hz_allows(max_hz: float, steps: list[float]) -> None:
    pace = Pace(max_hz, tolerance=0.01)
    now = start = 1_000.0
    sent = 0
    for step in steps:
        now += step
        if pace.due(now):
            pace.went(now)
            sent += 1
    assert sent <= (now - start) * max_hz + 2


@given(
    st.floats(0.1, 9),
    st.lists(st.floats(0.005, 0.1), min_size=20, max_size=400),
    st.sampled_from((None, 10, 1)),
)
def test_frames_come_as_often_as_max_hz_allows_in_the_long_run(
    max_hz: float, steps: list[float], rung: float | None
) -> None:
    """Whatever the grid of the flushes, and of the client's rung above it."""
    pace, above = Pace(max_hz, tolerance=0.005), Pace(rung, tolerance=0.005)
    now = start = 1_000.0
    sent = 0
    for step in steps:
        now += step
        if above.due(now) and pace.due(now):
            pace.went(now)
            above.went(now)
            sent += 1
    slower = min(max_hz, rung or max_hz)
    assert sent <= (now - start) * slower + 2
    if rung is None or rung >= 2 * max_hz:
        assert sent >= (now - start) * slower - 1


def test_commands_beyond_the_rate_are_refused_until_time_has_passed() -> None:
    budget = CommandBudget(10, now=0.0)
    assert [budget.spend(0.0) for _ in range(25)] == [True] * 20 + [False] * 5
    assert [budget.spend(0.5) for _ in range(10)] == [True] * 5 + [False] * 5


def interval(busy: float, rate: float = 0.0, frames: int = 200, least: float = 0.01, most: float = 0.25) -> float:
    tempo = Tempo(least, most)
    tempo.flushed(busy, rate, frames)
    return tempo.interval


def test_flushes_leave_the_loop_two_fifths_of_its_time_between_their_bounds() -> None:
    intervals = [interval(busy) for busy in (0.0, 0.006, 0.03, 0.12, 0.15, 9.0)]
    assert intervals == pytest.approx([0.01, 0.01, 0.05, 0.2, 0.25, 0.25])
    assert interval(1.0, least=0.5, most=0.25) == 0.5


def test_who_gets_many_records_gets_them_in_fewer_frames() -> None:
    assert [interval(0.0, rate) for rate in (20, 400, 1_000, 50_000)] == pytest.approx([0.01, 0.02, 0.05, 0.05])
    assert interval(0.06, rate=50_000) == pytest.approx(0.1)
    assert interval(0.0, rate=50_000, most=0.02) == 0.02


def test_few_clients_get_many_records_as_soon_as_can_be() -> None:
    assert [interval(0.0, 50_000, frames) for frames in (1, 20, 60, 100)] == pytest.approx([0.01, 0.01, 0.03, 0.05])
    assert interval(0.03, 50_000, frames=1) == pytest.approx(0.05)


@given(st.floats(0, 1), st.floats(0, 1e6))
def test_what_has_come_waits_for_more_a_sixth_of_what_it_waits_for_a_flush(busy: float, rate: float) -> None:
    tempo = Tempo(0.01, 0.25)
    assert tempo.gathering == pytest.approx(0.01 / 6)
    tempo.flushed(busy, rate, 100)
    assert 0.01 <= tempo.interval <= 0.25
    assert tempo.gathering == pytest.approx(tempo.interval / 6)


def test_what_comes_during_a_flush_waits_for_the_next_only_where_frames_have_many_records() -> None:
    tempo = Tempo(0.01, 0.25)
    seen = []
    for busy, rate in ((0.012, 50), (0.012, 400), (0.2, 4_000), (0.12, 1), (0.0, 0.0)):
        tempo.flushed(busy, rate, 100)
        seen.append(tempo.gathers)
    assert seen == [False, True, True, False, False]
