"""The stock clients of Socket.IO, with a memory."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio
import socketio.exceptions

from tests.support.node import installed, node

DEADLINE = 60.0


class Heard:
    """Everything that a client has heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def frames(self, channel: str) -> list[dict[str, Any]]:
        """The frames of a channel."""
        return [data for event, data in self.heard if event == channel]

    def records(self, channel: str) -> list[dict[str, Any]]:
        """Their records, in order."""
        return [record for frame in self.frames(channel) for record in frame["data"]]

    def lost(self, channel: str) -> int:
        """How many records the frames said were left out."""
        return sum(frame["lost"] for frame in self.frames(channel))

    def events(self, name: str) -> list[Any]:
        """What came with the events of this name."""
        return [data for event, data in self.heard if event == name]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for something to have been heard."""
        await until(holds, lambda: f"heard only {str(self.heard[-5:])[:2000]}")


class Listener(Heard):
    """The stock Python client, connected."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        super().__init__()
        self.client = client
        client.on("*", self._hear)
        client.on("disconnect", self._disconnected)

    async def _hear(self, event: str, data: Any) -> None:
        self.heard.append((event, data))

    async def _disconnected(self, reason: str) -> None:
        self.heard.append(("disconnect", reason))

    async def ask(self, command: str, *arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its acknowledgement."""
        answer = await self.client.call(command, arguments, timeout=20)
        assert isinstance(answer, dict), answer
        return answer

    async def subscribe(self, **fields: Any) -> dict[str, Any]:
        """Subscribe, and expect it to be accepted."""
        answer = await self.ask("subscribe", fields)
        assert answer["ok"] is True, answer
        return answer


class Program(Heard):
    """A stock client of another language, in a process of its own."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    async def listen(self) -> None:
        """Keep what the process prints."""
        if self._process.stdout is not None:
            async for line in self._process.stdout:
                event, data = json.loads(line)
                self.heard.append((event, data))

    def leave(self) -> None:
        """Let it disconnect."""
        if self._process.stdin is not None:
            self._process.stdin.close()


async def until(holds: Callable[[], object], otherwise: Callable[[], str], limit: float = DEADLINE) -> None:
    """Wait for a condition; fails only when it hasn't come true long after it should have."""
    deadline = time.monotonic() + limit
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        await asyncio.sleep(0.02)


@asynccontextmanager
async def listener(
    url: str, transports: list[str] | None = None, auth: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[Listener]:
    """A client, connected and in the end disconnected."""
    client = socketio.AsyncClient(reconnection=False, **options)
    made = Listener(client)
    await client.connect(url, transports=transports or ["websocket"], auth=auth, wait_timeout=DEADLINE)
    try:
        yield made
    finally:
        await client.disconnect()


async def refusal(url: str, transports: list[str], auth: Any, **options: Any) -> dict[str, Any]:
    """What a client that isn't let in is told."""
    client = socketio.AsyncClient(reconnection=False, **options)
    told: list[dict[str, Any]] = []
    client.on("connect_error", told.append)
    try:
        await client.connect(url, transports=transports, auth=auth, wait_timeout=DEADLINE)
    except socketio.exceptions.ConnectionError:
        return told[0]
    await client.disconnect()
    raise AssertionError("the client was let in")


async def javascript_client() -> list[str]:
    """The command of the JavaScript client."""
    return [str(await asyncio.to_thread(node)), str(await asyncio.to_thread(installed) / "client.mjs")]


@asynccontextmanager
async def program(
    command: list[str], url: str, transports: str, request: str, **options: Any
) -> AsyncIterator[Program]:
    """A client of another language, subscribing at once with `request`, in JSON; its options are in client.mjs."""
    arguments = [*command, url, transports, request, json.dumps(options)]
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    made = Program(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


@asynccontextmanager
async def javascript(url: str, transports: str, request: str, auth: str | None = None) -> AsyncIterator[Program]:
    """The JavaScript client; `auth` in JSON."""
    options = {} if auth is None else {"auth": json.loads(auth)}
    async with program(await javascript_client(), url, transports, request, **options) as made:
        yield made
