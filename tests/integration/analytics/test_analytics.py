from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from tests.support.programs import must, service, until
from tests.support.servers import Servers
from tests.support.topics import kafka_of, publish, read_rows
from tests.unit.analytics.test_market import SYMBOLS, walks
from tickstream.core.codec import Codecs
from tickstream.core.model import Bar, IndicatorSet, Tick

pytestmark = pytest.mark.integration

Env = dict[str, str]
Identity = tuple[str, str, str, int]


def send(env: Env, bars: list[Bar]) -> None:
    kafka_of(env).ensure_topics()
    values = Codecs().of(Bar).encode_many(bars)
    publish(env, "bars", [(bar.symbol, value) for bar, value in zip(bars, values, strict=True)])


def read(env: Env) -> dict[Identity, dict[str, float]]:
    """The last figure of each identity, as the topic has it."""
    rows = read_rows(env, "analytics")
    return {(row["scope"], row["name"], row["window"], row["ts_event"]): row["values"] for row in rows}


def newest(redis: Redis, key: str, figure: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(redis.hget(key, figure) or b'{"ts_event": null}')
    return found


@pytest.fixture
def bars() -> list[Bar]:
    return walks(range(60))


def test_a_restart_and_a_kill_change_nothing(isolated_env: Env, bars: list[Bar], tmp_path: Path) -> None:
    whole, pieces = isolated_env | {"KAFKA_TOPIC_PREFIX": isolated_env["KAFKA_TOPIC_PREFIX"] + "whole."}, isolated_env
    send(whole, bars)
    must("tickstream-analytics", "--until-caught-up", env=whole)
    expected = read(whole)
    assert len(expected) > 300

    send(pieces, bars[:200])
    must("tickstream-analytics", "--until-caught-up", env=pieces)
    first = len(read_rows(pieces, "analytics"))
    must("tickstream-analytics", "--until-caught-up", env=pieces)
    assert len(read_rows(pieces, "analytics")) == first
    with service("tickstream-analytics", env=pieces, log=tmp_path / "log") as running:
        running.await_ready()
        send(pieces, bars[200:280])
        until(lambda: len(read_rows(pieces, "analytics")) > first, running.log)
        running.end(signal.SIGKILL)
    send(pieces, bars[280:])
    must("tickstream-analytics", "--until-caught-up", env=pieces)
    assert read(pieces) == expected


def test_redis_has_the_newest_and_its_absence_stops_nothing(
    isolated_env: Env, bars: list[Bar], servers: Servers, tmp_path: Path
) -> None:
    end = bars[-1].end
    ticks = [Tick(symbol, 60.0 + n, 5.0, end + n, end + n, 1, "s") for n, symbol in enumerate(SYMBOLS)]
    indicators = IndicatorSet("SPY", "1m", end, end + 1, "closed", 0, {"sma_20": 52.5}, ("ema_20",))
    with (
        service("tickstream-analytics", env=isolated_env, log=tmp_path / "log") as running,
        Redis.from_url(isolated_env["REDIS_URL"], decode_responses=True) as redis,
    ):
        running.await_ready()
        send(isolated_env, bars[:180])
        until(lambda: redis.exists("market:movers"), running.log)
        until(lambda: newest(redis, "stock:SPY:analytics", "trend[30m]")["ts_event"] == bars[179].end, running.log)
        assert newest(redis, "stock:SPY:analytics", "trend[30m]")["values"]["bars"] == 30
        assert newest(redis, "market:analytics", "returns[1d]")["values"]["symbols"] == len(SYMBOLS)
        servers.stop("redis")
        try:
            before = len(read(isolated_env))
            send(isolated_env, bars[180:])
            until(lambda: len(read(isolated_env)) > before, running.log)
            assert running.ready()
        finally:
            servers.start("redis")
        publish(isolated_env, "stock_ticks", [(t.symbol, Codecs().of(Tick).encode(t)) for t in ticks])
        publish(isolated_env, "indicators", [("SPY", Codecs().of(IndicatorSet).encode(indicators))])
        until(lambda: redis.exists("stock:SPY:indicators"), running.log)
        until(lambda: redis.exists("stock:SPY:price"), running.log)
        price = redis.hgetall("stock:SPY:price")
        assert set(price) == {"price", "volume", "ts_event", "change", "change_pct"}
        reference = [bar.close for bar in bars if bar.symbol == "SPY" and bar.end < bars[-1].start - 3600 * 10**9][-1]
        assert float(price["price"]) == 62.0
        assert float(price["change"]) == pytest.approx(62.0 - reference)
        assert 0 < redis.ttl("stock:SPY:price") <= 60
        assert float(redis.hgetall("stock:SPY:indicators")["sma_20"]) == 52.5
        assert isinstance(orjson.loads(redis.hgetall("market:movers")["gainers"]), dict)
        assert running.end() == 0


def test_a_second_instance_stands_by_and_takes_over(isolated_env: Env, bars: list[Bar], tmp_path: Path) -> None:
    with (
        service("tickstream-analytics", env=isolated_env, log=tmp_path / "a") as first,
        service("tickstream-analytics", env=isolated_env, log=tmp_path / "b") as second,
    ):
        until(lambda: '"active"' in first.log() + second.log(), "nobody is active")
        active, other = (first, second) if '"active"' in first.log() else (second, first)
        send(isolated_env, bars[:180])
        until(lambda: read(isolated_env), active.log)
        assert '"active"' not in other.log()
        active.end(signal.SIGKILL)
        until(lambda: '"active"' in other.log(), other.log)
        send(isolated_env, bars[180:])
        until(lambda: max(key[3] for key in read(isolated_env)) == bars[-1].end, other.log)
