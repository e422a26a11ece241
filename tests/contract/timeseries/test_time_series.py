"""What holds for every adapter of the time-series port, on the real servers."""

from __future__ import annotations

import math
import random
import struct
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.timeseries.conftest import Store
from tests.support.stores import TRADE
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import RetryableError
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick

pytestmark = pytest.mark.integration

SECOND = 1_000_000_000
MILLI = 1_000_000
NOON = 1_381_248_000 * SECOND

TEXTS = [
    *("BRK B", "a,b", "a=b", "a\\b", "a\\,b", "\\a", "=", ",", "a b=c,d", "a\\ b", 'q"uote', "'", "tab\there"),
    *("été", "株式", "🚀", "#x", "-1"),
]


def tick(seq: int, ts_event: int = NOON, **more: Any) -> Tick:
    usual: dict[str, Any] = {"symbol": "SPY", "source": "test", "price": 165.5, "volume": 100.0}
    return Tick(seq=seq, ts_event=ts_event, ts_ingest=ts_event, **usual | more)


def columns(*ticks: Tick) -> TickColumns:
    return TickColumns.of(ticks, TickInterners())


def bar(start: int = NOON, revision: int = 0, close: float = 2.0, **more: Any) -> Bar:
    usual: dict[str, Any] = {"symbol": "SPY", "interval": "1m", "state": "closed", "activity": "traded"}
    return Bar(
        start=start,
        end=start + 60 * SECOND,
        open=1.5,
        high=3.0,
        low=1.0,
        close=close,
        volume=700.0,
        vwap=1.75,
        trades=7,
        revision=revision,
        session="regular",
        **usual | more,
    )


def indicators(values: dict[str, float], start: int = NOON, revision: int = 0) -> IndicatorSet:
    return IndicatorSet("SPY", "1m", start, start + 60 * SECOND, "closed", revision, values, ("rsi_14",))


def identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in TRADE)


def as_stored(ticks: list[Tick]) -> list[tuple[Any, ...]]:
    return sorted((t.source, t.symbol, t.seq, t.ts_event, t.price, t.volume, t.flags) for t in ticks)


def test_preparing_again_changes_nothing(store: Store) -> None:
    assert store.series.write_trades(columns(tick(1))) == []
    store.series.prepare()
    with closing(store.connect({})) as another:
        another.prepare()
    assert store.stored.count_trades() == 1


def test_a_trade_comes_back_with_all_that_tells_it_apart(store: Store) -> None:
    ticks = [
        tick(1),
        tick(2, flags=1),
        tick(3, NOON + 1),
        tick(4, NOON + 367_000, flags=3, volume=0.0),
        tick(5, 0),
        tick(6, -1),
    ]
    assert store.series.write_trades(columns(*ticks)) == []
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)


def test_numbers_come_back_to_the_last_bit(store: Store) -> None:
    bits = random.Random(7)  # noqa: S311 - any bits do, the same ones each time
    floats = [x for x in (struct.unpack("<d", bits.randbytes(8))[0] for _ in range(300)) if math.isfinite(x)]
    floats += [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 1e16, 1e22, 123456789.123456789]
    ticks = [tick(n, price=abs(value), volume=abs(value)) for n, value in enumerate(floats, 1)]
    assert store.series.write_trades(columns(*ticks)) == []
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)


def test_trades_of_one_nanosecond_are_points_of_their_own(store: Store) -> None:
    ticks = [tick(seq) for seq in range(1, 501)]
    assert store.series.write_trades(columns(*ticks)) == []
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)


def test_trades_a_million_apart_in_one_millisecond_are_points_of_their_own(store: Store) -> None:
    ticks = [tick(seq + lap * MILLI, NOON + seq) for lap in range(4) for seq in (1, 2, 999_999)]
    ticks += [tick(1, source="another"), tick(1, symbol="BAC")]
    assert store.series.write_trades(columns(*ticks)) == []
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)


def test_what_is_written_again_is_stored_once(store: Store) -> None:
    ticks = [tick(seq, NOON + seq // 3 * MILLI) for seq in range(1, 101)]
    store.series.write_trades(columns(*ticks[:70]))
    store.series.write_trades(columns(*ticks[40:], *ticks[90:]))
    for _ in range(2):
        store.series.write_bars([bar(), bar(NOON + 60 * SECOND)])
        store.series.write_indicators([indicators({"sma_20": 1.0})])
        store.series.write_analytics([AnalyticsFigure("market", "breadth", NOON, "1d", {"up": 2.0})])
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)
    assert [len(store.stored.rows(name)) for name in ("bars", "indicators", "analytics")] == [2, 1, 1]


def test_a_bar_keeps_all_its_fields(store: Store) -> None:
    assert store.series.write_bars([bar()]) == []
    (row,) = store.stored.rows("bars")
    assert (row["symbol"], row["interval"], row["ns"]) == ("SPY", "1m", NOON)
    assert (row["activity"], row["session"]) == ("traded", "regular")
    numbers = [float(row[name]) for name in ("open", "high", "low", "close", "volume", "vwap")]
    assert numbers == [1.5, 3.0, 1.0, 2.0, 700.0, 1.75]
    assert [int(row[name]) for name in ("trades", "revision", "end")] == [7, 0, NOON + 60 * SECOND]


def test_a_revision_takes_the_place_of_the_bar_in_one_batch_or_several(store: Store) -> None:
    assert store.series.write_bars([bar(), bar(revision=1, close=2.5)]) == []
    assert store.series.write_indicators([indicators({"sma_20": 1.0}), indicators({"sma_20": 1.25}, revision=1)]) == []
    assert store.series.write_bars([bar(revision=2, close=2.75)]) == []
    (row,) = store.stored.rows("bars")
    assert (float(row["close"]), int(row["revision"])) == (2.75, 2)
    (row,) = store.stored.rows("indicators")
    assert (float(row["sma_20"]), int(row["revision"])) == (1.25, 1)


def test_bars_of_several_intervals_and_symbols_stay_apart(store: Store) -> None:
    bars = [bar(interval=interval, symbol=symbol) for interval in ("1s", "1m", "1d") for symbol in ("SPY", "BAC")]
    assert store.series.write_bars(bars) == []
    assert len(store.stored.rows("bars")) == 6


def test_indicators_without_values_yet_are_stored_too(store: Store) -> None:
    assert store.series.write_indicators([indicators({}), indicators({"sma_20": 0.1}, NOON + 60 * SECOND)]) == []
    rows = sorted(store.stored.rows("indicators"), key=lambda row: int(row["ns"]))
    assert "sma_20" not in rows[0]
    assert float(rows[1]["sma_20"]) == 0.1


def test_figures_that_differ_only_in_their_window_stay_apart(store: Store) -> None:
    figures = [
        AnalyticsFigure("market", "movers", NOON, window, {"SPY": n, "a b,c=d": n})
        for n, window in ((1.0, "1m"), (5.0, "5m"))
    ]
    assert store.series.write_analytics([*figures, replace(figures[0], window="")]) == []
    rows = store.stored.rows("analytics")
    assert sorted((row.get("window") or "", float(row["SPY"]), float(row["a b,c=d"])) for row in rows) == [
        ("", 1.0, 1.0),
        ("1m", 1.0, 1.0),
        ("5m", 5.0, 5.0),
    ]


def test_texts_come_back_as_they_were(store: Store) -> None:
    ticks = [tick(n, symbol=text, source=f"{text}x") for n, text in enumerate(TEXTS, 1)]
    assert store.series.write_trades(columns(*ticks)) == []
    assert sorted(map(identity, store.stored.trades())) == as_stored(ticks)


def test_what_the_store_refuses_is_named_and_the_rest_is_stored(store: Store) -> None:
    bad = {"influxdb": "line\nbreak", "postgres": "nul\x00"}[store.name]
    ticks = [tick(seq, symbol=bad if seq in (3, 77) else "SPY") for seq in range(1, 101)]
    refused = store.series.write_trades(columns(*ticks))
    assert [row for row, _reason in refused] == [2, 76]
    assert all(reason for _row, reason in refused)
    assert sorted(map(identity, store.stored.trades())) == as_stored([t for t in ticks if t.symbol == "SPY"])
    assert [row for row, _reason in store.series.write_bars([bar(), bar(symbol=bad)])] == [1]
    assert [row for row, _reason in store.series.write_indicators([indicators({bad: 1.0}), indicators({})])] == [0]
    figures = [AnalyticsFigure(scope, "x", NOON, "1m", {"v": 1.0}) for scope in ("market", bad, "SPY")]
    assert [row for row, _reason in store.series.write_analytics(figures)] == [1]


def test_an_empty_batch_is_no_work(store: Store) -> None:
    assert store.series.write_trades(columns()) == []
    assert store.series.write_bars([]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"INFLUXDB_URL": "http://127.0.0.1:1", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        {"INFLUXDB_TOKEN": "not-a-token", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
        {"INFLUXDB_ORG": "no-such-org", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
    ],
)
def test_a_store_that_can_not_be_reached_is_waited_for(store: Store, wrong: dict[str, str]) -> None:
    with closing(store.connect(wrong | {"PROCESSOR_SINK_TIMEOUT": "2"})) as series:
        with pytest.raises(RetryableError, match=r"InfluxDB|PostgreSQL"):
            series.prepare()
        with pytest.raises(RetryableError):
            series.write_trades(columns(tick(1)))
    assert store.stored.count_trades() == 0
