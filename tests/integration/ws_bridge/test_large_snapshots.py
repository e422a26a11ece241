"""Snapshots of ten thousand symbols, larger than what some stock clients take in one message."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.ws_bridge.test_stock_clients import CLIENTS, subscribed
from tests.support.market import Market, bar
from tests.support.programs import service
from tests.support.servers import Servers, isolated
from tests.support.sockets import Heard

pytestmark = pytest.mark.integration

SYMBOLS = [f"LARGE{number}" for number in range(10_000)]
REQUEST = {"channel": "bars", "symbols": ["*"], "interval": "1m", "history": 1}


def had(heard: Heard) -> list[tuple[str, int, str]]:
    snapshots = [one for answer in heard.events("ack") for one in answer["snapshot"]]
    return [(one["symbol"], one["start_ms"], one["state"]) for one in snapshots + heard.records("bars")]


async def test_every_stock_client_has_the_snapshot_of_ten_thousand_symbols(servers: Servers, tmp_path: Path) -> None:
    expected = {(symbol, 60_000 * number, ("closed", "partial")[number]) for symbol in SYMBOLS for number in (0, 1)}
    with isolated(servers) as env:
        market = Market(env)
        market.publish([bar(symbol, 0) for symbol in SYMBOLS] + [bar(symbol, 1, "partial") for symbol in SYMBOLS])
        with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge:
            bridge.await_ready()
            for kind in CLIENTS:
                async with subscribed(kind, bridge.url, "websocket", REQUEST) as client:
                    await client.until(lambda: len(had(client)) >= len(expected))
                    assert len(had(client)) == len(expected), kind
                    assert set(had(client)) == expected, kind
                    assert client.lost("bars") == 0, kind
                    [answer] = client.events("ack")
                    assert answer["more"] == len(client.records("bars")) > 0, kind
