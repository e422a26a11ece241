"""Clients that stop reading: Socket.IO by hand, so that nothing reads on behind their backs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp

from tests.support.sockets import Heard

_RECORD_SEPARATOR = "\x1e"
_PATH = "/socket.io/?EIO=4&transport="


class Stopped(Heard):
    """A client that reads only when it is told to."""

    def __init__(self, way: _Way) -> None:
        super().__init__()
        self._way = way
        self._acknowledged: list[dict[str, Any]] = []

    async def subscribe(self, **fields: Any) -> dict[str, Any]:
        """Subscribe, and read as far as the acknowledgement."""
        await self._way.send("420" + json.dumps(["subscribe", fields]))
        while not self._acknowledged:
            await self.read_some()
        answer = self._acknowledged.pop()
        assert answer["ok"] is True, answer
        return answer

    async def read_to_the_end(self) -> None:
        """Read until the connection has ended."""
        while await self.read_some():
            pass

    async def read_until_heard(self, event: str, code: str) -> None:
        """Read until an event with this code has come."""
        while not any(one["code"] == code for one in self.events(event)):
            assert await self.read_some(), f"the connection has ended: {str(self.heard[-3:])[:1000]}"

    async def read_some(self) -> bool:
        """Read what comes next; False when the connection has ended."""
        packets = await self._way.receive()
        for packet in packets:
            if packet == "2":
                await self._way.send("3")
            elif packet.startswith("430"):
                [answer] = json.loads(packet[3:])
                self._acknowledged.append(answer)
            elif packet.startswith("42"):
                event, data = json.loads(packet[2:])
                self.heard.append((event, data))
        return bool(packets)


class _Way(Protocol):
    async def send(self, packet: str) -> None: ...

    async def receive(self) -> list[str]:
        """The next packets; none when the connection has ended."""
        ...


class _Websocket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, packet: str) -> None:
        await self._socket.send_str(packet)

    async def receive(self) -> list[str]:
        message = await self._socket.receive()
        return [message.data] if message.type is aiohttp.WSMsgType.TEXT else []


class _Polling:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def send(self, packet: str) -> None:
        async with self._http.post(self._url, data=packet) as answer:
            assert answer.status == 200

    async def receive(self) -> list[str]:
        async with self._http.get(self._url) as answer:
            packets = (await answer.text()).split(_RECORD_SEPARATOR) if answer.status == 200 else []
            return [packet for packet in packets if packet != "1"]


@asynccontextmanager
async def stopped(url: str, transport: str) -> AsyncIterator[Stopped]:
    """A client, connected; it has stopped to read until it is told to."""
    async with aiohttp.ClientSession() as http:
        if transport == "websocket":
            async with http.ws_connect(url + _PATH + transport) as socket:
                yield await _connected(_Websocket(socket))
        else:
            async with http.get(url + _PATH + transport) as opened:
                sid = json.loads((await opened.text())[1:])["sid"]
            session = f"{url}{_PATH}{transport}&sid={sid}"
            yield await _connected(_Polling(http, session))
            await http.post(session, data="1")


async def _connected(way: _Way) -> Stopped:
    await way.send("40")
    while not any(packet.startswith("40") for packet in await way.receive()):
        pass
    return Stopped(way)
