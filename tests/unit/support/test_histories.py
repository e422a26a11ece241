"""The checker of histories finds each anomaly that is planted, and nothing in a sound history."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.histories import Kind, Outcome, Poll, Read, Send, anomalies


def send(value: str, outcome: Outcome = "ok", offset: int | None = None, sender: str = "p") -> Send:
    return Send("log", value.encode(), outcome, sender, offset)


def poll(*reads: tuple[int, str], reader: str = "r") -> Poll:
    return Poll(reader, tuple(Read("log", offset, value.encode()) for offset, value in reads))


def kinds(sends: list[Send], *polls: Poll, to_the_end: bool = False) -> set[Kind]:
    return {found.kind for found in anomalies(sends, polls, to_the_end=to_the_end)}


ABC = [send("a"), send("b"), send("c")]


def test_holes_that_transactions_leave_are_no_anomaly() -> None:
    sends = [send("a", offset=0), send("x", "failed"), send("b", offset=5), send("c", "unknown")]
    assert kinds(sends, poll((0, "a")), poll((5, "b")), to_the_end=True) == set()


def test_another_reader_and_another_assignment_begin_anew() -> None:
    assert kinds(ABC, poll((0, "a"), (1, "b")), poll((0, "a"), (1, "b"), (2, "c"), reader="r after it")) == set()


def test_what_nobody_has_read_yet_is_not_lost() -> None:
    assert kinds(ABC, poll((0, "a"))) == set()
    assert kinds([send("a", offset=0), send("b", offset=1)], poll((0, "a"))) == set()


def test_a_committed_record_that_readers_have_passed_is_lost() -> None:
    assert kinds(ABC, poll((0, "a"), (2, "c"))) == {"lost write"}
    known = [send("a", offset=0), send("b", offset=1, sender="q"), send("c", offset=2)]
    assert kinds(known, poll((2, "c"))) == {"lost write"}
    assert kinds(ABC, poll((0, "a"), (1, "b")), to_the_end=True) == {"lost write"}


def test_a_record_of_unknown_outcome_may_be_there_or_not() -> None:
    sends = [send("a"), send("b", "unknown"), send("c")]
    assert kinds(sends, poll((0, "a"), (2, "c")), to_the_end=True) == set()
    assert kinds(sends, poll((0, "a"), (1, "b"), (2, "c")), to_the_end=True) == set()


def test_a_read_of_what_was_aborted_is_found() -> None:
    assert kinds([send("a"), send("b", "failed")], poll((0, "a"), (1, "b"))) == {"aborted read"}


def test_a_read_of_what_nobody_sent_is_found() -> None:
    assert kinds([send("a")], poll((0, "a"), (1, "z"))) == {"unsent read"}


def test_a_record_that_stands_twice_is_a_duplicate() -> None:
    assert kinds(ABC, poll((0, "a"), (1, "b"), (2, "a"), (3, "c"))) == {"duplicate"}


def test_records_of_one_sender_in_another_order_are_found() -> None:
    assert kinds(ABC, poll((0, "a"), (1, "c"), (2, "b"))) == {"reordered sends"}
    assert kinds([send("a"), send("b", sender="q")], poll((0, "b"), (1, "a"))) == set()


def test_two_values_at_one_offset_are_found() -> None:
    assert kinds(ABC, poll((0, "a"), (1, "b")), poll((1, "c"), reader="other")) >= {"inconsistent offset"}


def test_a_poll_that_goes_back_is_found() -> None:
    assert kinds(ABC, poll((0, "a"), (2, "c"), (1, "b"))) >= {"nonmonotonic poll"}
    assert kinds(ABC, poll((0, "a"), (1, "b")), poll((1, "b"), (2, "c"))) == {"nonmonotonic polls"}


def test_a_poll_that_leaves_a_known_record_out_is_found() -> None:
    whole = poll((0, "a"), (1, "b"), (2, "c"), reader="other")
    assert kinds(ABC, poll((0, "a"), (2, "c")), whole) == {"skipping poll"}
    assert kinds(ABC, poll((0, "a")), poll((2, "c")), whole) == {"skipping polls"}


@given(st.lists(st.sampled_from(["ok", "failed", "unknown"]), max_size=30), st.data())
def test_a_sound_history_has_no_anomaly(outcomes: list[Outcome], data: st.DataObject) -> None:
    sends, log = [], []
    for number, outcome in enumerate(outcomes):
        sends.append(send(f"{number:02}", outcome))
        if outcome == "ok" or (outcome == "unknown" and data.draw(st.booleans())):
            log.append((2 * number, f"{number:02}"))
    polls = []
    for reader in range(data.draw(st.integers(1, 3))):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(log)), max_size=3)))
        bounds = [0, *cuts, len(log)]
        polls += [poll(*log[low:high], reader=str(reader)) for low, high in pairwise(bounds)]
    assert kinds(sends, *polls, to_the_end=True) == set()
