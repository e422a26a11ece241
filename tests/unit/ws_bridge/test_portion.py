from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.portion import Portion

LARGEST = 2_000_000
FLUSH = 0.05


def flushes(portion: Portion, rate: float, seconds: float, waiting: float = 1e12) -> list[float]:
    """How long each frame took a client that takes so many bytes a second, if so many wait for it at the most."""
    now, left, went, took = 0.0, 0.0, 0.0, []
    while now < seconds:
        now += FLUSH
        left = max(0.0, left - rate * FLUSH)
        portion.looked(now, taken=not left)
        if not left:
            if went:
                took.append(now - went)
            left = min(waiting, portion.share * LARGEST)
            portion.went(now, full=left < waiting)
            went = now
    return took


@pytest.mark.parametrize("rate", [20_000, 100_000, 1_000_000, 20_000_000])
def test_frames_come_to_what_a_client_takes_within_some_looks(rate: float) -> None:
    took = flushes(Portion(), rate, 60)
    assert len(took) > 60
    assert max(took[10:]) < 1.0


def test_a_fast_client_gets_the_largest_frames_after_a_few() -> None:
    portion = Portion()
    flushes(portion, 1e9, 0.5)
    assert portion.share == 1.0


def test_small_frames_prove_nothing() -> None:
    portion = Portion()
    before = portion.share
    flushes(portion, 20_000, 10, waiting=500)
    assert portion.share == before


def test_looks_that_stop_while_nothing_waits_are_no_slowness() -> None:
    portion = Portion()
    before = portion.share
    portion.went(0.0, full=False)
    portion.looked(100.0, taken=True)
    assert portion.share == before


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.booleans())))
def test_there_is_always_something_to_send(acts: list[tuple[float, bool, bool]]) -> None:
    portion, now = Portion(), 0.0
    for elapsed, taken, full in acts:
        now += elapsed
        portion.looked(now, taken=taken)
        if taken:
            portion.went(now, full=full)
        assert 1 / 512 <= portion.share <= 1
