"""A whole recorded day through producer, processor and sink, against an independent resampling."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from tests.support import oracle
from tests.support.programs import must
from tests.support.servers import Servers, isolated
from tests.support.topics import Row, read_rows

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

DAY = Path(__file__).parents[1] / "data" / "lean"
SYMBOLS = ("AIG", "BAC", "SPY")
INTERVALS = ("1s", "1m", "5m", "15m", "1h", "1d")
OPEN, CLOSE = oracle.at("2013-10-08 09:30:00"), oracle.at("2013-10-08 16:00:00")
PRE, POST_END = oracle.at("2013-10-08 04:00:00"), oracle.at("2013-10-08 20:00:00")


@dataclass(frozen=True)
class Day:
    """What went in, and what came out."""

    env: dict[str, str]
    trades: dict[str, pl.DataFrame]
    bars: dict[tuple[str, str], list[Row]]
    indicators: dict[tuple[str, str], list[Row]]

    def series(self, symbol: str, interval: str, field: str) -> oracle.Series:
        return np.array([bar[field] for bar in self.bars[symbol, interval]], dtype=np.float64)


@pytest.fixture(scope="module")
def day(servers: Servers) -> Any:
    with isolated(servers) as env:
        must("tickstream-producer", "--source", "replay", "--path", str(DAY), "--speed", "max", env=env)
        must("tickstream-processor", "--until-caught-up", env=env)
        yield Day(
            env,
            {symbol: oracle.trades_of(DAY / "tick" / symbol.lower() / "20131008_trade.zip") for symbol in SYMBOLS},
            closed(read_rows(env, "bars")),
            closed(read_rows(env, "indicators")),
        )


def closed(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """The closed records of each symbol and interval, in the order of the log."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["state"] == "closed":
            found[row["symbol"], row["interval"]].append(row)
    return found


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_every_trade_of_the_file_is_in_kafka_once_and_in_order(day: Day, symbol: str) -> None:
    rows = [row for row in read_rows(day.env, "stock_ticks") if row["symbol"] == symbol]
    trades = day.trades[symbol]
    assert [row["seq"] for row in rows] == list(range(1, len(trades) + 1))
    assert [row["ts_event"] for row in rows] == trades["ts"].to_list()
    assert [row["price"] for row in rows] == trades["price"].to_list()
    assert [row["volume"] for row in rows] == trades["volume"].to_list()
    assert [row["flags"] & 1 == 1 for row in rows] == trades["suspicious"].to_list()


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_bars_equal_an_independent_resampling(day: Day, symbol: str, interval: str) -> None:
    expected = oracle.bars_of(day.trades[symbol], interval)
    traded = [bar for bar in day.bars[symbol, interval] if bar["activity"] == "traded"]
    for field in ("start", "end", "open", "high", "low", "close", "volume", "trades"):
        assert [bar[field] for bar in traded] == expected[field].to_list(), field
    np.testing.assert_allclose([bar["vwap"] for bar in traded], expected["vwap"].to_numpy(), rtol=1e-12)
    assert {bar["revision"] for bar in traded} == {0}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_minutes_without_a_trade_are_quiet_bars_while_a_session_is_open(day: Day, symbol: str) -> None:
    bars = day.bars[symbol, "1m"]
    first = bars[0]["start"]
    assert [bar["start"] for bar in bars] == list(oracle.minutes(first, POST_END))
    for before, bar in itertools.pairwise(bars):
        if bar["activity"] == "quiet":
            assert {bar[price] for price in ("open", "high", "low", "close", "vwap")} == {before["close"]}
            assert (bar["volume"], bar["trades"]) == (0, 0)
    assert {bar["activity"] for bar in bars} <= {"traded", "quiet"}


def test_bars_name_their_session(day: Day) -> None:
    for bar in day.bars["SPY", "1m"]:
        start = bar["start"]
        expected = "regular" if OPEN <= start < CLOSE else "pre" if PRE <= start < OPEN else "post"
        assert bar["session"] == expected


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h"])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_indicators_equal_batch_talib_on_the_same_bars(day: Day, symbol: str, interval: str) -> None:
    columns = [day.series(symbol, interval, field) for field in ("open", "high", "low", "close", "volume")]
    rows = day.indicators[symbol, interval]
    assert [row["start"] for row in rows] == [bar["start"] for bar in day.bars[symbol, interval]]
    for name, series in oracle.indicators_of(*columns).items():
        for row, expected in zip(rows, series, strict=True):
            if np.isnan(expected):
                assert name in row["warming"]
                assert name not in row["values"]
            else:
                assert name not in row["warming"]
                assert row["values"][name] == pytest.approx(expected, rel=1e-9, abs=1e-9), (name, row["start"])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_vwap_is_anchored_at_the_start_of_the_session(day: Day, symbol: str) -> None:
    trades = day.trades[symbol]
    rows = [row for row in day.indicators[symbol, "1m"] if OPEN <= row["start"] < CLOSE]
    assert len(rows) == 390
    for row in rows[::13]:
        expected = oracle.vwap_since(trades, OPEN, row["end"])
        assert row["values"]["vwap"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_influxdb_holds_every_trade_of_the_file_and_every_bar(day: Day, symbol: str) -> None:
    trades = day.trades[symbol]
    assert influx(day.env, "trades", symbol, "volume", "count()") == {None: len(trades)}
    assert influx(day.env, "trades", symbol, "volume", "sum()") == {None: trades["volume"].sum()}
    assert influx(day.env, "trades", symbol, "seq", "max()") == {None: len(trades)}
    counts = influx(day.env, "bars", symbol, "close", "count()", by="interval")
    assert counts == {interval: len(day.bars[symbol, interval]) for interval in INTERVALS}


def test_a_second_replay_changes_nothing_downstream(day: Day) -> None:
    must("tickstream-producer", "--source", "replay", "--path", str(DAY), "--speed", "max", env=day.env)
    must("tickstream-processor", "--until-caught-up", env=day.env)
    assert closed(read_rows(day.env, "bars")) == day.bars
    assert closed(read_rows(day.env, "indicators")) == day.indicators
    assert influx(day.env, "trades", "SPY", "volume", "count()") == {None: len(day.trades["SPY"])}


def influx(
    env: dict[str, str], measurement: str, symbol: str, field: str, function: str, by: str | None = None
) -> dict[str | None, float]:
    """One figure of a field of a symbol's points, for each value of the tag `by`."""
    group = f'|> group(columns: ["{by}"])' if by else "|> group()"
    query = f"""
        from(bucket: "{env["INFLUXDB_BUCKET"]}") |> range(start: 2013-10-01T00:00:00Z, stop: 2013-11-01T00:00:00Z)
        |> filter(fn: (r) => r._measurement == "{measurement}" and r.symbol == "{symbol}" and r._field == "{field}")
        {group} |> {function}"""
    with InfluxDBClient(env["INFLUXDB_URL"], env["INFLUXDB_TOKEN"], org=env["INFLUXDB_ORG"], timeout=120_000) as client:
        tables = client.query_api().query(query)
    return {record.values.get(by) if by else None: record.get_value() for table in tables for record in table.records}
