from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.pace import CommandBudget, Pace, Patience, Verdict, flush_interval


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


def test_commands_beyond_the_rate_are_refused_until_time_has_passed() -> None:
    budget = CommandBudget(10, now=0.0)
    assert [budget.spend(0.0) for _ in range(25)] == [True] * 20 + [False] * 5
    assert [budget.spend(0.5) for _ in range(10)] == [True] * 5 + [False] * 5


def test_a_client_is_warned_once_and_given_up_after_the_limit() -> None:
    patience = Patience(warn_after=2, limit=5)
    verdicts = [patience.judge(now / 2, behind=True) for now in range(12)]
    assert verdicts.count(Verdict.WARN) == 1
    assert verdicts.index(Verdict.WARN) == 4
    assert verdicts.index(Verdict.GIVE_UP) == 10


def test_catching_up_and_silence_both_begin_anew() -> None:
    patience = Patience(warn_after=2, limit=5)
    for now in (0, 1, 2, 3, 4):
        patience.judge(now, behind=True)
    patience.judge(4.5, behind=False)
    assert patience.judge(5, behind=True) is Verdict.FINE
    assert patience.judge(60, behind=True) is Verdict.FINE


def test_flushes_take_a_fifth_of_the_time_between_their_bounds() -> None:
    intervals = [flush_interval(busy, 0.01, 0.25) for busy in (0.0, 0.001, 0.01, 0.04, 0.1, 9.0)]
    assert intervals == pytest.approx([0.01, 0.01, 0.05, 0.2, 0.25, 0.25])
    assert flush_interval(1.0, least=0.5, most=0.25) == 0.5
