from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.columns import Interner, Strings, TickColumns
from tickstream.producer.domain.chunks import Chunk, unsent
from tickstream.producer.domain.merge import Stream, merge

_SOURCES = Interner(str(number) for number in range(8))

# Streams of batches of times; the price is the trade's place in its stream.
RECORDINGS = st.lists(st.lists(st.lists(st.integers(0, 30), max_size=6), max_size=5), max_size=6)


def stream(rank: int, batches: list[list[int]], opened: list[int] | None = None) -> Stream:
    times = [time for batch in batches for time in batch]

    def read() -> Iterator[TickColumns]:
        if opened is not None:
            opened.append(rank)
        place = 0
        for batch in batches:
            places = np.arange(place, place + len(batch), dtype=np.float64)
            place += len(batch)
            source = Strings(np.full(len(batch), rank, dtype=np.int32), _SOURCES.values)
            yield unsent(source, places, places, np.array(batch, dtype=np.int64), source)

    return Stream(times[0] if times else 0, read, str(rank))


def rows(chunks: list[Chunk]) -> list[tuple[int, int, int, int]]:
    """(due, stream, place, time) of each trade."""
    return [
        (int(due), int(code), int(place), int(time))
        for chunk in chunks
        for due, code, place, time in zip(
            chunk.due, chunk.columns.source.codes, chunk.columns.price, chunk.columns.ts_event, strict=True
        )
    ]


def expected(recordings: list[list[list[int]]]) -> list[tuple[int, int, int, int]]:
    due = []
    for rank, batches in enumerate(recordings):
        latest = 0
        for place, time in enumerate(time for batch in batches for time in batch):
            latest = max(latest, time)
            due.append((latest, rank, place, time))
    return sorted(due)


@given(RECORDINGS)
def test_the_merge_is_the_stable_sort_of_all_streams(recordings: list[list[list[int]]]) -> None:
    chunks = list(merge([stream(rank, batches) for rank, batches in enumerate(recordings)]))
    assert rows(chunks) == expected(recordings)


@given(RECORDINGS)
def test_nothing_after_a_chunk_is_due_before_its_until(recordings: list[list[list[int]]]) -> None:
    chunks = list(merge([stream(rank, batches) for rank, batches in enumerate(recordings)]))
    for index, chunk in enumerate(chunks):
        assert all(due >= chunk.until for due, *_ in rows(chunks[index + 1 :]))
        assert not len(chunk) or chunk.until >= chunk.due[-1]


@given(RECORDINGS)
def test_every_stream_ends_once_and_has_nothing_after_that(recordings: list[list[list[int]]]) -> None:
    chunks = list(merge([stream(rank, batches) for rank, batches in enumerate(recordings)]))
    ended = [name for chunk in chunks for name in chunk.ended]
    assert sorted(ended) == [str(rank) for rank in range(len(recordings))]
    gone: set[str] = set()
    for chunk in chunks:
        assert not gone & {str(code) for code in chunk.columns.source.codes}
        gone |= set(chunk.ended)


def test_a_stream_is_opened_only_when_its_time_has_come() -> None:
    opened: list[int] = []
    days = [[[day * 100, day * 100 + 1], [day * 100 + 2]] for day in range(50)]
    chunks = merge([stream(day % 8, batches, opened) for day, batches in enumerate(days)])
    for number, _chunk in enumerate(chunks):
        assert len(opened) <= number // 2 + 2


def test_trades_in_disorder_follow_the_later_one_that_they_stand_behind() -> None:
    chunks = list(merge([stream(0, [[10, 30], [5]]), stream(1, [[20, 31]])]))
    assert [time for *_, time in rows(chunks)] == [10, 20, 30, 5, 31]
    assert all(before <= after for (before, *_), (after, *_) in pairwise(rows(chunks)))
