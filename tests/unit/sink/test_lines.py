"""Line protocol, read back by a parser of its own."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick
from tickstream.processor.sink.lines import (
    FIRST_TIME,
    LAST_TIME,
    analytics_lines,
    bar_lines,
    indicator_lines,
    trade_lines,
)

MILLI = 1_000_000
Point = tuple[str, dict[str, str], dict[str, Any], int]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=12).filter(
    lambda text: not text.endswith("\\")
)
awkward = st.text(st.sampled_from(',= \\"ié🚀'), min_size=1, max_size=6).filter(lambda text: not text.endswith("\\"))
tags = texts | awkward
floats = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(FIRST_TIME, LAST_TIME)


def split(text: str, at: str) -> list[str]:
    """Parts of a line between unescaped separators, which a backslash right before takes the meaning from."""
    return re.split(rf"(?<!\\){at}", text)


def unescape(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def parse(line: str) -> Point:
    """A point, as the protocol's documentation says that a line is read."""
    head, fields, time = split(line, " ")
    measurement, *pairs = split(head, ",")
    tag_pairs = (split(pair, "=") for pair in pairs)
    field_pairs = (split(pair, "=") for pair in split(fields, ","))
    return (
        measurement,
        {unescape(name): unescape(value) for name, value in tag_pairs},
        {unescape(name): typed(value) for name, value in field_pairs},
        int(time),
    )


def typed(value: str) -> float | int | str:
    if value.startswith('"'):
        return value[1:-1]
    return int(value[:-1]) if value.endswith("i") else float(value)


@st.composite
def ticks(draw: st.DrawFn) -> Tick:
    time = draw(times)
    return Tick(
        symbol=draw(tags),
        price=draw(floats),
        volume=draw(floats),
        ts_event=time,
        ts_ingest=time,
        seq=draw(st.integers(1, 2**62)),
        source=draw(tags),
        flags=draw(st.integers(0, 3)),
    )


def lines_of(*given_ticks: Tick) -> list[Point]:
    made = trade_lines(TickColumns.of(given_ticks, TickInterners()))
    assert made.refused == []
    assert made.rows == list(range(len(given_ticks)))
    return [parse(line) for line in made.lines]


@given(st.lists(ticks(), max_size=8))
def test_a_trade_can_be_read_back_from_its_line(batch: list[Tick]) -> None:
    for tick, (measurement, tags_, fields, time) in zip(batch, lines_of(*batch), strict=True):
        assert measurement == "trades"
        assert (tags_.pop("symbol"), tags_.pop("source")) == (tick.symbol, tick.source)
        assert int(tags_.pop("lap", 0)) * MILLI + time % MILLI == tick.seq == fields["seq"]
        assert fields.get("ts_event", time // MILLI * MILLI) == tick.ts_event
        assert (fields["price"], fields["volume"]) == (tick.price, tick.volume)
        assert fields.get("flags", 0) == tick.flags
        assert tags_ == {}


@given(st.lists(st.tuples(st.integers(0, 3 * MILLI), st.integers(1, 4 * MILLI)), unique_by=lambda pair: pair[1]))
def test_trades_of_a_source_never_share_a_point_however_out_of_order(pairs: list[tuple[int, int]]) -> None:
    points = lines_of(*(Tick("SPY", 1.0, 1.0, time, time, seq, "s") for time, seq in pairs))
    assert len({(tuple(tags_.items()), time) for _measurement, tags_, _fields, time in points}) == len(pairs)


@given(ticks())
def test_a_trade_always_has_the_same_line(tick: Tick) -> None:
    assert lines_of(tick, tick) == lines_of(tick) * 2


def test_a_whole_millisecond_and_no_flags_need_no_field_of_their_own() -> None:
    made = trade_lines(TickColumns.of([Tick("SPY", 165.5, 100.0, 5 * MILLI, 0, 7, "a b")], TickInterners()))
    assert made.lines == ["trades,symbol=SPY,source=a\\ b price=165.5,volume=100.0,seq=7i 5000007"]


def test_what_no_line_can_say_is_refused_and_the_rest_is_kept() -> None:
    def tick(symbol: str = "SPY", source: str = "s", ts_event: int = 0) -> Tick:
        return Tick(symbol, 1.0, 1.0, ts_event, 0, 1, source)

    batch = [tick("a\nb"), tick(), tick(source="x\\"), tick(ts_event=2**63 - 1), tick(symbol=""), tick("B")]
    made = trade_lines(TickColumns.of(batch, TickInterners()))
    assert [row for row, _reason in made.refused] == [0, 2, 3, 4]
    assert made.rows == [1, 5]
    reasons = " ".join(reason for _row, reason in made.refused)
    for word in ("symbol", "source", "ts_event", "empty", "9223372036854775807"):
        assert word in reasons


@given(tags, tags, st.dictionaries(tags, floats, max_size=5), times)
def test_indicators_can_be_read_back(symbol: str, interval: str, values: dict[str, float], start: int) -> None:
    values = {name: value for name, value in values.items() if name not in ("time", "end", "revision")}
    made = indicator_lines([IndicatorSet(symbol, interval, start, start + 9, "closed", 3, values)])
    (point,) = map(parse, made.lines)
    assert point == (
        "indicators",
        {"symbol": symbol, "interval": interval},
        {"revision": 3, "end": start + 9, **values},
        start,
    )


@given(tags, tags, tags | st.just(""), st.dictionaries(tags, floats, min_size=1, max_size=5), times)
def test_analytics_can_be_read_back(scope: str, name: str, window: str, values: dict[str, float], time: int) -> None:
    values = {key: value for key, value in values.items() if key not in ("time", "end", "revision")} or {"x": 1.0}
    (point,) = map(parse, analytics_lines([AnalyticsFigure(scope, name, time, window, values)]).lines)
    expected = {"scope": scope, "name": name} | ({"window": window} if window else {})
    assert point == ("analytics", expected, values, time)


@given(tags, tags, floats, st.integers(0, 2**31), times)
def test_a_bar_can_be_read_back(symbol: str, interval: str, price: float, count: int, start: int) -> None:
    bar = Bar(
        symbol, interval, start, start + 1, price, price, price, price, 5.0, price, count, "closed", 1, "quiet", "pre"
    )
    (point,) = map(parse, bar_lines([bar]).lines)
    prices = dict.fromkeys(("open", "high", "low", "close", "vwap"), price)
    others = {"volume": 5.0, "trades": count, "revision": 1, "end": start + 1, "activity": "quiet", "session": "pre"}
    assert point == ("bars", {"symbol": symbol, "interval": interval}, prices | others, start)


def test_a_value_may_not_take_the_name_of_a_field_of_ours() -> None:
    made = analytics_lines([AnalyticsFigure("m", "x", 0, "1m", {name: 1.0}) for name in ("time", "ok", "a\nb", "")])
    assert [row for row, _reason in made.refused] == [0, 2, 3]


def test_a_figure_without_values_has_no_point() -> None:
    figures = [AnalyticsFigure("m", "gainers", 0, "1d", {}), AnalyticsFigure("m", "losers", 0, "1d", {"A": -1.0})]
    made = analytics_lines(figures)
    assert (len(made.lines), made.rows, made.refused) == (1, [1], [])
