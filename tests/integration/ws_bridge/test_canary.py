"""A bridge that Kafka answers, but that nothing comes to, says so, and hears again."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.market import Market, tick
from tests.support.programs import DEADLINE, Running, service
from tests.support.proxied_kafka import ProxiedKafka, proxied_kafka
from tests.support.proxy import FETCH
from tests.support.sockets import Listener, listener, until
from tests.support.topics import read_rows

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    with proxied_kafka(tmp_path_factory.mktemp("proxied-kafka")) as found:
        yield found


@pytest.mark.parametrize("again", ["answered", "by-itself"])
async def test_a_deaf_bridge_says_why_it_is_not_ready_and_misses_nothing(
    kafka: ProxiedKafka, tmp_path: Path, again: str
) -> None:
    prefix = {"KAFKA_TOPIC_PREFIX": f"{again}-"}
    market = Market(kafka.direct | prefix)
    market.publish([tick("SPY", 1)])
    with service("tickstream-ws-bridge", env=kafka.proxied | prefix, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            await client.subscribe(channel="ticks", symbols=["SPY"], mode="all")
            withheld = kafka.proxy.withhold(FETCH, also_later=again == "answered")
            assert await asyncio.to_thread(withheld.began.wait, DEADLINE)
            await asyncio.to_thread(market.publish, [tick("SPY", seq) for seq in range(2, 11)])
            await client.until(lambda: "feed_down" in codes(client))
            if again == "answered":
                assert "has not come" in reasons(bridge)["canary"]
                async with listener(bridge.url) as late:
                    await late.until(lambda: "feed_down" in codes(late))
                withheld.give()
            await client.until(lambda: "feed_up" in codes(client))
            await until(bridge.ready, lambda: f"{reasons(bridge)}")
            await client.until(lambda: len(client.records("ticks")) == 9)
            assert [record["seq"] for record in client.records("ticks")] == list(range(2, 11))
            told = [event if event == "ticks" else data["code"] for event, data in client.heard]
            told = [one for one in told if one not in ("lagging", "caught_up")]  # as a busy machine has it
            assert told[0] == "feed_down"
            assert set(told[1:]) == {"ticks", "feed_up"}
    assert "ws_bridge" in {row["service"] for row in read_rows(kafka.direct | prefix, "system_metrics")}


def codes(client: Listener) -> list[str]:
    return [status["code"] for status in client.events("status")]


def reasons(bridge: Running) -> dict[str, str]:
    """Why it isn't ready."""
    try:
        with urllib.request.urlopen(f"{bridge.url}/readyz", timeout=10):
            return {}
    except urllib.error.HTTPError as answer:
        found: dict[str, str] = json.load(answer)["reasons"]
        return found
