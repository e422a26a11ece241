from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.ladder import Ladder, Patience, Step

PATIENCE = Patience(step=5.0, limit=10.0, recover=15.0)
FLUSH = 0.1


def ladder() -> Ladder:
    return Ladder(PATIENCE, tolerance=0.005)


def climb(
    one: Ladder, seconds: float, keeps_up: Callable[[Ladder], bool], start: float = 100.0
) -> Iterator[tuple[float, Step]]:
    """Look at a client at each flush, as the bridge does, and give its steps and when they came."""
    for number in range(round(seconds / FLUSH)):
        now = start + number * FLUSH
        if one.due(now):
            taken = keeps_up(one)
            if taken:
                one.went(now)
            step = one.judge(now, taken=taken)
            if step is not None:
                yield now - start, step
            if step is Step.OFF:
                return


def test_a_client_that_takes_nothing_goes_down_rung_by_rung_and_off() -> None:
    one = ladder()
    steps = list(climb(one, 60, lambda _one: False))
    assert [step for _at, step in steps] == [Step.DOWN, Step.DOWN, Step.OFF]
    assert [at for at, _step in steps] == pytest.approx([5, 10, 20], abs=3 * FLUSH)


def test_a_client_that_keeps_up_stays_at_full_rate() -> None:
    one = ladder()
    assert list(climb(one, 600, lambda _one: True)) == []
    assert one.rate_hz is None


def test_a_hiccup_costs_nothing() -> None:
    one = ladder()
    looks = iter(range(10_000))
    assert list(climb(one, 300, lambda _one: next(looks) % 100 >= 40)) == []


def test_a_client_that_is_behind_more_often_than_not_goes_down() -> None:
    one = ladder()
    looks = iter(range(10_000))
    steps = list(climb(one, 60, lambda _one: next(looks) % 30 == 0))
    assert steps[0][1] is Step.DOWN


def test_a_long_way_to_the_client_is_no_slowness() -> None:
    """Over polling a frame waits until the client has come back for it."""
    one = ladder()
    looks = iter(range(10_000))
    assert list(climb(one, 300, lambda _one: next(looks) % 9 == 0)) == []


def test_a_client_far_away_is_let_up_like_any_other() -> None:
    one = ladder()
    list(climb(one, 11, lambda _one: False))
    looks = iter(range(10_000))
    steps = list(climb(one, 60, lambda _one: next(looks) % 4 == 0, start=200))
    assert [step for _at, step in steps] == [Step.UP, Step.UP]


def test_who_keeps_up_again_is_let_up_rung_by_rung() -> None:
    one = ladder()
    list(climb(one, 11, lambda _one: False))
    assert one.rate_hz == 1
    steps = list(climb(one, 60, lambda _one: True, start=200))
    assert [step for _at, step in steps] == [Step.UP, Step.UP]
    assert [at for at, _step in steps] == pytest.approx([15, 30], abs=1.1)
    assert one.rate_hz is None


def test_a_client_that_cant_hold_a_rung_is_let_up_less_and_less_often() -> None:
    one = ladder()
    steps = list(climb(one, 4_000, lambda at: at.rate_hz is not None))
    ups = [at for at, step in steps if step is Step.UP]
    waits = [later - earlier for earlier, later in pairwise(ups)]
    assert waits[:4] == pytest.approx([35, 65, 125, 245], abs=3)
    assert waits[-1] == pytest.approx(245, abs=3)
    assert {step for _at, step in steps} == {Step.UP, Step.DOWN}


def test_after_holding_full_rate_the_next_time_is_like_the_first() -> None:
    one = ladder()
    list(climb(one, 1_000, lambda at: at.rate_hz is not None))
    list(climb(one, 600, lambda _one: True, start=2_000))
    assert one.rate_hz is None
    list(climb(one, 6, lambda _one: False, start=3_000))
    assert one.rate_hz == 10
    [(at, step)] = list(climb(one, 16, lambda _one: True, start=4_000))
    assert step is Step.UP
    assert at == pytest.approx(15, abs=2 * FLUSH)


def test_overflow_slows_a_client_down_but_isnt_held_against_it_on_a_lower_rung() -> None:
    one = ladder()
    steps = {}
    for number in range(210):
        if number % 5 == 0:
            one.overflowed(100 + number * FLUSH)
        steps[number] = one.judge(100 + number * FLUSH, taken=True)
    assert [(number, step) for number, step in steps.items() if step is not None] == [(50, Step.DOWN), (201, Step.UP)]


def test_silence_is_no_evidence() -> None:
    one = ladder()
    for number in range(50):
        assert one.judge(100 + number * 60.0, taken=False) is None


LOOKS = st.lists(st.tuples(st.floats(0.01, 4.0), st.booleans(), st.booleans()), max_size=400)


@given(LOOKS)
def test_no_step_without_the_evidence_for_it(looks: list[tuple[float, bool, bool]]) -> None:
    one = ladder()
    now = late_since = fine_since = overflow = 0.0
    rung, untaken, last_late, behind = 0, 0, False, 0.0
    for wait, taken, overflowed in looks:
        now += wait
        if overflowed:
            one.overflowed(now)
            overflow = now
        late = not taken or (rung == 0 and now - overflow < 1)
        # The most that can be held against the client: all the time between looks that both found it behind.
        behind += wait if late and last_late else 0.0
        if not late or not last_late or wait > 3:
            late_since = now
        if late and now - late_since >= 1:
            fine_since = now
        last_late = late
        step = one.judge(now, taken=taken)
        assert one.rung == rung + {None: 0, Step.DOWN: 1, Step.UP: -1, Step.OFF: 0}[step]
        if step is Step.UP:
            assert taken
            assert now - fine_since >= PATIENCE.recover
            fine_since = now
        elif step is not None:
            assert late
            assert behind >= (PATIENCE.limit if step is Step.OFF else PATIENCE.step)
            assert (step is Step.OFF) == (rung == 2)
        # What a transport that takes nothing is told is bounded: two steps down, and the end.
        untaken = 0 if taken else untaken + (step is not None)
        assert untaken <= 3 or step is Step.OFF
        if step is not None:
            behind = 0.0
        rung = one.rung


@given(LOOKS)
def test_whoever_takes_every_frame_in_time_goes_up_only(looks: list[tuple[float, bool, bool]]) -> None:
    one = ladder()
    list(climb(one, 11, lambda _one: False))
    now, steps = 200.0, []
    for wait, _taken, _overflowed in looks:
        now += wait
        steps.append(one.judge(now, taken=True))
    assert set(steps) <= {None, Step.UP}
    assert now - 200 < 60 or one.rate_hz is None


def test_a_client_that_wants_more_than_the_node_can_do_goes_down_although_it_takes_everything() -> None:
    one = ladder()
    steps = []
    for number in range(300):
        now = 100 + number * FLUSH
        if one.due(now):
            one.went(now)
            steps.append(one.judge(now, taken=True, too_much=True))
    told = [step for step in steps if step is not None]
    assert told[:3] == [Step.DOWN, Step.DOWN, Step.OFF]
    assert set(told[3:]) <= {Step.OFF}
