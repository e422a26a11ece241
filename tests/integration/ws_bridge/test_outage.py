"""Kafka goes and comes back under a bridge with clients: they are told, and miss nothing."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.market import Market, tick
from tests.support.programs import service
from tests.support.servers import Servers
from tests.support.sockets import listener

pytestmark = pytest.mark.integration


async def test_clients_are_told_of_an_outage_of_kafka_and_miss_nothing(
    servers: Servers, env: dict[str, str], market: Market, tmp_path: Path
) -> None:
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            await client.subscribe(channel="ticks", symbols=["SPY"], mode="all")
            await asyncio.to_thread(market.publish, [tick("SPY", seq) for seq in range(1, 51)])
            await asyncio.to_thread(servers.stop, "kafka")
            try:
                await client.until(lambda: "feed_down" in [status["code"] for status in client.events("status")])
                with pytest.raises(urllib.error.HTTPError) as refused:
                    await asyncio.to_thread(urllib.request.urlopen, f"{bridge.url}/readyz")
                assert refused.value.code == 503
                assert "kafka" in refused.value.read().decode()
                assert (await client.ask("time"))["ok"] is True
            finally:
                await asyncio.to_thread(servers.start, "kafka")
            await asyncio.to_thread(market.publish, [tick("SPY", seq) for seq in range(51, 101)])
            await client.until(lambda: len(client.records("ticks")) >= 100)
            assert [record["seq"] for record in client.records("ticks")] == list(range(1, 101))
            await client.until(lambda: "feed_up" in [status["code"] for status in client.events("status")])
            assert not client.events("closing")


async def test_a_bridge_that_starts_before_kafka_waits_and_says_why(
    servers: Servers, env: dict[str, str], market: Market, tmp_path: Path
) -> None:
    servers.stop("kafka")
    try:
        with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge:
            await asyncio.to_thread(_answers, f"{bridge.url}/healthz")
            assert not bridge.ready()
            servers.start("kafka")
            await asyncio.to_thread(bridge.await_ready)
    finally:
        servers.start("kafka")


def _answers(url: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            pass
