"""A TCP relay that can cut what goes through it, and refuse to be connected to for a while."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LOOPBACK = "127.0.0.1"


class Relay:
    """Passes connections on to a port of this machine.

    Attributes:
        refusing: whether new connections are ended at once.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._open: set[StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.refusing = False

    @property
    def url(self) -> str:
        """Where it listens."""
        port = self._server.sockets[0].getsockname()[1] if self._server is not None else 0
        return f"http://{_LOOPBACK}:{port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._connected, _LOOPBACK, 0)

    def cut(self) -> None:
        """End every connection, with nothing said."""
        for writer in self._open:
            writer.transport.abort()

    async def close(self) -> None:
        """End everything."""
        self.refusing = True
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(_LOOPBACK, self._to)
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_pass(reader, back))
                ways.create_task(_pass(there, writer))
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()


async def _pass(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay(to: int) -> AsyncIterator[Relay]:
    """A relay to a port, ended with the block."""
    made = Relay(to)
    await made.start()
    try:
        yield made
    finally:
        await made.close()
