"""Older bars over HTTP, from the bridge's memory and from the store, joined without a seam."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.market import Market, bar
from tests.support.programs import must, service, until
from tests.support.servers import Servers
from tickstream.core.model import IndicatorSet

pytestmark = pytest.mark.integration

FIRST = 23_020_650  # minutes since the epoch, in October 2013
COUNT = 60
KEPT = 20


def asked(url: str, channel: str = "bars", key: str | None = None, **query: object) -> dict[str, Any]:
    question = {"symbol": "AIG", "interval": "1m", **query}
    request = urllib.request.Request(f"{url}/api/v1/{channel}?{urlencode(question)}")
    if key is not None:
        request.add_header("X-API-Key", key)
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: dict[str, Any] = json.load(answer)
    return body


def refusal(url: str, channel: str = "bars", key: str | None = None, **query: object) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as error:
        asked(url, channel, key, **query)
    return error.value.code, json.load(error.value)["code"]


def publish(env: Mapping[str, str]) -> None:
    """An hour of minutes with their indicators, one of them revised, and a minute of years before."""
    market = Market(env)
    numbers = [FIRST - 2_000_000, *range(FIRST, FIRST + COUNT)]
    bars = [bar("AIG", number, close=float(number % 1000)) for number in numbers]
    bars.append(replace(bars[10], revision=1, close=7.0))
    market.publish(bars)
    market.publish(
        [
            IndicatorSet("AIG", "1m", one.start, one.end, "closed", one.revision, {"rsi_14": one.close, "vwap": 2.5})
            for one in bars
        ]
    )


@pytest.mark.parametrize("store", ["influxdb", "postgres"])
def test_pages_into_the_past_give_every_bar_once(
    servers: Servers, isolated_env: dict[str, str], tmp_path: Path, store: str
) -> None:
    assert servers.kafka
    env = isolated_env | {"TIMESERIES": store, "WS_BRIDGE_HISTORY_BARS": str(KEPT)}
    publish(env)
    must("tickstream-processor", "--roles", "sink", "--until-caught-up", env=env)
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        found: list[dict[str, Any]] = []
        before, more = (FIRST + COUNT) * 60_000, True
        while more:
            page = asked(running.url, before_ms=before, limit=9)
            found = page["records"] + found
            before, more = page["records"][0]["start_ms"], page["more"]
        starts = [FIRST - 2_000_000, *range(FIRST, FIRST + COUNT)]
        assert [one["start_ms"] for one in found] == [start * 60_000 for start in starts]
        assert [one["close"] for one in found] == [7.0 if at == 10 else start % 1000 for at, start in enumerate(starts)]
        assert [one["revision"] for one in found] == [int(at == 10) for at in range(len(starts))]
        assert found[0].keys() == found[-1].keys()
        sets = asked(running.url, "indicators", before_ms=(FIRST + COUNT) * 60_000, limit=100)
        assert not sets["more"]
        assert [one["values"] for one in sets["records"]] == [{"rsi_14": one["close"], "vwap": 2.5} for one in found]
        assert asked(running.url, symbol='N"${1}\\', before_ms=before) == {"records": [], "more": False}
        assert refusal(running.url) == (400, "bad_request")


def test_without_a_store_there_is_what_the_bridge_remembers(isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | {"TIMESERIES": "off"}
    publish(env)
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        page = asked(running.url, before_ms=(FIRST + 5) * 60_000, limit=5)
        assert [one["start_ms"] // 60_000 - FIRST for one in page["records"]] == [0, 1, 2, 3, 4]
        assert page["more"]


def test_a_key_reads_the_past_of_its_own_symbols_only(isolated_env: dict[str, str], tmp_path: Path) -> None:
    must("tickstream-alerting", "--migrate-only", env=isolated_env)
    made = must(
        "tickstream", "keys", "create", "desk", "--channels", "bars", "--symbols", "AIG", "--json", env=isolated_env
    )
    key = json.loads(made)["key"]
    env = isolated_env | {"WS_BRIDGE_AUTH": "key"}
    publish(env)
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        until(lambda: asked(running.url, key=key, before_ms=(FIRST + COUNT) * 60_000)["records"], "no bars for the key")
        assert refusal(running.url, before_ms=1) == (401, "unauthorized")
        assert refusal(running.url, key=hashlib.sha256(b"x").hexdigest(), before_ms=1) == (401, "unauthorized")
        assert refusal(running.url, key=key, symbol="BAC", before_ms=1) == (403, "forbidden")
        assert refusal(running.url, "indicators", key=key, before_ms=1) == (403, "forbidden")


def test_a_store_that_is_away_is_told(isolated_env: dict[str, str], tmp_path: Path) -> None:
    env = isolated_env | {"TIMESERIES": "influxdb", "INFLUXDB_URL": "http://127.0.0.1:9"}
    publish(env)
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as running:
        running.await_ready()
        assert refusal(running.url, before_ms=FIRST * 60_000, limit=5) == (503, "internal")
        assert len(asked(running.url, before_ms=(FIRST + 9) * 60_000, limit=5)["records"]) == 5
