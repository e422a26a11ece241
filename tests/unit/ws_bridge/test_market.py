from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.model import AlertEvent, AlertState, AnalyticsFigure, Bar
from tickstream.ws_bridge.domain.entry import Entry, entry_of
from tickstream.ws_bridge.domain.market import Market, Series


def closed(number: int) -> Entry:
    return Entry(("bars", "1m", "A"), None, b"%d" % number)


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, int]]:
    """The closed bars of a symbol as its topic has them, each (start, revision): in order, with gaps, and late ones."""
    log: list[tuple[int, int]] = []
    revisions: dict[int, int] = {}
    start = 0
    for late in draw(st.lists(st.one_of(st.none(), st.integers(0, 40)), max_size=60)):
        if late is None or not revisions:
            start += draw(st.integers(1, 3))
            revisions[start] = 0
            log.append((start, 0))
        else:
            revised = sorted(revisions)[late % len(revisions)]
            revisions[revised] += 1
            log.append((revised, revisions[revised]))
    return log


@given(logs(), st.integers(0, 30), st.integers(1, 10), st.integers(1, 20))
def test_history_is_the_end_of_what_there_is_wherever_a_node_began_to_read(
    log: list[tuple[int, int]], begun: int, capacity: int, history: int
) -> None:
    series = Series()
    for start, revision in log[begun:]:
        series.close(start, Entry(("bars", "1m", "A"), None, b"%d %d" % (start, revision)), revision, capacity)
    whole = dict(log)
    closed_here = sum(revision == 0 for _start, revision in log[begun:])
    bodies = [entry.body for entry in series.last(history)]
    assert bodies == [b"%d %d" % (start, whole[start]) for start in sorted(whole)][len(whole) - len(bodies) :]
    assert len(bodies) >= min(history, capacity, closed_here)
    assert [entry.body for _start, entry in series.before(10_000, history)] == bodies


def test_a_late_bar_where_there_was_none_takes_its_place() -> None:
    series = Series()
    for start in (10, 30, 20, 5):
        series.close(start, closed(start), 0, 80)
    assert [entry.body for entry in series.last(10)] == [b"10", b"20", b"30"]


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 30))
def test_the_forming_bar_is_shown_until_it_or_a_later_one_is_closed(starts: list[int], forming: int) -> None:
    series = Series()
    series.form(forming, closed(99))
    for start in starts:
        series.close(start, closed(start), 0, 80)
    assert (series.last(0) == []) is any(start >= forming for start in starts)


def test_a_series_is_bounded() -> None:
    series = Series()
    for start in range(1_000):
        series.close(start, closed(start), 0, 80)
    kept = [entry.body for entry in series.last(5_000)]
    assert 80 <= len(kept) <= 90
    assert kept[-1] == b"999"


def test_with_many_symbols_each_has_its_share_of_the_room() -> None:
    market = Market(history=100, max_records=1_000, max_symbols=1_000)
    for start in range(200):
        for symbol in range(50):
            bar = Bar(f"S{symbol}", "1m", start, start + 1, 1, 1, 1, 1, 1, 1, 1, "closed", 0, "traded", "regular")
            market.record(bar, entry_of(bar, b"{}", 0, 0))
    assert len(market.snapshot("bars", "1m", None, 5_000)) <= 1_000 * 9 // 8


def test_no_more_symbols_are_known_than_the_limit() -> None:
    market = Market(history=1, max_records=1_000, max_symbols=2)
    market.know(["A", "B", "C"])
    assert [market.knows("ticks", symbol) for symbol in "ABC"] == [True, True, False]


def alert(number: int, name: str, state: AlertState) -> tuple[AlertEvent, Entry]:
    event = AlertEvent(name, "r", "A", state, "info", number, 1.0, 1.0, "")
    return event, entry_of(event, b"%d" % number, 0, number)


def test_open_alerts_are_in_the_snapshot_and_resolved_ones_only_in_history() -> None:
    market = Market(history=1, max_records=1_000, max_symbols=2)
    stories: list[tuple[str, AlertState]] = [
        ("one", "firing"),
        ("two", "pending"),
        ("one", "resolved"),
        ("two", "firing"),
    ]
    for number, (name, state) in enumerate(stories):
        market.record(*alert(number, name, state))
    assert [entry.body for entry in market.snapshot("alerts", "", None, 0)] == [b"3"]
    assert [entry.body for entry in market.snapshot("alerts", "", ["A"], 2)] == [b"2", b"3"]
    assert market.snapshot("alerts", "", ["B"], 2) == []


def test_the_last_figures_of_a_scope_are_kept_by_name_and_window() -> None:
    market = Market(history=1, max_records=1_000, max_symbols=10)
    for number, (name, window) in enumerate([("breadth", "1m"), ("breadth", "5m"), ("breadth", "1m")]):
        figure = AnalyticsFigure("market", name, number, window, {})
        market.record(figure, entry_of(figure, b"%d" % number, 0, number))
    assert [entry.body for entry in market.snapshot("analytics", "", ["market"], 0)] == [b"2", b"1"]
    assert market.knows("analytics", "market")
    assert not market.knows("ticks", "market")


def test_figures_of_a_group_can_be_subscribed_to_and_make_no_symbol() -> None:
    market = Market(history=1, max_records=1_000, max_symbols=1)
    for number, scope in enumerate(("group:Energy", "group:Health Care")):
        figure = AnalyticsFigure(scope, "breadth", number, "1d", {})
        market.record(figure, entry_of(figure, b"%d" % number, 0, number))
    assert [entry.body for entry in market.snapshot("analytics", "", ["group:Energy"], 0)] == [b"0"]
    assert market.knows("analytics", "group:Energy")
    assert not market.knows("analytics", "group:Health Care")
    assert not market.knows("ticks", "group:Energy")
