"""A bridge that gets too little of the processor says so, sheds what it can't do, and catches up."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.ws_bridge.conftest import metric
from tests.support.market import Market, tick
from tests.support.programs import Running, service
from tests.support.sockets import Heard, listener, until

pytestmark = pytest.mark.integration

SYMBOLS = [f"O{number}" for number in range(20)]
OWN = {
    "WS_BRIDGE_LAG_SECONDS": "0.3",
    "WS_BRIDGE_SLOW_STEP_SECONDS": "0.3",
    "WS_BRIDGE_SLOW_LIMIT_SECONDS": "0.3",
    "WS_BRIDGE_BUFFER_RECORDS": "5000",
}
MEBIBYTE = 1_048_576


class Load:
    """Trades without a pause, and a bridge that is stopped most of the time, for as long as the block lasts."""

    def __init__(self, market: Market, bridge: Running) -> None:
        self.last = 1
        self._market = market
        self._process = bridge.child.pid
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._publish), threading.Thread(target=self._hold_back)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._market.publish([])

    def _publish(self) -> None:
        while not self._ending.wait(0.02):
            trades = [tick(symbol, self.last + number) for number in range(1, 21) for symbol in SYMBOLS]
            self._market.send(trades)
            self.last += 20

    def _hold_back(self) -> None:
        while not self._ending.is_set():
            os.kill(self._process, signal.SIGSTOP)
            time.sleep(0.5)
            os.kill(self._process, signal.SIGCONT)
            time.sleep(0.02)


@contextmanager
def load(market: Market, bridge: Running) -> Iterator[Load]:
    made = Load(market, bridge)
    made.start()
    try:
        yield made
    finally:
        made.end()


def codes(client: Heard) -> list[str]:
    return [status["code"] for status in client.events("status")]


def newest(client: Heard) -> dict[str, int]:
    return {one["symbol"]: one["seq"] for one in client.records("ticks")}


async def test_an_overloaded_bridge_tells_its_clients_sheds_mode_all_and_catches_up(
    env: dict[str, str], market: Market, tmp_path: Path
) -> None:
    await asyncio.to_thread(market.publish, [tick(symbol, 1) for symbol in SYMBOLS])
    with service("tickstream-ws-bridge", env=env | OWN, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        before = metric(bridge, "process_resident_memory_bytes")
        async with listener(bridge.url) as latest, listener(bridge.url) as everything:
            await latest.subscribe(channel="ticks", symbols=SYMBOLS)
            request = {"channel": "ticks", "symbols": SYMBOLS, "mode": "all"}
            token = (await everything.subscribe(**request))["resume"]
            with load(market, bridge) as going:
                await latest.until(lambda: "lagging" in codes(latest))
                async with listener(bridge.url) as newcomer:
                    await newcomer.until(lambda: "lagging" in codes(newcomer))
                await everything.until(lambda: everything.events("closing"))
            last = dict.fromkeys(SYMBOLS, going.last)
            await latest.until(lambda: newest(latest) == last)
            await latest.until(lambda: "caught_up" in codes(latest))
            await until(bridge.ready, lambda: "it isn't ready again")
            told = [(one["code"], one["lag_ms"]) for one in latest.events("status") if "lag_ms" in one]
            assert told[0][0] == "lagging"
            assert told[0][1] > 300 > 2 * told[-1][1]
            assert {"lagging", "slow_consumer"} <= set(codes(everything))
            assert everything.events("closing") == [{"code": "slow_consumer", "reconnect": True}]
            token = ([token] + [frame["resume"] for frame in everything.frames("ticks")])[-1]
        async with listener(bridge.url) as back:
            answer = await back.subscribe(**request, resume=token)
            snapshot = {one["symbol"]: one["seq"] for one in answer["snapshot"]}
            await back.until(lambda: newest(everything) | snapshot | newest(back) == last)
            if answer["recovered"]:
                frames = everything.frames("ticks") + back.frames("ticks")
                accounted = sum(len(frame["data"]) + frame["lost"] for frame in frames)
                assert accounted == len(SYMBOLS) * (going.last - 1)
        assert metric(bridge, "process_resident_memory_bytes") - before < 100 * MEBIBYTE
