"""Sessions that are over go at once, without the collector of cyclic garbage."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import aiohttp
import pytest
from aiohttp import web

from tests.support.sockets import until
from tickstream.ws_bridge.adapters.engine import Bounds, Engine
from tickstream.ws_bridge.adapters.sessions import Session, Times


class Listener:
    """In a cycle with its session, as those of the bridge are."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def heard(self, message: str | bytes) -> None:
        pass

    def misused(self) -> None:
        pass

    too_large = ended = misused


def abort(socket: aiohttp.ClientWebSocketResponse) -> None:
    """End the connection without a word."""
    transport = socket._response.connection.transport  # type: ignore[union-attr]
    transport.abort()  # type: ignore[union-attr]


@pytest.fixture
def _uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_uncollected")
async def test_nothing_is_kept_of_those_that_are_over() -> None:
    kept: weakref.WeakSet[Listener] = weakref.WeakSet()

    def opened(session: Session) -> Listener:
        listener = Listener(session)
        kept.add(listener)
        return listener

    engine = Engine(Times(25, 20, 1), Bounds(1_000, 65_536, compression=False), opened)
    app = web.Application()
    app.router.add_route("*", "/", engine.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            for turn in range(40):
                socket = await http.ws_connect("/?EIO=4&transport=websocket")
                await socket.receive()
                if turn % 2:
                    await socket.close()
                else:
                    abort(socket)
            await until(lambda: not kept, lambda: f"{len(kept)} are kept")
            assert not engine.sessions
    finally:
        await runner.cleanup()
