"""A bridge without readers of trades doesn't read them, and nobody who comes can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ws_bridge.conftest import metric
from tests.support.market import Market, bar, tick
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.sockets import listener, until
from tests.support.topics import kafka_of
from tickstream.core.partition import partition_for

pytestmark = pytest.mark.integration

LOOKBACK = 50
RECEIVED = 'tickstream_ws_bridge_received_total{channel="ticks"}'


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        settings = {"WS_BRIDGE_REST_SECONDS": "0.2", "WS_BRIDGE_LOOKBACK_RECORDS": str(LOOKBACK)}
        yield found | settings


async def rests(bridge: Running) -> None:
    await until(lambda: metric(bridge, "tickstream_ws_bridge_resting") == 1, lambda: "it still reads")


async def test_who_comes_to_a_resting_bridge_gets_the_last_trades_and_all_that_follow(
    own: dict[str, str], tmp_path: Path
) -> None:
    market = Market(own)
    market.publish([tick("SPY", 1), tick("BAC", 1)])
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        await rests(bridge)
        before = metric(bridge, RECEIVED)
        market.publish([tick("SPY", 2), tick("NEW", 1), tick("SPY", 3), bar("SPY", 1)])
        async with listener(bridge.url) as client, listener(bridge.url) as hasty:
            await client.subscribe(channel="bars", symbols=["SPY"], interval="1m")
            market.publish([bar("SPY", 2)])
            await client.until(lambda: client.records("bars"))
            assert metric(bridge, RECEIVED) == before
            leaving = asyncio.ensure_future(hasty.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"]}))
            asked = {"channel": "ticks", "symbols": ["SPY", "BAC", "NEW", "NONE"], "mode": "all"}
            answer = await client.subscribe(**asked)
            assert {one["symbol"]: one["seq"] for one in answer["snapshot"]} == {"SPY": 3, "BAC": 1, "NEW": 1}
            assert answer["rejected"] == [{"symbol": "NONE", "code": "unknown_symbol"}]
            assert (await leaving)["ok"] is True
            market.publish([tick("SPY", seq) for seq in range(4, 14)])
            await client.until(lambda: len(client.records("ticks")) >= 10)
            assert [one["seq"] for one in client.records("ticks")] == list(range(4, 14))
            token = client.frames("ticks")[-1]["resume"]
        await rests(bridge)
        market.publish([tick("SPY", seq) for seq in range(14, 14 + 4 * LOOKBACK)])
        async with listener(bridge.url) as client:
            assert (await client.subscribe(**asked, resume=token))["recovered"] is True
            await client.until(lambda: len(client.records("ticks")) >= 4 * LOOKBACK)
            assert [one["seq"] for one in client.records("ticks")] == list(range(14, 14 + 4 * LOOKBACK))
            answer = await client.subscribe(channel="ticks", symbols=["SPY"])
            assert [one["seq"] for one in answer["snapshot"]] == [13 + 4 * LOOKBACK]
            assert client.lost("ticks") == 0
        await until(bridge.ready, lambda: "it isn't ready")


async def test_what_may_have_changed_unseen_is_not_shown_and_what_has_not_is(
    own: dict[str, str], tmp_path: Path
) -> None:
    market = Market(own)
    partitions = kafka_of(own).partitions("stock_ticks")
    names = [f"REST{number}" for number in range(100)]
    [busy, beside, *_] = [name for name in names if partition_for(name, partitions) == 0]
    apart = next(name for name in names if partition_for(name, partitions) == 1)
    market.publish([tick(symbol, 1) for symbol in (busy, beside, apart)])
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        await rests(bridge)
        market.publish([tick(beside, 2), *(tick(busy, seq) for seq in range(2, 2 + 2 * LOOKBACK))])
        async with listener(bridge.url) as client:
            answer = await client.subscribe(channel="ticks", symbols=[busy, beside, apart])
            shown = {one["symbol"]: one["seq"] for one in answer["snapshot"]}
            # A rest that had only just been decided on may have let the first trades through: that is the last.
            assert shown.pop(beside, 2) == 2
            assert shown == {busy: 1 + 2 * LOOKBACK, apart: 1}
            assert answer["rejected"] == []


async def test_a_client_that_leaves_while_it_waits_leaves_nothing_behind(own: dict[str, str], tmp_path: Path) -> None:
    Market(own).publish([tick("SPY", 1)])
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        for _ in range(3):
            await rests(bridge)
            async with listener(bridge.url) as client:
                await client.client.emit("subscribe", {"channel": "ticks", "symbols": ["SPY"]})
        await rests(bridge)
        await until(lambda: metric(bridge, "tickstream_ws_bridge_subscriptions") == 0, lambda: "one is left")
