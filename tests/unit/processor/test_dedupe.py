"""Seen numbers against a plain set."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.processor.domain.dedupe import MAX_RANGES, Seen


def take(seen: Seen, batch: list[tuple[int, int]]) -> list[bool]:
    """Note a batch of (stream, number); says for each whether it is new."""
    order = sorted(range(len(batch)), key=lambda row: batch[row][0])
    streams = np.array([batch[row][0] for row in order], dtype=np.intp)
    heads = np.concatenate(([0], np.flatnonzero(np.diff(streams)) + 1)).astype(np.intp)
    fresh, _ = seen.take(streams[heads], heads, np.array([batch[row][1] for row in order], dtype=np.int64))
    found = dict(zip(order, fresh.tolist(), strict=True))
    return [found[row] for row in range(len(batch))]


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), min_size=1, max_size=30)


@given(st.lists(ROWS, max_size=8))
def test_a_number_is_new_once(batches: list[list[tuple[int, int]]]) -> None:
    seen = Seen()
    for stream in range(3):
        seen.begin(stream, [])
    known: set[tuple[int, int]] = set()
    for batch in batches:
        expected = []
        for row in batch:
            expected.append(row not in known)
            known.add(row)
        assert take(seen, batch) == expected
    for stream in range(3):
        numbers = {n for low, high in seen.ranges(stream) for n in range(low, high + 1)}
        assert numbers == {n for s, n in known if s == stream}


def test_the_rest_of_a_recording_is_new_when_it_is_replayed_later() -> None:
    seen = Seen()
    stream = 0
    seen.begin(stream, [(5000, 9000)])
    assert take(seen, [(stream, n) for n in (1, 4999, 5000, 9000, 9001)]) == [True, True, False, False, True]
    assert seen.ranges(stream) == [(1, 1), (4999, 9001)]


def test_holes_are_bounded_and_the_oldest_are_given_up() -> None:
    seen = Seen()
    stream = 0
    seen.begin(stream, [])
    take(seen, [(stream, 2 * n + 1) for n in range(MAX_RANGES + 10)])
    assert len(seen.ranges(stream)) == MAX_RANGES
    assert take(seen, [(stream, 2)]) == [False]
    assert take(seen, [(stream, 2 * MAX_RANGES)]) == [True]
