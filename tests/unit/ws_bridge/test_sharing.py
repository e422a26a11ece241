from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.ws_bridge.domain.buffer import Buffer
from tickstream.ws_bridge.domain.entry import Entry
from tickstream.ws_bridge.domain.sharing import overfull, share

BUFFERS = st.lists(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=25), min_size=1, max_size=5)
ENOUGH = 10**9


def filled(contents: list[tuple[bool, int]], *, latest: bool = False) -> Buffer:
    """Entries, each with a key of its own or with none, of so many bytes."""
    buffer = Buffer(latest=latest)
    for number, (keyed, size) in enumerate(contents):
        buffer.offer(Entry(("ticks", "", f"S{number}"), number if keyed else None, b"x" * size, offset=number))
    return buffer


def fair(wanted: list[int], room: int) -> list[int]:
    """One more for each in turn who still wants one, until nothing is left: max-min fairness as children do it."""
    given = [0] * len(wanted)
    while room > 0 and given != wanted:
        for number in range(len(wanted)):
            if given[number] < wanted[number] and room > 0:
                given[number] += 1
                room -= 1
    return given


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(0, 120))
def test_room_is_divided_as_by_giving_one_record_to_each_in_turn(wanted: list[int], room: int) -> None:
    buffers = [filled([(True, 1)] * count) for count in wanted]
    share(buffers, room, ENOUGH)
    kept = [len(buffer.entries) for buffer in buffers]
    # Where the turns end in the middle of a round, nobody gets the rest.
    assert all(fairly - 1 <= mine <= fairly for mine, fairly in zip(kept, fair(wanted, room), strict=True))
    assert sum(kept) <= room
    assert sum(wanted) > room or kept == wanted


@given(BUFFERS, st.integers(0, 60), st.integers(0, 300))
def test_what_has_no_key_stays_and_the_oldest_others_go_until_all_fits(
    contents: list[list[tuple[bool, int]]], records: int, size: int
) -> None:
    buffers = [filled(one) for one in contents]
    before = [list(buffer.entries) for buffer in buffers]
    fixed = [entry for entries in before for entry in entries if entry.key is None]
    too_much = len(fixed) > records // 2 or sum(len(entry.body) for entry in fixed) > size // 2
    assert overfull(buffers, records, size) == too_much
    if too_much:
        return
    dropped = share(buffers, records, size)
    left = [entry for buffer in buffers for entry in buffer.entries]
    assert len(left) <= records
    assert sum(len(entry.body) for entry in left) <= size
    for buffer, had, count in zip(buffers, before, dropped, strict=True):
        keyed = [entry for entry in had if entry.key is not None]
        gone = set(map(id, keyed[:count]))
        assert buffer.entries == [entry for entry in had if id(entry) not in gone]
        assert buffer.take(ENOUGH)[1] == count


def test_a_busy_subscription_may_use_what_its_neighbours_leave_and_takes_nothing_from_them() -> None:
    busy, idle, alerts = filled([(True, 1)] * 100), filled([(True, 1)] * 3), filled([(False, 1)] * 10)
    assert share([busy, idle, alerts], 50, ENOUGH) == [63, 0, 0]


def test_the_newest_of_each_key_takes_no_room_in_mode_latest() -> None:
    latest, every = filled([(True, 1)] * 300, latest=True), filled([(True, 1)] * 20)
    assert share([latest, every], 20, ENOUGH) == [0, 0]
    assert len(latest.entries) == 300


def test_what_was_put_before_has_room_of_its_own_until_the_buffer_is_empty() -> None:
    buffer = filled([(True, 1)] * 5)
    buffer.put_before(filled([(True, 1)] * 10))
    assert share([buffer], 5, ENOUGH) == [0]
    buffer.take(14)
    for entry in filled([(True, 1)] * 20).entries:
        buffer.offer(entry)
    assert share([buffer], 5, ENOUGH) == [6]
    buffer.take(ENOUGH)
    for entry in filled([(True, 1)] * 20).entries:
        buffer.offer(entry)
    assert share([buffer], 5, ENOUGH) == [15]
