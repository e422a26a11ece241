from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.buffer import Buffer
from tickstream.ws_bridge.domain.entry import Entry

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


def numbers(entries: list[Entry]) -> list[int]:
    return [one.offset for one in entries]


@given(STEPS)
def test_mode_all_gives_every_record_in_order_except_the_oldest_it_had_no_room_for(
    steps: list[tuple[str, str | int | None, int]],
) -> None:
    buffer = Buffer(latest=False)
    waiting: list[tuple[int, int]] = []
    lost = 0
    for number, (what, first, second) in enumerate(steps):
        if what == OFFER:
            one = entry(number, None if first is None else str(first), second)
            buffer.offer(one)
            waiting.append((number, len(one.body)))
        elif what == LOOK:
            assert isinstance(first, int)
            dropped = 0
            while len(waiting) > first or sum(size for _number, size in waiting) > second:
                waiting.pop(0)
                dropped += 1
            assert buffer.bound(first, second) == dropped
            lost += dropped
        else:
            taken, left_out = buffer.take(10**9)
            assert numbers(taken) == [number for number, _size in waiting]
            assert left_out == lost
            waiting, lost = [], 0


@given(STEPS)
def test_mode_latest_ends_at_the_right_values_and_counts_what_it_left_out(
    steps: list[tuple[str, str | int | None, int]],
) -> None:
    buffer = Buffer(latest=True)
    offered = 0
    delivered: list[Entry] = []
    lost = 0
    newest: dict[str, int] = {}
    for number, (what, first, second) in enumerate(steps):
        if what == OFFER:
            buffer.offer(entry(number, None if first is None else str(first), second))
            offered += 1
            if first is not None:
                newest[str(first)] = number
        elif what == LOOK:
            assert isinstance(first, int)
            buffer.bound(first, second)
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


def test_what_waits_for_a_symbol_nobody_wants_any_more_is_forgotten_and_not_called_lost() -> None:
    buffer = Buffer(latest=False)
    for number, key in enumerate("ABAB"):
        buffer.offer(entry(number, key))
    buffer.forget({"A"})
    taken, lost = buffer.take(10**9)
    assert (numbers(taken), lost) == ([1, 3], 0)
