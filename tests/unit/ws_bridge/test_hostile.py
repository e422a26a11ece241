"""Random and mutated frames of all layers against the whole bridge but for Kafka, and a healthy client beside them.

TICKSTREAM_FUZZ_EXAMPLES sets how many; the suite's few take seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import aiohttp
import msgpack
import orjson
import pytest
import structlog
import uvloop
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile import BINARIES, KEY, TEXTS, bodies, frames, websocket_frame
from tests.support.sockets import until
from tickstream.core.settings import load
from tickstream.ws_bridge.adapters.http_log import http_logger
from tickstream.ws_bridge.domain.entry import CHANNELS, Entry
from tickstream.ws_bridge.main import Bridge
from tickstream.ws_bridge.settings import WsBridgeSettings

EXAMPLES: Final = int(os.environ.get("TICKSTREAM_FUZZ_EXAMPLES", "150"))
FUZZED = settings(max_examples=EXAMPLES)
SILENCE: Final = 0.05
HELLO: Final = {
    "nothing": b"",
    "json": websocket_frame(b"40"),
    "messagepack": websocket_frame(msgpack.packb({"type": 0, "nsp": "/"}), 2),
}
ENV: Final = {
    "WS_BRIDGE_PING_INTERVAL_SECONDS": "0.5",
    "WS_BRIDGE_PING_TIMEOUT_SECONDS": "5",
    "WS_BRIDGE_CONNECT_SECONDS": "0.5",
    "WS_BRIDGE_COMMANDS_PER_SECOND": "1000",
}


class Witness:
    """A client that keeps to the protocol, and has to get every record."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self.heard: list[int] = []
        self.answers = 0
        self.wanted = 0

    async def run(self) -> None:
        """Subscribe, and listen until cancelled."""
        async with self._http.ws_connect(f"{self._url}/socket.io/?EIO=4&transport=websocket") as socket:
            self._socket = socket
            await socket.send_str("40")
            request = {"channel": "ticks", "symbols": ["SPY"], "mode": "all"}
            async for message in socket:
                if message.data == "2":
                    await socket.send_str("3")
                elif message.data.startswith("40"):
                    await socket.send_str(f"420{json.dumps(['subscribe', request])}")
                elif message.data.startswith("43"):
                    assert json.loads(message.data[message.data.index("[") :])[0]["ok"] is True, message.data
                    self.answers += 1
                elif message.data.startswith('42["ticks"'):
                    self.heard += [record["seq"] for record in json.loads(message.data[2:])[1]["data"]]
        raise AssertionError("the witness was disconnected")


class Complaints(logging.Handler):
    """Keeps what the libraries log as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.heard.append(f"{record.getMessage()}: {error!r}")


async def becomes(what: str, look: Callable[[], object], expected: object) -> None:
    await until(lambda: look() == expected, lambda: f"{what}: {look()} instead of {expected}")


class Target:
    """A bridge in a thread of its own, with its own loop, so that hypothesis can drive it from without."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.number = 0
        self._loop = uvloop.new_event_loop()
        self._loop.set_exception_handler(lambda _loop, context: self.failures.append(repr(context)))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.do(self._start())

    def do(self, work: Awaitable[Any]) -> Any:
        """Run something in the bridge's loop."""

        async def awaited() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(120)

    async def _start(self) -> None:
        self.bridge = Bridge(load(WsBridgeSettings, "WS_BRIDGE", [], ENV))
        for channel in CHANNELS:
            self.bridge.hub.positions.open(channel, b"a key of this test", "epoch", {0: 0})
        self.bridge.hub.market.know(["SPY"])
        self.bridge.loaded.set()
        self.runner = web.AppRunner(self.bridge.application(), access_log=None, logger=http_logger(self.bridge.audit))
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ending = asyncio.Event()
        self._flushing = asyncio.create_task(self.bridge.flusher.run(self._ending))
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self.witness = Witness(self.http, self.url)
        self._witnessing = asyncio.create_task(self.witness.run())
        await until(lambda: self.witness.answers == 1, lambda: "the witness isn't subscribed")
        await self.settled()
        self._tasks = len(asyncio.all_tasks())

    async def stop(self) -> None:
        """End it."""
        self._witnessing.cancel()
        await self.http.close()
        await self.bridge.resumes.stop()
        await self.bridge.clients.end_all()
        self._ending.set()
        await self._flushing
        await self.bridge.clients.server.shutdown()
        await self.runner.cleanup()

    def close(self) -> None:
        """End it and its thread."""
        self.do(self.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def websocket(self, data: bytes, rude: bool) -> None:
        """Send bytes over a websocket, read until it is silent, and go."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        writer.write(
            head + b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
        )
        writer.write(data)
        with suppress(TimeoutError, ConnectionError):
            while await asyncio.wait_for(reader.read(65_536), SILENCE):
                pass
        if rude:
            writer.transport.abort()
        else:
            writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def polling(self, posts: list[bytes], polls: bool) -> None:
        """Post bodies in a session, poll once, and go without a word."""
        address = f"{self.url}/socket.io/?EIO=4&transport=polling"
        async with self.http.get(address) as opened:
            address += "&sid=" + json.loads((await opened.text())[1:])["sid"]
        for body in posts:
            async with self.http.post(address, data=body) as answer:
                assert answer.status in (200, 400, 413), answer
        if polls:
            with suppress(TimeoutError):
                async with self.http.get(address, timeout=aiohttp.ClientTimeout(SILENCE)) as answer:
                    assert answer.status in (200, 400), answer
                    await answer.read()

    async def raw(self, data: bytes) -> None:
        """Send bytes that may not even be HTTP."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        with suppress(TimeoutError, ConnectionError):
            while await asyncio.wait_for(reader.read(65_536), SILENCE):
                pass
        writer.transport.abort()

    async def publish(self) -> None:
        """One more trade."""
        self.number += 1
        route = ("ticks", "", "SPY")
        body = orjson.dumps({"symbol": "SPY", "seq": self.number})
        self.bridge.hub.tick(Entry(route, route, body, 0, self.number))

    async def settled(self) -> None:
        """Wait until nothing is left of anyone but the witness, who has had everything."""
        bridge, server = self.bridge, self.bridge.clients.server
        holds: list[tuple[str, Callable[[], object], object]] = [
            ("clients", lambda: len(bridge.clients), 1),
            ("peers", lambda: len(server._peers), 1),
            ("clients of the server", lambda: len(server._clients), 1),
            ("sessions", lambda: len(server._engine.sessions), 1),
            ("subscriptions", lambda: len(bridge.hub.subscriptions.all), 1),
            ("readers", lambda: len(bridge.hub.subscriptions._of_client), 1),
            ("background work", lambda: len(bridge.clients._tasks._running), 0),
            ("connections", lambda: len(self.runner.server.connections) if self.runner.server else 0, 1),
            ("trades", lambda: self.witness.heard, list(range(1, self.number + 1))),
        ]
        for what, look, expected in holds:
            await becomes(what, look, expected)

    async def healthy(self) -> None:
        """Nothing is left over, nothing failed, and the bridge still answers its witness."""
        await self.settled()
        await until(lambda: len(asyncio.all_tasks()) <= self._tasks + 1, lambda: repr(asyncio.all_tasks()))
        answers = self.witness.answers
        await self.witness._socket.send_str('421["time"]')
        await until(lambda: self.witness.answers == answers + 1, lambda: "the witness isn't answered")
        assert self.failures == []


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    log = structlog.testing.LogCapture()
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[log])
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    made = Target()
    yield made
    made.do(made.healthy())
    made.close()
    logging.getLogger().removeHandler(complaints)
    structlog.configure(processors=before)
    assert [one for one in log.entries if one["log_level"] in ("error", "critical")] == []
    assert complaints.heard == []


@FUZZED
@given(st.sampled_from(sorted(HELLO)), st.lists(frames(), min_size=1, max_size=5), st.booleans())
def test_frames_on_a_websocket(target: Target, hello: str, sent: list[bytes], rude: bool) -> None:
    target.do(target.publish())
    target.do(target.websocket(HELLO[hello] + b"".join(sent), rude))


@FUZZED
@given(st.lists(bodies, max_size=3), st.booleans(), st.booleans())
def test_bodies_of_posts(target: Target, sent: list[bytes], connected: bool, polls: bool) -> None:
    target.do(target.publish())
    target.do(target.polling([b"40", *sent] if connected else sent, polls))


QUERIES = [b"", b"?", b"?EIO=4&transport=polling", b"?EIO=4&transport=websocket", b"?sid=x&transport=polling&EIO=4"]
HEADERS = [
    b"",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Content-Length: 9\r\n",
    b"Transfer-Encoding: chunked\r\n",
]


@FUZZED
@given(
    st.sampled_from([b"GET", b"POST", b"PUT", b"OPTIONS", b"HEAD", b"G\x00T"]),
    st.sampled_from(QUERIES),
    st.lists(st.sampled_from(HEADERS), max_size=3).map(b"".join),
    st.binary(max_size=40),
)
def test_requests(target: Target, method: bytes, query: bytes, headers: bytes, body: bytes) -> None:
    head = method + b" /socket.io/" + query + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + b"\r\n"
    target.do(target.raw(head + body))


@pytest.mark.parametrize("hello", sorted(HELLO))
def test_every_packet_of_the_corpus(target: Target, hello: str) -> None:
    for text in TEXTS:
        target.do(target.websocket(HELLO[hello] + websocket_frame(text.encode()), rude=False))
    for binary in BINARIES:
        target.do(target.websocket(HELLO[hello] + websocket_frame(binary, 2), rude=True))


def test_a_flood_of_small_frames_keeps_nobody_waiting(target: Target) -> None:
    for one in (b"3", b"6", b'42["time"]', b'421["time"]', b"41"):
        target.do(target.publish())
        target.do(target.websocket(HELLO["json"] + websocket_frame(one) * 5_000, rude=True))
    target.do(target.healthy())
