from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.lateness import Lateness

SECOND = 1_000_000_000
LIMIT = 2.0


class Node:
    """Flushes ten times a second, and looks as often."""

    def __init__(self) -> None:
        self.lateness = Lateness(LIMIT)
        self.tenths = 0
        self.told: list[tuple[str, float]] = []

    def flush(self, late: float | None) -> None:
        """A tenth of a second with a record that is so late, or with none."""
        self.tenths += 1
        now_ns = self.tenths * SECOND // 10
        if late is not None:
            self.lateness.taken(now_ns - round(late * SECOND))
        self.lateness.flush_began()
        self.lateness.flush_ended(now_ns)
        self.look()

    def look(self) -> None:
        code = self.lateness.judge(self.tenths / 10, self.tenths * SECOND // 10)
        if code is not None:
            self.told.append((code, round(self.lateness.lag, 1)))

    def go_on(self, seconds: int, late: float | None) -> None:
        for _ in range(10 * seconds):
            self.flush(late)


def test_a_lag_is_told_once_and_its_end_too() -> None:
    node = Node()
    node.go_on(30, 0.1)
    assert node.told == []
    node.go_on(30, 2.5)
    assert node.told == [("lagging", 2.5)]
    node.go_on(30, 1.5)
    assert node.lateness.lagging
    node.go_on(30, 0.1)
    assert node.told == [("lagging", 2.5), ("caught_up", 0.1)]


def test_a_hiccup_is_not_told() -> None:
    node = Node()
    for _ in range(20):
        node.go_on(3, 0.1)
        node.flush(9.0)
    assert node.told == []


def test_a_good_moment_is_not_told() -> None:
    node = Node()
    node.go_on(5, 5.0)
    for _ in range(20):
        node.go_on(1, 0.1)
        node.go_on(1, 5.0)
    assert node.told == [("lagging", 5.0)]


def test_a_lag_that_grows_is_told_whenever_it_has_doubled() -> None:
    node = Node()
    for tenth in range(600):
        node.flush(3 + tenth / 10)
    lags = [lag for _code, lag in node.told]
    assert {code for code, _lag in node.told} == {"lagging"}
    assert len(lags) == 4
    assert all(2 * earlier <= later for earlier, later in pairwise(lags))


def test_nothing_to_send_is_not_late() -> None:
    node = Node()
    node.go_on(5, 5.0)
    node.go_on(5, None)
    assert node.told == [("lagging", 5.0), ("caught_up", 0.0)]


def test_what_is_stuck_in_a_flush_is_late() -> None:
    node = Node()
    node.lateness.taken(0)
    node.lateness.flush_began()
    for _ in range(60):
        node.tenths += 1
        node.look()
    assert node.told[0][0] == "lagging"


def test_what_has_another_excuse_does_not_count() -> None:
    node = Node()
    for _ in range(100):
        node.flush(5.0)
        node.lateness.forget()
    assert node.told == []


@given(st.lists(st.tuples(st.integers(1, 5), st.none() | st.floats(0, 20)), max_size=20))
def test_lagging_and_caught_up_take_turns(course: list[tuple[int, float | None]]) -> None:
    node = Node()
    for seconds, late in course:
        node.go_on(seconds, late)
    codes = [code for code, _lag in node.told]
    assert not codes or codes[0] == "lagging"
    assert "caught_up caught_up" not in " ".join(codes)
    assert all(lag >= LIMIT for (code, lag), before in zip(node.told, ["caught_up", *codes], strict=False)
               if code == "lagging" and before == "caught_up")  # fmt: skip
    assert all(lag < LIMIT for code, lag in node.told if code == "caught_up")
