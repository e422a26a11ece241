from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.model import AlertEvent, AlertState, AnalyticsFigure, Bar
from tickstream.ws_bridge.domain.entry import Entry, entry_of
from tickstream.ws_bridge.domain.market import Market, Series


def closed(number: int) -> Entry:
    return Entry(("bars", "1m", "A"), None, b"%d" % number)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=80), st.integers(1, 10))
def test_a_series_holds_the_last_closed_bars_by_start_with_their_last_revision(
    steps: list[tuple[int, bool]], capacity: int
) -> None:
    series = Series()
    last: dict[int, bytes] = {}
    for number, (start, is_closed) in enumerate(steps):
        if is_closed:
            series.close(start, closed(number), 1_000)
            last[start] = b"%d" % number
        else:
            series.form(start, closed(number))
    bodies = [entry.body for entry in series.last(capacity)]
    expected = [last[start] for start in sorted(last)[-capacity:]]
    assert bodies[: len(expected)] == expected
    assert len(bodies) <= len(expected) + 1


def test_a_series_is_bounded() -> None:
    series = Series()
    for start in range(1_000):
        series.close(start, closed(start), 80)
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
