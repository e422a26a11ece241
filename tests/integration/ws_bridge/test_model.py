"""Clients do whatever they like on three bridges of which one is killed again and again, and have what the log has.

TICKSTREAM_MODEL_SECONDS lets it go on for longer, TICKSTREAM_MODEL_SEED go another way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.support.market import Market
from tests.support.ports import spare_port
from tests.support.programs import Running, service
from tests.support.resuming import Wish
from tests.support.servers import Servers, isolated
from tests.support.sockets import until
from tests.support.topics import read_rows
from tests.support.travelling import Trades, Traveller

pytestmark = pytest.mark.integration

SECONDS = float(os.environ.get("TICKSTREAM_MODEL_SECONDS", "12"))
SEED = int(os.environ.get("TICKSTREAM_MODEL_SEED", "1"))
SYMBOLS = [f"M{number}" for number in range(8)]
NODES = 3


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found | {"WS_BRIDGE_RESUME_SECONDS": "15", "WS_BRIDGE_REST_SECONDS": "0.2"}


class Nodes:
    """Bridges at fixed ports, of which all but one may be killed and started again."""

    def __init__(self, env: dict[str, str], folder: Path, stack: ExitStack) -> None:
        self._env = env
        self._folder = folder
        self._stack = stack
        self._running: dict[int, Running] = {}
        for _ in range(NODES):
            self._start(spare_port())
        for node in self._running.values():
            node.await_ready()

    def urls(self) -> list[str]:
        return [node.url for node in self._running.values()]

    async def turmoil(self, chosen: Random, until_then: float) -> int:
        """Kill one after the other, each as soon as the one before is ready; gives how many."""
        kills = 0
        while time.monotonic() < until_then:
            await asyncio.sleep(chosen.random())
            port = chosen.choice(list(self._running))
            assert await asyncio.to_thread(self._running.pop(port).end, signal.SIGKILL) == -signal.SIGKILL
            kills += 1
            await asyncio.sleep(chosen.random())
            self._start(port)
            await asyncio.to_thread(self._running[port].await_ready)
        return kills

    def _start(self, port: int) -> None:
        log = self._folder / f"{port}.log"
        self._running[port] = self._stack.enter_context(
            service("tickstream-ws-bridge", env=self._env, log=log, port=port)
        )


async def wander(one: Traveller, nodes: Nodes, chosen: Random, until_then: float, *, changing: bool) -> None:
    """Come, stay a while, change one's mind, go elsewhere."""
    while time.monotonic() < until_then:
        await asyncio.sleep(chosen.choice((0.0, 0.05, 0.3)))
        if one.client is None:
            await come(one, nodes, chosen)
        elif chosen.random() < 0.3:
            await one.leave()
        elif changing:
            await one.change(chosen)


async def come(one: Traveller, nodes: Nodes, chosen: Random) -> None:
    with contextlib.suppress(ConnectionError):  # that one may just have been killed
        await one.come(chosen.choice(nodes.urls()))


async def trade(market: Market, trades: Trades, chosen: Random, until_then: float) -> None:
    while time.monotonic() < until_then:
        await asyncio.to_thread(market.send, trades.some(chosen.randrange(300), chosen))
        await asyncio.sleep(chosen.choice((0.0, 0.02, 0.2)))


async def test_whatever_happens_each_client_has_the_logs_sequence(own: dict[str, str], tmp_path: Path) -> None:
    chosen = Random(SEED)  # noqa: S311 - no secret
    market, trades = Market(own), Trades(SYMBOLS)
    market.publish(trades.first())
    changing = [Traveller(trades) for _ in range(6)]
    steady = {mode: Traveller(trades) for mode in ("all", "latest")}
    for number, one in enumerate(changing):
        one.ledger.wishes.append(Wish(SYMBOLS[: 1 + number], chosen.choice(("all", "latest"))))
    for mode, one in steady.items():
        one.ledger.wishes.append(Wish(list(SYMBOLS), mode))
    everyone = [*changing, *steady.values()]
    with ExitStack() as stack:
        nodes = await asyncio.to_thread(Nodes, own, tmp_path, stack)
        then = time.monotonic() + SECONDS
        async with asyncio.TaskGroup() as tasks:
            turmoil = tasks.create_task(nodes.turmoil(Random(chosen.random()), then))  # noqa: S311 - no secret
            tasks.create_task(trade(market, trades, Random(chosen.random()), then))  # noqa: S311 - no secret
            for one in everyone:
                own_way = Random(chosen.random())  # noqa: S311 - no secret
                tasks.create_task(wander(one, nodes, own_way, then, changing=one in changing))
        assert turmoil.result() > 0
        await asyncio.to_thread(market.publish, trades.some(100, chosen))
        for one in everyone:
            while one.client is None:
                await come(one, nodes, chosen)
        await until(
            lambda: all(one.has_all() for one in everyone),
            lambda: f"{trades.last}: {[one.ledger for one in everyone]}",
        )
        for one in everyone:
            await one.leave()
    log = [(row["symbol"], row["seq"]) for row in await asyncio.to_thread(read_rows, own, "stock_ticks")]
    for symbol, last in trades.last.items():
        assert [seq for name, seq in log if name == symbol] == list(range(1, last + 1))
    for mode, one in steady.items():
        sent = sum(trades.last[symbol] - one.ledger.began[symbol] for symbol in SYMBOLS)
        assert one.ledger.records + one.ledger.lost == sent
        assert mode == "latest" or one.ledger.lost == 0
