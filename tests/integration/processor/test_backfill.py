"""Bars and indicators made once more are those of the live instance, or what they should have been."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import talib

from tests.integration.processor.market import DAY_END, DAY_START, bars_so_far, publish, recorded
from tests.support.oracle import LENGTHS, bars_of
from tests.support.programs import service, until
from tests.support.servers import Servers, isolated
from tests.support.topics import Row, kafka_of, read_rows
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import TopicPartition
from tickstream.core.model import Tick
from tickstream.core.service import Stop
from tickstream.core.settings import load
from tickstream.processor import main
from tickstream.processor.settings import ProcessorSettings

pytestmark = pytest.mark.integration

PROCESSOR = "tickstream-processor"
SYMBOLS = ("AIG", "AIG2")
ROLE = {"PROCESSOR_ROLES": "bars", "KAFKA_TOPIC_PARTITIONS": "2"}
MORE = {"PROCESSOR_INDICATORS": "sma:20,ema:20,obv,vwap,wma:10"}
FEW = {"PROCESSOR_INDICATORS": "sma:20,ema:20,obv,vwap"}
SECOND = 10**9
HOUR = 3600 * SECOND

Key = tuple[str, str, int]


@pytest.fixture(scope="module")
def ticks() -> list[Tick]:
    return recorded(SYMBOLS)[:9000]


@contextmanager
def live_run(servers: Servers, ticks: list[Tick], *late: Tick) -> Iterator[dict[str, str]]:
    """Topics with trades, and what an instance made of them; `late` ones come when all others have been counted."""
    with isolated(servers) as settings:
        env = settings | ROLE | FEW
        publish(env, ticks, DAY_END)
        if late:
            processor(env, "--until-caught-up")
            publish(env, late, DAY_END + SECOND)
        processor(env, "--until-caught-up")
        yield env


@pytest.fixture(scope="module")
def live(servers: Servers, ticks: list[Tick]) -> Iterator[dict[str, str]]:
    """Those that no test changes."""
    with live_run(servers, ticks) as env:
        yield env


def processor(env: Mapping[str, str], *arguments: str) -> str:
    """Run the processor to its end in this process, which has imported everything; gives what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        main.run(load(ProcessorSettings, "PROCESSOR", arguments, env), Stop())
    return printed.getvalue()


def backfill(env: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    account: dict[str, Any] = json.loads(processor(env, "--json", *arguments).splitlines()[-1])
    assert account["closed"] == account["published"] + account["same"] + account["left_out"]
    return account


def beside(env: Mapping[str, str], name: str) -> dict[str, str]:
    """Other topics."""
    return {**env, "KAFKA_TOPIC_PREFIX": f"{env['KAFKA_TOPIC_PREFIX']}{name}."}


def newest(env: Mapping[str, str], topic: str) -> dict[Key, Row]:
    """The newest revision of each closed record; none is there twice."""
    found: dict[Key, Row] = {}
    seen: Counter[tuple[Key, int]] = Counter()
    for row in read_rows(env, topic):
        if row["state"] == "closed":
            key = (row["symbol"], row["interval"], row["start"])
            seen[key, row["revision"]] += 1
            if row["revision"] >= found.get(key, row)["revision"]:
                found[key] = row
    assert set(seen.values()) <= {1}
    return found


def test_other_topics_get_what_the_live_instance_published_and_nothing_twice(live: dict[str, str]) -> None:
    other = beside(live, "other")
    target = ("--from", "beginning", "--to", other["KAFKA_TOPIC_PREFIX"])
    first = backfill(live, *target)
    for topic in ("bars", "indicators"):
        assert newest(other, topic) == newest(live, topic)
    assert first["read"] == 9000
    assert (first["published"], first["revised"], first["same"], first["left_out"]) == (first["closed"], 0, 0, 0)
    changed = backfill(live | MORE, *target)
    assert changed["published"] == changed["revised"] == len(newest(other, "indicators"))


def test_bars_of_a_stretch_equal_an_independent_resampling(live: dict[str, str], ticks: list[Tick]) -> None:
    begin, end = DAY_START + 10 * HOUR, DAY_START + 12 * HOUR
    stretch = beside(live, "stretch")
    backfill(live, "--from", str(begin), "--until", str(end), "--to", stretch["KAFKA_TOPIC_PREFIX"])
    mine = [tick for tick in ticks if tick.symbol == "AIG"]
    names = {"ts": "ts_event", "price": "price", "volume": "volume"}
    frame = pl.DataFrame({name: [getattr(tick, field) for tick in mine] for name, field in names.items()})
    frame = frame.with_columns(suspicious=pl.Series([bool(tick.flags & 1) for tick in mine]))
    bars = newest(stretch, "bars")
    assert all(begin <= start < end for _, _, start in bars)
    for interval in ("1s", "1m", "5m", "15m", "1h"):
        expected = bars_of(frame, interval).filter((pl.col("start") >= begin) & (pl.col("start") < end))
        found = sorted(
            (bar for key, bar in bars.items() if key[:2] == ("AIG", interval) and bar["activity"] == "traded"),
            key=lambda bar: int(bar["start"]),
        )
        assert found
        for bar, other in zip(found, expected.to_dicts(), strict=True):
            exact = ("start", "end", "open", "high", "low", "close", "volume", "trades")
            assert [bar[name] for name in exact] == [other[name] for name in exact]
            assert bar["vwap"] == pytest.approx(other["vwap"], rel=1e-12)


@pytest.fixture
def own(servers: Servers, ticks: list[Tick]) -> Iterator[dict[str, str]]:
    with live_run(servers, ticks) as env:
        yield env


def test_in_place_a_new_indicator_gets_its_history(own: dict[str, str]) -> None:
    bars, before = newest(own, "bars"), newest(own, "indicators")
    account = backfill(own | MORE, "--from", "beginning", "--in-place")
    after = newest(own, "indicators")
    settled = {key for key, row in before.items() if row["end"] <= DAY_END - HOUR - SECOND}
    assert newest(own, "bars") == bars
    assert account["published"] == account["revised"] == len(settled) > 0
    assert account["left_out"] > 0
    for key, row in after.items():
        values = {name: value for name, value in row["values"].items() if name != "wma_10"}
        assert values == before[key]["values"]
        assert row["revision"] == before[key]["revision"] + (key in settled)
    minutes = sorted(key for key in settled if key[:2] == ("AIG", "1m"))
    wanted = talib.WMA(np.array([bars[key]["close"] for key in minutes]), 10)
    for key, value in zip(minutes, wanted.tolist(), strict=True):
        if np.isnan(value):
            assert "wma_10" in after[key]["warming"]
        else:
            assert after[key]["values"]["wma_10"] == pytest.approx(value, rel=1e-9)
    again = backfill(own | MORE, "--from", "beginning", "--in-place")
    assert (again["published"], again["same"]) == (0, account["published"] + account["same"])


def test_trades_that_came_too_late_are_let_in(servers: Servers, ticks: list[Tick]) -> None:
    late = dataclasses.replace(ticks[-1], symbol="AIG", seq=100_000, ts_event=ticks[4000].ts_event, price=1000.0)
    with live_run(servers, ticks, late) as env:
        before = newest(env, "bars")
        assert max(bar["high"] for bar in before.values()) < 1000
        assert backfill(env, "--from", "beginning", "--in-place")["published"] == 0
        account = backfill(env, "--from", "beginning", "--in-place", "--late", "86400")
        after = newest(env, "bars")
        changed = {key for key, bar in after.items() if bar != before[key]}
        for interval in ("1s", "1m", "5m", "15m", "1h"):
            start = late.ts_event // LENGTHS[interval] * LENGTHS[interval]
            bar, old = after["AIG", interval, start], before["AIG", interval, start]
            assert (bar["high"], bar["trades"], bar["revision"]) == (1000.0, old["trades"] + 1, 1)
            assert ("AIG", interval, start) in changed
        assert all(symbol == "AIG" for symbol, _, _ in changed)
        assert account["published"] == account["revised"] > len(changed)
        assert backfill(env, "--from", "beginning", "--in-place", "--late", "86400")["published"] == 0


def test_killed_in_the_middle_nothing_is_there_and_the_next_run_does_it(live: dict[str, str], tmp_path: Path) -> None:
    killed = beside(live, "killed")
    arguments = ("--from", "beginning", "--to", killed["KAFKA_TOPIC_PREFIX"])
    slow = live | {"PROCESSOR_MAX_BATCH": "1", "LOG_FORMAT": "json"}
    with service(PROCESSOR, *arguments, env=slow, log=tmp_path / "log") as running:
        until(lambda: '"offset"' in running.log() or running.child.poll() is not None, running.log)
        assert running.end(signal.SIGKILL) == -signal.SIGKILL, running.log()
    assert "partition_done" not in running.log()
    assert newest(killed, "bars") == newest(killed, "indicators") == {}
    backfill(live, *arguments)
    for topic in ("bars", "indicators"):
        assert newest(killed, topic) == newest(live, topic)


def test_the_live_instance_goes_on_meanwhile(
    live: dict[str, str], isolated_env: dict[str, str], ticks: list[Tick], tmp_path: Path
) -> None:
    env = isolated_env | ROLE | FEW
    publish(env, ticks[:8000], None)
    with service(PROCESSOR, env=env, log=tmp_path / "log") as running:
        until(lambda: all(bars_so_far(env, symbol) > 500 for symbol in SYMBOLS), running.log)
        publish(env, ticks[8000:], None)
        account = backfill(env | MORE, "--from", "beginning", "--in-place")
        publish(env, [], DAY_END)
        assert running.end() == 0, running.log()
    processor(env, "--until-caught-up")
    assert 0 < account["published"] == account["revised"]
    assert newest(env, "bars") == newest(live, "bars")
    wanted = newest(live, "indicators")
    revised = 0
    for key, row in newest(env, "indicators").items():
        row["values"].pop("wma_10", None)
        assert row["values"] == wanted[key]["values"]
        revised += row["revision"]
    assert revised == account["revised"]


def test_where_the_log_lost_its_beginning_published_numbers_stay(own: dict[str, str]) -> None:
    kafka = kafka_of(own)
    bars, before = newest(own, "bars"), newest(own, "indicators")
    cuts = [TopicPartition(kafka.topic("stock_ticks"), number, 2000) for number in range(2)]
    admin = kafka.admin()
    for deleted in admin.delete_records(cuts).values():
        deleted.result()
    account = backfill(own | MORE, "--from", "beginning", "--in-place")
    assert newest(own, "bars") == bars
    after = newest(own, "indicators")
    assert 0 < account["published"] == account["revised"] < len(before)
    for key, row in after.items():
        assert {name: value for name, value in row["values"].items() if name != "wma_10"} == before[key]["values"]
    assert any("wma_10" in row["values"] for row in after.values())
    assert backfill(own | MORE, "--from", "beginning", "--in-place")["published"] == 0


def test_without_trades_it_can_not_go_on(isolated_env: dict[str, str]) -> None:
    with pytest.raises(RetryableError, match="stock_ticks"):
        processor(isolated_env | ROLE, "--from", "beginning", "--to", "x.")


def test_topics_that_do_not_fit_together_are_refused(live: dict[str, str]) -> None:
    other = beside(live, "unfit")
    kafka_of({**other, "KAFKA_TOPIC_PARTITIONS": "3"}).ensure_topics(["bars", "indicators"])
    with pytest.raises(FatalError, match=r"unfit\.bars must have 2 partitions as the trades have, has 3"):
        processor(live, "--from", "beginning", "--to", other["KAFKA_TOPIC_PREFIX"])
