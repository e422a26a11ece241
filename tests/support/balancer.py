"""A plain TCP load balancer: each connection to the next node that is ready, those of one `sticky` to the same."""

from __future__ import annotations

import asyncio
import contextlib
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
_LOOK_SECONDS: Final = 0.1
_ANSWER_SECONDS: Final = 5.0
_STICKY: Final = re.compile(rb"[?&]sticky=([^& ]+)")


class Balancer:
    """Passes connections on.

    A connection whose first request says `sticky=NAME` in its query goes where others of that name go, as long as
    that node answers at all: what polling needs, also to hear the last words of a node that takes in nobody else.

    Args:
        ports: of the nodes.

    Attributes:
        port: its own.
        nodes: the ports of those that are ready.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = 0
        self.nodes: set[int] = set()
        self._answering: set[int] = set()
        self._ports = list(ports)
        self._stuck: dict[bytes, int] = {}
        self._writers: set[StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://{_LOOPBACK}:{self.port}"

    async def watch(self) -> None:
        """Ask the nodes again and again whether they are ready."""
        while True:
            await asyncio.gather(*map(self._look, self._ports))
            await asyncio.sleep(_LOOK_SECONDS)

    async def serve(self, client: StreamReader, to_client: StreamWriter) -> None:
        """Pass one connection on, or end it when no node is ready."""
        self._writers.add(to_client)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await client.readuntil(b"\r\n\r\n")
            port = self._chosen(head)
            if port is not None:
                node, to_node = await asyncio.open_connection(_LOOPBACK, port)
                self._writers.add(to_node)
                to_node.write(head)
                await asyncio.gather(_pass(client, to_node), _pass(node, to_client))
                self._writers.discard(to_node)
        self._writers.discard(to_client)
        to_client.close()

    def end(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.close()

    def _chosen(self, head: bytes) -> int | None:
        name = _STICKY.search(head.partition(b"\r\n")[0])
        if name is not None and self._stuck.get(name[1]) in self._answering:
            return self._stuck[name[1]]
        self._ports.append(self._ports.pop(0))
        port = next((port for port in self._ports if port in self.nodes), None)
        if name is not None and port is not None:
            self._stuck[name[1]] = port
        return port

    async def _look(self, port: int) -> None:
        answer = await _answer(port)
        for ports, belongs in ((self._answering, answer), (self.nodes, b" 200 " in answer)):
            (ports.add if belongs else ports.discard)(port)


@asynccontextmanager
async def balancer(ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """A balancer in front of nodes of this machine."""
    made = Balancer(ports)
    server = await asyncio.start_server(made.serve, _LOOPBACK, 0)
    made.port = server.sockets[0].getsockname()[1]
    watching = asyncio.create_task(made.watch())
    try:
        yield made
    finally:
        watching.cancel()
        server.close()
        made.end()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _pass(source: StreamReader, target: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    target.close()


async def _answer(port: int) -> bytes:
    """The first line that a node answers when asked whether it is ready; empty if it doesn't."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            node, to_node = await asyncio.open_connection(_LOOPBACK, port)
            with contextlib.closing(to_node):
                to_node.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return await node.readline()
    return b""
