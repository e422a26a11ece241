"""The processor's output is that of an undisturbed run, whatever happens to it on the way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.integration.processor.market import DAY_END, bars_so_far, closed, publish, recorded
from tests.support.oracle import LENGTHS
from tests.support.programs import must, service, until
from tests.support.servers import Servers, isolated
from tests.support.topics import Row, read_rows
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration

PROCESSOR = "tickstream-processor"
SYMBOLS = ("AIG", "AIG2", "AIG3")
ROLE = {"PROCESSOR_ROLES": "bars", "KAFKA_TOPIC_PARTITIONS": "3"}

Rows = dict[tuple[str, str], list[Row]]


@dataclass(frozen=True)
class Undisturbed:
    ticks: list[Tick]
    bars: Rows
    indicators: Rows


@pytest.fixture(scope="module")
def day(servers: Servers) -> Iterator[Undisturbed]:
    ticks = recorded(SYMBOLS)
    with isolated(servers) as settings:
        env = settings | ROLE
        publish(env, ticks, DAY_END, final=True)
        must(PROCESSOR, "--until-caught-up", env=env)
        yield Undisturbed(ticks, closed(env, "bars"), closed(env, "indicators"))


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "15m", "1h"])
def test_bars_equal_an_independent_resampling(day: Undisturbed, interval: str) -> None:
    clean = [tick for tick in day.ticks if tick.symbol == "AIG" and not tick.flags & 1]
    frame = pl.DataFrame(
        {"ts": [t.ts_event for t in clean], "price": [t.price for t in clean], "volume": [t.volume for t in clean]}
    )
    length = LENGTHS[interval]
    price, volume = pl.col("price"), pl.col("volume")
    expected = (
        frame.group_by(start=pl.col("ts") // length * length, maintain_order=True)
        .agg(
            open=price.first(),
            high=price.max(),
            low=price.min(),
            close=price.last(),
            trades=pl.len(),
            value=(price * volume).sum(),
            volume=volume.sum(),
        )
        .to_dicts()
    )
    found = [bar for bar in day.bars["AIG", interval] if bar["activity"] == "traded"]
    for bar, other in zip(found, expected, strict=True):
        vwap = other.pop("value") / other["volume"] if other["volume"] else other["close"]
        assert {name: bar[name] for name in other} == other
        assert bar["vwap"] == pytest.approx(vwap, rel=1e-12)


def test_kill_9_stop_and_restart_change_nothing(day: Undisturbed, isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | ROLE
    third = len(day.ticks) // 3 // len(SYMBOLS) * len(SYMBOLS)
    publish(env, day.ticks[:third], None)
    with service(PROCESSOR, env=env, log=tmp_path / "first.log") as running:
        until(lambda: bars_so_far(env, "AIG") > 500, running.log)
        publish(env, day.ticks[third : third + 5000], None)
        running.end(signal.SIGKILL)
    before = bars_so_far(env, "AIG")
    publish(env, day.ticks[third + 5000 : 2 * third], None)
    with service(PROCESSOR, env=env, log=tmp_path / "second.log") as running:
        until(lambda: bars_so_far(env, "AIG") > before + 500, running.log)
        assert running.end() == 0, running.log()
    publish(env, day.ticks[2 * third :], DAY_END, final=True)
    must(PROCESSOR, "--until-caught-up", env=env)
    assert closed(env, "bars") == day.bars
    assert closed(env, "indicators") == day.indicators


def test_two_instances_share_the_work_and_one_takes_over(
    day: Undisturbed, isolated_env: dict[str, str], tmp_path: Path
) -> None:
    env = isolated_env | ROLE
    half = len(day.ticks) // 2 // len(SYMBOLS) * len(SYMBOLS)
    publish(env, day.ticks[:1000], None)
    with (
        service(PROCESSOR, env=env, log=tmp_path / "one.log") as one,
        service(PROCESSOR, env=env, log=tmp_path / "other.log") as other,
    ):
        until(lambda: '"assigned"' in one.log() and '"assigned"' in other.log(), lambda: one.log() + other.log())
        publish(env, day.ticks[1000:half], None)
        until(lambda: all(bars_so_far(env, symbol) > 500 for symbol in SYMBOLS), lambda: one.log() + other.log())
        assert one.end() == 0
        publish(env, day.ticks[half:], DAY_END, final=True)
        assert other.end() == 0
    must(PROCESSOR, "--until-caught-up", env=env)
    assert closed(env, "bars") == day.bars
    assert closed(env, "indicators") == day.indicators


def test_kafka_stopped_and_started_in_mid_stream_changes_nothing(
    day: Undisturbed, servers: Servers, isolated_env: dict[str, str], tmp_path: Path
) -> None:
    env = isolated_env | ROLE
    half = len(day.ticks) // 2 // len(SYMBOLS) * len(SYMBOLS)
    publish(env, day.ticks[:half], None)
    with service(PROCESSOR, env=env, log=tmp_path / "log") as running:
        until(lambda: bars_so_far(env, "AIG") > 500, running.log)
        servers.stop("kafka")
        servers.start("kafka")
        before = bars_so_far(env, "AIG")
        publish(env, day.ticks[half:], DAY_END, final=True)
        until(lambda: bars_so_far(env, "AIG") > before + 500, running.log)
        assert running.end() == 0, running.log()
    must(PROCESSOR, "--until-caught-up", env=env)
    assert closed(env, "bars") == day.bars
    assert closed(env, "indicators") == day.indicators


def test_a_second_replay_changes_nothing(day: Undisturbed, isolated_env: dict[str, str]) -> None:
    env = isolated_env | ROLE
    some = day.ticks[:9000]
    for _ in range(2):
        publish(env, some, some[-1].ts_event, final=True)
        must(PROCESSOR, "--until-caught-up", env=env)
    publish(env, day.ticks, DAY_END, final=True)
    must(PROCESSOR, "--until-caught-up", env=env)
    assert closed(env, "bars") == day.bars
    assert closed(env, "indicators") == day.indicators
    assert read_rows(env, "market_events") == []
