from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.producer.domain.progress import Marks

BOTH = {0: frozenset({"a"}), 1: frozenset({"a", "b"})}


def test_a_mark_waits_until_all_that_was_sent_before_it_has_arrived() -> None:
    marks = Marks(2)
    marks.note(100, BOTH, [5, 3])
    assert marks.ready([4, 2], [40, 20]) == []
    first = marks.ready([5, 2], [50, 20])
    assert [(mark.partition, mark.progress.source, mark.progress.ts_event, mark.progress.offset) for mark in first] == [
        (0, "a", 100, 50)
    ]
    rest = marks.ready([5, 3], [50, 30])
    assert [(mark.partition, mark.progress.source) for mark in rest] == [(1, "a"), (1, "b")]
    assert marks.ready([9, 9], [90, 90]) == []


def test_only_the_latest_of_several_true_marks_is_said() -> None:
    marks = Marks(1)
    for until, sent in ((10, 1), (20, 2), (30, 9)):
        marks.note(until, {0: frozenset({"a"})}, [sent])
    (mark,) = marks.ready([2], [7])
    assert (mark.progress.ts_event, mark.progress.final) == (20, False)


def test_a_final_mark_is_never_given_up_however_many_notes_wait() -> None:
    marks = Marks(1)
    marks.note(1, {0: frozenset({"done"})}, [1], final=True)
    for until in range(2, 500):
        marks.note(until, {0: frozenset({"a"})}, [until])
    said = {mark.progress.source: mark.progress for mark in marks.ready([1000], [1000])}
    assert said["done"].final
    assert said["a"].ts_event == 499


@given(st.lists(st.integers(0, 20), min_size=2, max_size=200).map(sorted), st.integers(0, 200))
def test_no_mark_promises_what_has_not_arrived(due: list[int], arrived: int) -> None:
    marks, arrived = Marks(1), min(arrived, len(due))
    for sent, upcoming in enumerate(due[1:], 1):
        marks.note(upcoming, {0: frozenset({"a"})}, [sent])
    for mark in marks.ready([arrived], [arrived]):
        assert all(time >= mark.progress.ts_event for time in due[arrived:])
