"""Snapshot and frames join exactly, whatever goes on; nobody suffers from a slow neighbour."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, Self

import orjson
import pytest

from tests.integration.ws_bridge.conftest import metric
from tests.support.market import Market, tick
from tests.support.programs import Running
from tests.support.sockets import Listener, listener, until

pytestmark = pytest.mark.integration

SYMBOLS = [f"J{number}" for number in range(10)]


class Traffic:
    """Trades of ten symbols, as fast as they can be published unless it pauses, until told to stop."""

    last = 1

    def __init__(self, market: Market, pause: float) -> None:
        self._market = market
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            batch = []
            for _ in range(20):
                Traffic.last += 1
                batch += [tick(symbol, Traffic.last) for symbol in SYMBOLS]
            self._market.send(batch)
            if self._pause:
                time.sleep(self._pause)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> int:
        self._stop.set()
        self._thread.join()
        self._market.publish([])
        return self.last


@contextmanager
def traffic(market: Market, pause: float = 0.0) -> Iterator[Traffic]:
    # The last test's trade once more would rightly be counted as one that was left out.
    Traffic.last += 1
    market.publish([tick(symbol, Traffic.last) for symbol in SYMBOLS])
    made = Traffic(market, pause)
    made.start()
    try:
        yield made
    finally:
        made.end()


def has_records(client: Listener, count: int) -> bool:
    return len(client.records("ticks")) > count


def joined(client: Listener, answer: dict[str, Any], symbol: str) -> list[int]:
    seen = [one["seq"] for one in answer["snapshot"] if one["symbol"] == symbol]
    return seen + [one["seq"] for one in client.records("ticks") if one["symbol"] == symbol]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_mode_all_joins_snapshot_and_live_without_gap_or_overlap(
    bridge: Running, market: Market, transport: str
) -> None:
    with traffic(market, 0.01) as going:
        await asyncio.to_thread(until_known, bridge)
        for _ in range(5):
            async with listener(bridge.url, [transport]) as client:
                answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all")
                await client.until(partial(has_records, client, 1_000))
                for symbol in SYMBOLS:
                    seen = joined(client, answer, symbol)
                    assert seen == list(range(seen[0], seen[0] + len(seen)))
                assert client.lost("ticks") == 0
        async with listener(bridge.url, [transport]) as client:
            answer = await client.subscribe(channel="ticks", symbols=["*"], mode="all")
            await client.until(lambda: len(client.records("ticks")) > 1_000)
            last = going.end()
            await client.until(lambda: all(joined(client, answer, symbol)[-1] == last for symbol in SYMBOLS))
            for symbol in SYMBOLS:
                seen = joined(client, answer, symbol)
                assert seen == list(range(seen[0], last + 1))


async def test_mode_latest_ends_at_the_last_trade_and_counts_every_one_it_left_out(
    bridge: Running, market: Market
) -> None:
    with traffic(market) as going:
        await asyncio.to_thread(until_known, bridge)
        async with listener(bridge.url) as client:
            answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, maxHz=5)
            await client.until(lambda: len(client.frames("ticks")) >= 5)
            last = going.end()
            await client.until(lambda: all(joined(client, answer, symbol)[-1] == last for symbol in SYMBOLS))
            published = sum(last - joined(client, answer, symbol)[0] for symbol in SYMBOLS)
            assert len(client.records("ticks")) + client.lost("ticks") == published
            for frame in client.frames("ticks"):
                symbols = [record["symbol"] for record in frame["data"]]
                assert len(symbols) == len(set(symbols))


async def test_a_slow_client_delays_nobody_is_told_and_disconnected(bridge: Running, market: Market) -> None:
    with traffic(market, 0.01):
        await asyncio.to_thread(until_known, bridge)
        async with listener(bridge.url) as healthy, stopped_reader(bridge.url) as slow:
            await healthy.subscribe(channel="ticks", symbols=SYMBOLS, mode="all")
            await until(lambda: disconnects(bridge) > 0, lambda: "the slow client is still connected", 120)
            last_words = await slow.read_on()
            assert b'42["status",{"code":"slow_consumer"' in last_words
            assert b'42["closing",{"code":"slow_consumer","reconnect":true}]' in last_words
            assert healthy.lost("ticks") == 0
            assert not healthy.events("closing")
            stamps = [frame["data"][-1]["ts_ingest_ms"] for frame in healthy.frames("ticks")]
            # The healthy client went on being served all the time that the other was waited for.
            assert max(later - earlier for earlier, later in pairwise(stamps)) < 3_000


class stopped_reader:  # noqa: N801 - used as a block
    """A client that subscribes to everything and never reads."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        host, port = self._url.removeprefix("http://").split(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port), limit=1024)
        self._writer.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        await self._reader.readuntil(b"\r\n\r\n")
        request = orjson.dumps(["subscribe", {"channel": "ticks", "symbols": ["*"], "mode": "all"}])
        for message in (b"40", b"420" + request):
            self._writer.write(_masked(message))
            await asyncio.sleep(0.5)
        self._reader._transport.pause_reading()  # type: ignore[attr-defined] # it has no other way
        return self

    async def read_on(self) -> bytes:
        """Take everything up to the end of the connection."""
        self._reader._transport.resume_reading()  # type: ignore[attr-defined] # nor back
        return await self._reader.read()

    async def __aexit__(self, *_error: object) -> None:
        self._writer.close()


def _masked(payload: bytes) -> bytes:
    return bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload


def disconnects(bridge: Running) -> float:
    return metric(bridge, 'tickstream_ws_bridge_disconnects_total{code="slow_consumer"}')


def until_known(bridge: Running) -> None:
    """Wait until the bridge has read a trade of each symbol."""
    deadline = time.monotonic() + 60

    async def known() -> bool:
        async with listener(bridge.url) as client:
            answer = await client.subscribe(channel="ticks", symbols=SYMBOLS)
            return not answer["rejected"]

    while not asyncio.run(known()):
        assert time.monotonic() < deadline
