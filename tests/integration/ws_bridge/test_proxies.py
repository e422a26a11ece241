"""What a trusted proxy says of its clients counts, and what anybody else says doesn't."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import socketio
import socketio.exceptions

from tests.support.market import Market
from tests.support.programs import Running, service
from tests.support.sockets import DEADLINE

pytestmark = pytest.mark.integration

PAGE = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(params=["127.0.0.1,10.0.0.0/8", "10.0.0.0/8"], ids=["trusted", "stranger"])
def behind(
    env: dict[str, str], market: Market, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Running, bool]]:
    """A bridge that takes one connection of an address, and whether it trusts proxies on this machine."""
    own = {"WS_BRIDGE_TRUSTED_PROXIES": request.param, "WS_BRIDGE_MAX_CONNECTIONS_PER_IP": "1"}
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path / "log") as running:
        running.await_ready()
        yield running, request.param.startswith("127")


async def test_limits_are_those_of_the_client_behind_a_trusted_proxy(behind: tuple[Running, bool]) -> None:
    bridge, trusted = behind
    chains = ["198.51.100.1", "9.9.9.9, 198.51.100.2, 10.1.1.1"]
    spoofed = "198.51.100.77, 198.51.100.1"
    clients = [socketio.AsyncClient(reconnection=False) for _ in range(3)]
    let_in = []
    for client, chain in zip(clients, [*chains, spoofed], strict=True):
        try:
            await client.connect(
                bridge.url, transports=["websocket"], headers={"X-Forwarded-For": chain}, wait_timeout=DEADLINE
            )
        except socketio.exceptions.ConnectionError:
            let_in.append(False)
        else:
            let_in.append(True)
    for client in clients:
        await client.disconnect()
    assert let_in == [True, trusted, False]
    log = await asyncio.to_thread(bridge.log)
    assert ("198.51.100.2" in log) is trusted


async def test_only_a_trusted_proxy_says_that_a_page_came_by_https(behind: tuple[Running, bool]) -> None:
    bridge, trusted = behind
    origin = {"Origin": bridge.url.replace("http:", "https:")}
    async with aiohttp.ClientSession() as http:
        async with http.get(bridge.url + PAGE, headers=origin) as refused:
            assert refused.status == 403
        async with http.get(bridge.url + PAGE, headers=origin | {"X-Forwarded-Proto": "https"}) as answer:
            assert answer.status == (200 if trusted else 403)
