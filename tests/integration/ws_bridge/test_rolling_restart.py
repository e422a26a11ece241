"""Two bridges behind a plain balancer are restarted in turn under stock clients, and nobody misses anything."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.support.balancer import balancer
from tests.support.market import Market, tick
from tests.support.ports import spare_port
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.sockets import DEADLINE, Heard, javascript_client, program, until

pytestmark = pytest.mark.integration

SYMBOLS = ["RA", "RB", "RC", "RD"]
REQUEST = {"channel": "ticks", "symbols": SYMBOLS, "mode": "all"}


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


class Comeback(Heard):
    """The stock Python client as it is, with a handler that asks for what it wants whenever it is connected."""

    def __init__(self) -> None:
        super().__init__()
        self.client = socketio.AsyncClient()
        self.client.on("connect", self._ask)
        self.client.on("*", self._hear)
        self.client.on("disconnect", lambda reason: self.heard.append(("disconnect", reason)))
        self._resume: str | None = None

    async def _ask(self) -> None:
        await self.client.emit("subscribe", REQUEST | {"resume": self._resume}, callback=self._answered)

    def _answered(self, answer: dict[str, Any]) -> None:
        self._resume = answer["resume"]
        self.heard.append(("ack", answer))

    def _hear(self, event: str, data: Any) -> None:
        self._resume = data.get("resume", self._resume)
        self.heard.append((event, data))


@asynccontextmanager
async def comeback(url: str, transport: str) -> AsyncIterator[Comeback]:
    made = Comeback()
    await made.client.connect(url, transports=[transport], wait_timeout=DEADLINE)
    try:
        yield made
    finally:
        await made.client.disconnect()


async def test_a_rolling_restart_costs_no_client_a_record(own: dict[str, str], tmp_path: Path) -> None:
    market = Market(own)
    market.publish([tick(symbol, 1) for symbol in SYMBOLS])
    ports = [spare_port(), spare_port()]
    sent = dict.fromkeys(SYMBOLS, 1)
    with ExitStack() as nodes:
        running = {port: start(nodes, own, tmp_path, port) for port in ports}
        for node in running.values():
            await asyncio.to_thread(node.await_ready)
        async with balancer(ports) as balanced, AsyncExitStack() as stack:
            await until(lambda: balanced.nodes == set(ports), lambda: "no node is ready")
            clients: list[Heard] = [
                await stack.enter_async_context(comeback(balanced.url + where, transport))
                for where, transport in [("", "websocket")] * 4 + [("?sticky=a", "polling"), ("?sticky=b", "polling")]
            ]
            command = await javascript_client()
            for where, transport in (("", "websocket"), ("?sticky=c", "polling")):
                scripted = program(command, balanced.url + where, transport, json.dumps(REQUEST), comeBack=True)
                clients.append(await stack.enter_async_context(scripted))
            await until(lambda: all(one.events("ack") for one in clients), lambda: "not all have subscribed")
            trading = asyncio.create_task(trade(market, sent))
            for port in ports:
                assert await asyncio.to_thread(running[port].end) == 0
                await until(lambda: all(back(one) for one in clients), lambda: f"{list(map(story, clients))}")
                running[port] = start(nodes, own, tmp_path, port)
                await asyncio.to_thread(running[port].await_ready)
                await until(lambda port=port: port in balanced.nodes, lambda: "not found again")  # type: ignore[misc] # a default
            trading.cancel()
            await asyncio.gather(trading, return_exceptions=True)
            await asyncio.to_thread(market.publish, [])
            await until(lambda: all(had(one) == sent for one in clients), lambda: f"{sent}: {list(map(had, clients))}")
            for one in clients:
                told_when_to_come_back(one)


def told_when_to_come_back(one: Heard) -> None:
    assert len(one.events("closing")) == len(one.events("disconnect")) == len(one.events("ack")) - 1 > 0
    assert all(closing == {"code": "shutting_down", "reconnect": True} for closing in one.events("closing"))
    told = [status for status in one.events("status") if status["code"] == "shutting_down"]
    assert len(told) == len(one.events("closing"))
    assert all(0 < status["reconnect_after_ms"] <= 5_000 for status in told)


def start(nodes: ExitStack, env: dict[str, str], folder: Path, port: int) -> Running:
    return nodes.enter_context(service("tickstream-ws-bridge", env=env, log=folder / f"{port}.log", port=port))


async def trade(market: Market, sent: dict[str, int]) -> None:
    """Publish a few trades again and again, until cancelled."""
    for symbol in itertools.cycle(SYMBOLS):
        some = [tick(symbol, sent[symbol] + number) for number in range(1, 6)]
        market.send(some)
        sent[symbol] += len(some)
        await asyncio.sleep(0.01)


def story(one: Heard) -> list[str]:
    """What it heard but trades."""
    return [str((event, data))[:100] for event, data in one.heard if event != "ticks"]


def back(one: Heard) -> bool:
    """Whether it has subscribed as often as it was connected."""
    return len(one.events("ack")) == len(one.events("disconnect")) + 1


def had(one: Heard) -> dict[str, int]:
    """The last trade of each symbol that it has had; it is an error to have had anything but each once, in order."""
    last: dict[str, int] = {}
    for event, data in one.heard:
        if event == "ack":
            assert data["ok"] is True, data
            assert data["recovered"] is bool(last), data
            last |= {record["symbol"]: record["seq"] for record in data["snapshot"]}
        elif event == "ticks":
            assert data["lost"] == 0
            for record in data["data"]:
                assert record["seq"] == last[record["symbol"]] + 1, (record, last)
                last[record["symbol"]] = record["seq"]
    return last
