"""Engine.IO by hand, over polling and websocket: what a client could send, not only what stock clients do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.sockets import DEADLINE

Body = str | bytes | AsyncIterator[bytes]
SEPARATOR = "\x1e"
CLOSED = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


class Door:
    """The address of a bridge's socket, and an HTTP client to knock with."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = f"{url}/socket.io/"

    async def ask(self, method: str, body: Body | None = None, **query: str) -> tuple[int, str]:
        """One HTTP request with this query; gives status and text."""
        async with self._http.request(method, self._url, params=query, data=body) as answer:
            return answer.status, await answer.text()

    async def polling(self, **query: str) -> Polling:
        """A new session over polling."""
        status, text = await self.ask("GET", EIO="4", transport="polling", **query)
        assert (status, text[:1]) == (200, "0"), (status, text)
        return Polling(self, json.loads(text[1:]))

    @asynccontextmanager
    async def websocket(self, sid: str | None = None, **query: str) -> AsyncIterator[WebSocket]:
        """A websocket: a session of its own, or one on its way up from polling."""
        known = {"sid": sid} if sid is not None else {}
        parameters = {"EIO": "4", "transport": "websocket", **known, **query}
        async with self._http.ws_connect(self._url, params=parameters, max_msg_size=0) as socket:
            made = WebSocket(socket)
            if sid is None:
                opened = await made.text()
                assert opened[:1] == "0", opened
                made.handshake = json.loads(opened[1:])
            yield made


class Polling:
    """A session over polling."""

    def __init__(self, door: Door, handshake: dict[str, Any]) -> None:
        self._door = door
        self.handshake = handshake
        self.sid: str = handshake["sid"]
        self._query = {"EIO": "4", "transport": "polling", "sid": self.sid}

    async def poll(self, **query: str) -> tuple[int, str]:
        """Status and text of a GET."""
        return await self._door.ask("GET", **self._query, **query)

    async def post(self, body: Body) -> tuple[int, str]:
        """Status and text of a POST."""
        return await self._door.ask("POST", body, **self._query)

    async def send(self, *packets: str) -> None:
        """Post packets, which must be taken."""
        assert await self.post(SEPARATOR.join(packets)) == (200, "ok")

    async def packets(self, count: int) -> list[str]:
        """The next packets but for pings, which are answered."""
        heard: list[str] = []
        async with asyncio.timeout(DEADLINE):
            while len(heard) < count:
                status, text = await self.poll()
                assert status == 200, text
                for packet in text.split(SEPARATOR):
                    if packet == "2":
                        await self.send("3")
                    else:
                        heard.append(packet)
        return heard


class WebSocket:
    """A session over websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.handshake: dict[str, Any] = {}

    async def send(self, packet: str | bytes) -> None:
        """Send one message."""
        await (self.socket.send_bytes(packet) if isinstance(packet, bytes) else self.socket.send_str(packet))

    async def message(self) -> str | bytes:
        """The next message but for pings, which are answered."""
        while True:
            heard = await self.socket.receive(DEADLINE)
            assert heard.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), heard
            if heard.data != "2":
                message: str | bytes = heard.data
                return message
            await self.send("3")

    async def text(self) -> str:
        """The same, which must be text."""
        message = await self.message()
        assert isinstance(message, str), message
        return message

    async def binary(self) -> bytes:
        """The same, which must be binary."""
        message = await self.message()
        assert isinstance(message, bytes), message
        return message

    async def connect(self, packet: str = "40") -> str:
        """Connect to the namespace; gives the answer."""
        await self.send(packet)
        return await self.text()

    async def until_closed(self) -> list[str | bytes]:
        """What still comes before the server ends the connection; pings aren't answered."""
        heard: list[str | bytes] = []
        async with asyncio.timeout(DEADLINE):
            while True:
                message = await self.socket.receive()
                if message.type in CLOSED:
                    return heard
                heard.append(message.data)


@asynccontextmanager
async def door(url: str) -> AsyncIterator[Door]:
    """A door that is closed with the block."""
    async with aiohttp.ClientSession() as http:
        yield Door(http, url)
