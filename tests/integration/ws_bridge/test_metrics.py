"""The bridge's figures after traffic that is known to the last record."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.market import Market, bar, tick
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.sockets import Heard, until
from tests.support.topics import publish, read_rows
from tickstream.core.access import CHANNELS
from tickstream.ws_bridge.domain.protocol import Code

pytestmark = pytest.mark.integration

PREFIX = "tickstream_ws_bridge_"


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found | {"WS_BRIDGE_MAX_CONNECTIONS_PER_IP": "2"}


class Raw(Heard):
    """A client without a library, which knows how many bytes came."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self._wire = wire
        self.bytes: dict[str, int] = dict.fromkeys(CHANNELS, 0)

    async def listen(self) -> None:
        async for message in self._wire:
            text = str(message.data)
            if text.startswith("42"):
                event, data = json.loads(text[2:])
                self.heard.append((event, data))
                self.bytes[event] = self.bytes.get(event, 0) + len(text.encode()) - 1
            elif text.startswith("4"):
                self.heard.append((text[:2], text))
            elif text == "2":
                await self._wire.send_str("3")

    async def ask(self, name: str, fields: Any) -> None:
        answers = len(self.events("43"))
        await self._wire.send_str(f"420{json.dumps([name, fields])}")
        await self.until(lambda: len(self.events("43")) > answers)


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[Raw]:
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as wire:
        made = Raw(wire)
        await wire.send_str("40")
        listening = asyncio.create_task(made.listen())
        await made.until(lambda: made.events("40") or made.events("44"))
        yield made
        await wire.close()
        await listening


class Figures:
    """What /metrics says."""

    def __init__(self, bridge: Running) -> None:
        with urllib.request.urlopen(f"{bridge.url}/metrics", timeout=10) as page:
            families = list(text_string_to_metric_families(page.read().decode()))
        self.samples = [sample for family in families for sample in family.samples if sample.name.startswith(PREFIX)]

    def of(self, name: str, **labels: str) -> float:
        """One figure; 0 when it isn't there yet."""
        found = [one.value for one in self.samples if one.name == PREFIX + name and one.labels == labels]
        return found[0] if found else 0.0


async def test_each_figure_says_what_happened(own: dict[str, str], tmp_path: Path) -> None:
    market = Market(own)
    market.publish([tick("AIG", 1), tick("SPY", 1)])
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with raw(bridge.url) as every, raw(bridge.url) as newest:
            await every.ask("subscribe", {"channel": "ticks", "symbols": ["AIG"], "mode": "all"})
            await every.ask("subscribe", {"channel": "bars", "symbols": ["AIG"], "interval": "1m"})
            await newest.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"], "maxHz": 2})
            for name in ("shout", "x" * 1_000, "subscribe"):
                await newest.ask(name, {"channel": "y" * 1_000, "symbols": ["SPY"]})
            async with raw(bridge.url) as third:
                assert "rate_limited" in third.events("44")[0]
            publish(own, "stock_ticks", [("AIG", b"\x00not a trade")])
            trades = [tick(symbol, seq) for seq in range(2, 302) for symbol in ("AIG", "SPY")]
            await asyncio.to_thread(market.publish, [*trades, bar("AIG", 1), bar("AIG", 2)])
            await every.until(lambda: len(every.records("ticks")) == 300 and len(every.records("bars")) == 2)
            await newest.until(lambda: newest.records("ticks") and newest.records("ticks")[-1]["seq"] == 301)
            assert len(newest.records("ticks")) + newest.lost("ticks") == 300
            await until(lambda: Figures(bridge).of("subscriptions") == 3, lambda: "subscriptions aren't counted")
            check(Figures(bridge), every, newest)
            await until(lambda: not behind(Figures(bridge)), lambda: f"behind in {behind(Figures(bridge))}")
        await until(lambda: Figures(bridge).of("connections") == 0, lambda: "they are still counted")
        last = Figures(bridge)
        assert last.of("disconnects_total", code="gone") == 2
        assert_labels_are_bounded(last)
        await until(lambda: reported(own), lambda: "nothing in system_metrics")


def behind(figures: Figures) -> list[str]:
    """The channels of which something hasn't been read, as of the last second's look."""
    return [channel for channel in CHANNELS if figures.of("kafka_lag", channel=channel) > 0]


def check(figures: Figures, every: Raw, newest: Raw) -> None:
    clients = (every, newest)
    assert figures.of("connections") == 2
    assert figures.of("received_total", channel="ticks") == 2 + 600 + 1
    assert figures.of("unreadable_total", channel="ticks") == 1
    assert figures.of("received_total", channel="bars") == 2
    for channel in CHANNELS:
        assert figures.of("frames_total", channel=channel) == sum(len(one.frames(channel)) for one in clients)
        assert figures.of("records_total", channel=channel) == sum(len(one.records(channel)) for one in clients)
        assert figures.of("bytes_total", channel=channel) == sum(one.bytes[channel] for one in clients)
        assert figures.of("lost_total", channel=channel) == sum(one.lost(channel) for one in clients)
    assert figures.of("overflowed_total") == 0
    assert figures.of("refused_total", code="rate_limited") == 1
    assert figures.of("commands_total", command="subscribe", outcome="ok") == 3
    assert figures.of("commands_total", command="subscribe", outcome="unknown_channel") == 1
    assert figures.of("commands_total", command="unknown", outcome="bad_request") == 2
    assert figures.of("kafka_up") == 1
    assert 0 <= figures.of("canary_age_seconds") < 60
    assert figures.of("loop_lag_seconds_count") >= figures.of("flush_seconds_count") > 0
    assert figures.of("delivery_seconds_count") == sum(len(one.frames("ticks")) for one in clients)
    assert 0 < figures.of("delivery_seconds_sum") < 60 * figures.of("delivery_seconds_count")


def assert_labels_are_bounded(figures: Figures) -> None:
    """Nothing that a client says is in a label."""
    known = {
        "channel": set(CHANNELS),
        "code": {*get_args(Code), "gone"},
        "command": {"subscribe", "unsubscribe", "subscriptions", "time", "unknown"},
        "outcome": {*get_args(Code), "ok"},
    }
    for sample in figures.samples:
        for label, value in sample.labels.items():
            assert label == "le" or value in known[label], sample


def reported(env: dict[str, str]) -> bool:
    """Whether the figures are on the topic, beside the canaries."""
    rows = [row["metrics"] for row in read_rows(env, "system_metrics") if row["service"] == "ws_bridge"]
    return any(f"{PREFIX}connections" in row for row in rows) and any(f"{PREFIX}canary" in row for row in rows)
