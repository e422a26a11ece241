from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.buffer import Buffer, first_offsets
from tickstream.ws_bridge.domain.entry import Entry, Run, Waiting

OFFER, LOOK, TAKE = "offer", "look", "take"
KEYS = ("A", "B", "C", None)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(OFFER), st.sampled_from(KEYS), st.integers(1, 30)),
        st.tuples(st.just(LOOK), st.integers(1, 12), st.integers(1, 200)),
        st.tuples(st.just(TAKE), st.just(0), st.just(0)),
    ),
    max_size=120,
)


def entry(number: int, key: str | None, size: int = 1) -> Entry:
    return Entry(("ticks", "", key or "closed"), key, b"%d" % number + b" " * size, offset=number)


def numbers(entries: list[Waiting]) -> list[int]:
    return [one.offset for one in entries]


@given(STEPS)
def test_mode_all_gives_every_record_in_order_except_the_oldest_it_had_no_room_for(
    steps: list[tuple[str, str | int | None, int]],
) -> None:
    buffer = Buffer(latest=False)
    waiting: list[tuple[int, int, bool]] = []
    lost: list[int] = []
    for number, (what, first, second) in enumerate(steps):
        if what == OFFER:
            one = entry(number, None if first is None else str(first), second)
            buffer.offer(one)
            waiting.append((number, len(one.body), first is not None))
        elif what == LOOK:
            assert isinstance(first, int)
            before = len(lost)
            while (loose := [one for one in waiting if one[2]]) and (
                len(loose) > first or sum(size for _number, size, _loose in loose) > second
            ):
                waiting.remove(loose[0])
                lost.append(loose[0][0])
            buffer.weigh()
            assert buffer.shrink(first, second) == len(lost) - before
        else:
            assert buffer.gap == ({0: min(lost)} if lost else {})
            taken, left_out = buffer.take(10**9)
            assert numbers(taken) == [number for number, _size, _loose in waiting]
            assert left_out == len(lost)
            waiting, lost = [], []


@given(STEPS)
def test_mode_latest_ends_at_the_right_values_and_counts_what_it_left_out(
    steps: list[tuple[str, str | int | None, int]],
) -> None:
    buffer = Buffer(latest=True)
    offered = 0
    delivered: list[Waiting] = []
    lost = 0
    newest: dict[str, int] = {}
    for number, (what, first, second) in enumerate(steps):
        if what == OFFER:
            buffer.offer(entry(number, None if first is None else str(first), second))
            offered += 1
            if first is not None:
                newest[str(first)] = number
        elif what == LOOK:
            buffer.weigh()
            assert buffer.shrink(0, 0) == 0
            if second % 2:
                buffer.conflate()
        else:
            taken, left_out = buffer.take(10**9)
            delivered += taken
            lost += left_out
            shown = {str(one.key): one.offset for one in delivered if one.key is not None}
            assert shown == newest
            keys = [one.key for one in taken if one.key is not None]
            assert len(keys) == len(set(keys))
            assert len(delivered) + lost == offered
    assert numbers(delivered) == sorted(numbers(delivered))


def test_a_buffer_nobody_empties_holds_no_more_than_twice_what_conflation_leaves() -> None:
    buffer = Buffer(latest=True)
    for number in range(100_000):
        buffer.offer(entry(number, f"S{number % 500}"))
        if number % 50 == 0:
            buffer.weigh()
        assert len(buffer.entries) <= 1_050
    taken, lost = buffer.take(10**9)
    assert (len(taken), lost) == (500, 99_500)


@given(st.lists(st.sampled_from(KEYS), max_size=60))
def test_mode_latest_never_conflates_what_has_no_key(keys: list[str | None]) -> None:
    buffer = Buffer(latest=True)
    for number, key in enumerate(keys):
        buffer.offer(entry(number, key))
    taken, _lost = buffer.take(10**9)
    assert numbers([one for one in taken if one.key is None]) == [i for i, key in enumerate(keys) if key is None]


def test_a_large_backlog_goes_in_several_frames_without_loss() -> None:
    buffer = Buffer(latest=False)
    for number in range(2_000):
        buffer.offer(entry(number, None, 100))
    received: list[int] = []
    frames = 0
    while buffer.entries:
        taken, lost = buffer.take(500)
        received += numbers(taken)
        frames += 1
        assert lost == 0
    assert received == list(range(2_000))
    assert frames == 4


def test_a_frame_may_have_more_records_where_they_are_small() -> None:
    buffer = Buffer(latest=False)
    for number in range(20):
        buffer.offer(entry(number, None, 100 - len(b"%d" % number)))
    assert len(buffer.take(3, 750)[0]) == 7
    assert len(buffer.take(3, 250)[0]) == 3
    assert len(buffer.take(3, 10_000)[0]) == 10


def test_what_waits_for_a_symbol_nobody_wants_any_more_is_forgotten_and_not_called_lost() -> None:
    buffer = Buffer(latest=False)
    for number, key in enumerate("ABAB"):
        buffer.offer(entry(number, key))
    buffer.forget({"A"})
    taken, lost = buffer.take(10**9)
    assert (numbers(taken), lost) == ([1, 3], 0)


@pytest.mark.parametrize(("symbol", "of_the_others"), [("A", 2), ("B", 3)])
def test_what_was_left_out_of_a_symbol_given_up_isnt_lost_either(symbol: str, of_the_others: int) -> None:
    buffer = Buffer(latest=True)
    for number, key in enumerate("AABABCAB"):
        buffer.offer(entry(number, key))
    buffer.conflate()
    buffer.forget({symbol})
    taken, lost = buffer.take(10**9)
    assert (len(taken), lost) == (2, of_the_others)


INTAKES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(KEYS), st.integers(1, 3)), min_size=1, max_size=5)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("intake"), INTAKES),
        st.tuples(st.just("one"), st.tuples(st.integers(0, 2), st.sampled_from(KEYS))),
        st.tuples(st.just("take"), st.integers(1, 9)),
        st.tuples(st.just("shrink"), st.integers(0, 12)),
        st.tuples(st.just("forget"), st.sampled_from(["A", "B"])),
    ),
    max_size=30,
)


@given(ACTS, st.booleans())
def test_weights_and_first_offsets_are_those_of_what_waits(acts: list[tuple[str, Any]], latest: bool) -> None:
    buffer, ends, intakes = Buffer(latest=latest), [0, 0, 0], count(1)
    for what, given_ in acts:
        if what == "intake":
            number, drawn = next(intakes), [one for one in given_ if one[1] is not None]
            offsets = iter(interleaved(drawn, ends))
            for partition, key, _count in drawn:
                route = ("ticks", "", str(key))
                mine = next(offsets)
                buffer.offer(Run(route, [b"x"] * len(mine), partition, mine, 0, number))
        elif what == "one":
            partition, key = given_
            route = ("ticks", "", key or "closed")
            buffer.offer(Entry(route, key and route, b"xy", partition, ends[partition]))
            ends[partition] += 1
        elif what == "take":
            buffer.take(given_)
        elif what == "shrink":
            buffer.weigh()
            buffer.shrink(given_, 1_000)
        else:
            buffer.forget([given_])
        assert buffer.first_offsets() == first_offsets(buffer.entries)
        if len(buffer.entries) % 2:
            load = buffer.weigh()
            counted = [one for one in buffer.entries if one.key is None or not latest]
            assert load.records == sum(one.count for one in counted)
            assert load.bytes == sum(len(one.body) for one in counted)
            assert buffer.first_offsets() == first_offsets(buffer.entries)


def interleaved(drawn: list[tuple[int, str | None, int]], ends: list[int]) -> list[list[int]]:
    """The offsets of each of some runs of one intake: those of one partition lie between each other's."""
    found: list[list[int]] = [[] for _ in drawn]
    for turn in range(3):
        for run, (partition, _key, length) in reversed(list(enumerate(drawn))):
            if turn < length:
                found[run].append(ends[partition])
                ends[partition] += 1
    return found
