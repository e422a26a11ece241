"""Trades that are taken in together wait as runs of one symbol; what a client gets is what it would get one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import ormsgpack
from hypothesis import given
from hypothesis import strategies as st

from tests.support.nodes import together
from tickstream.ws_bridge.adapters.dialects import JSON, MESSAGE_PACK
from tickstream.ws_bridge.domain.buffer import Buffer, first_offsets
from tickstream.ws_bridge.domain.entry import Entry, Waiting

INTAKES = st.lists(st.lists(st.sampled_from("ABC"), min_size=1, max_size=8), max_size=6)
"""The symbols of the trades of one partition, as they are taken in."""


def trades(intakes: Sequence[Sequence[str]]) -> Iterator[list[Entry]]:
    offset = 0
    for symbols in intakes:
        made = []
        for symbol in symbols:
            route = ("ticks", "", symbol)
            made.append(Entry(route, route, b"%d" % offset, 0, offset))
            offset += 1
        yield made


def filled(intakes: Sequence[Sequence[str]], *, latest: bool) -> Buffer:
    buffer = Buffer(latest=latest)
    for intake in trades(intakes):
        for run in together(intake):
            buffer.offer(run)
    return buffer


def numbers(entries: Sequence[Waiting]) -> list[int]:
    """The offsets, as the JSON has them."""
    return [int(body) for entry in entries for body in entry.body.split(b",")]


@given(INTAKES, st.integers(1, 12))
def test_what_was_taken_is_all_that_comes_before_what_still_waits(intakes: list[list[str]], most: int) -> None:
    buffer = filled(intakes, latest=False)
    count = sum(map(len, intakes))
    had: list[int] = []
    while buffer.entries:
        taken, lost = buffer.take(most)
        assert taken
        assert lost == 0
        had += numbers(taken)
        assert sorted(had) == list(range(first_offsets(buffer.entries).get(0, count)))
    assert len(had) == count


@given(INTAKES)
def test_a_symbols_trades_keep_their_order(intakes: list[list[str]]) -> None:
    taken, _lost = filled(intakes, latest=False).take(10**9)
    flat = [entry for intake in trades(intakes) for entry in intake]
    for symbol in "ABC":
        mine = [entry for entry in taken if entry.route[2] == symbol]
        assert numbers(mine) == [entry.offset for entry in flat if entry.route[2] == symbol]


@given(INTAKES)
def test_conflation_leaves_the_newest_of_each_symbol_and_counts_the_others(intakes: list[list[str]]) -> None:
    taken, lost = filled(intakes, latest=True).take(10**9)
    newest = {entry.route: entry.offset for intake in trades(intakes) for entry in intake}
    assert sorted(numbers(taken)) == sorted(newest.values())
    assert lost == sum(map(len, intakes)) - len(newest)


@given(INTAKES, st.integers(0, 50))
def test_a_run_begins_where_the_client_was(intakes: list[list[str]], offset: int) -> None:
    buffer = filled(intakes, latest=False)
    buffer.begin_at({0: offset})
    taken, lost = buffer.take(10**9)
    assert sorted(numbers(taken)) == list(range(offset, sum(map(len, intakes))))
    assert lost == 0


@given(INTAKES, st.integers(0, 20))
def test_for_want_of_room_the_oldest_go_and_are_counted(intakes: list[list[str]], room: int) -> None:
    buffer = filled(intakes, latest=False)
    count = sum(map(len, intakes))
    buffer.weigh()
    dropped = buffer.shrink(room, 10**9)
    assert buffer.loose.records <= room or not dropped
    assert buffer.gap == ({0: 0} if dropped else {})
    taken, lost = buffer.take(10**9)
    assert (lost, lost + len(numbers(taken))) == (dropped, count)


@given(INTAKES)
def test_both_dialects_show_single_trades(intakes: list[list[str]]) -> None:
    taken, lost = filled(intakes, latest=False).take(10**9)
    text = JSON.frame("ticks", taken, b'"token"', lost)
    packed = MESSAGE_PACK.frame("ticks", taken, b'"token"', lost)
    fields = {"data": numbers(taken), "resume": "token", "lost": 0}
    assert json.loads(text.removeprefix(b"2")) == ["ticks", fields]
    assert ormsgpack.unpackb(packed)["data"] == ["ticks", fields]
