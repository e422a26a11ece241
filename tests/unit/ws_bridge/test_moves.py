"""However a client moves from polling to a websocket, and whatever is sent meanwhile: nothing is lost, doubled or
out of order."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.ws_bridge.adapters.engine import Bounds, Engine
from tickstream.ws_bridge.adapters.sessions import Session, Times
from tickstream.ws_bridge.domain.engine_io import BINARY, MESSAGE, Packet

EXAMPLES = int(os.environ.get("TICKSTREAM_FUZZ_EXAMPLES", "150"))
ACTIONS = st.lists(
    st.sampled_from(
        ["send", "send", "send binary", "poll", "collect", "open", "probe", "upgrade", "abandon", "breathe"]
    ),
    max_size=40,
)


class Silent:
    """A listener that only keeps what it hears."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []

    def heard(self, message: str | bytes) -> None:
        self.messages.append(message)

    def misused(self) -> None:
        raise AssertionError("the client was said not to speak the protocol")

    too_large = misused

    def ended(self) -> None:
        pass


class Mover:
    """A client that does what it is told, as far as the protocol lets it."""

    def __init__(self, http: aiohttp.ClientSession, url: str, session: Session) -> None:
        self._http = http
        self._url = f"{url}?EIO=4&sid={session.sid}&transport="
        self._session = session
        self._poll: asyncio.Task[str] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._probed = False
        self._moved = False
        self.sent = 0
        self.received: list[int] = []

    async def act(self, action: str) -> None:
        """Do it if it can be done now."""
        match action:
            case "send" | "send binary":
                kind = MESSAGE if action == "send" else BINARY
                self._session.send(Packet(kind, b"%d" % self.sent))
                self.sent += 1
            case "poll" if self._poll is None and not self._probed:
                self._poll = asyncio.create_task(self._get())
            case "collect" if self._poll is not None and self.sent > len(self.received):
                await self._collect()
            case "open" if self._socket is None:
                self._socket = await self._http.ws_connect(self._url + "websocket")
            case "probe" if self._socket is not None and not self._probed:
                await self._socket.send_str("2probe")
                assert await self._socket.receive_str() == "3probe"
                self._probed = True
                if self._poll is not None:
                    await self._collect()
            case "upgrade" if self._socket is not None and self._probed and not self._moved:
                await self._socket.send_str("5")
                self._moved = True
            case "abandon" if self._socket is not None and not self._moved:
                await self._socket.close()
                self._socket, self._probed = None, False
            case "breathe":
                await asyncio.sleep(0.001)

    async def finish(self) -> None:
        """Take what is left, by the way that is open now."""
        if self._probed and not self._moved:
            await self.act("upgrade")
        while len(self.received) < self.sent:
            if self._moved and self._socket is not None:
                message = await self._socket.receive()
                self._take(message.data if isinstance(message.data, str) else "b" + message.data.decode())
            else:
                if self._poll is None:
                    self._poll = asyncio.create_task(self._get())
                await self._collect()
        if self._poll is not None:
            self._poll.cancel()

    async def _get(self) -> str:
        async with self._http.get(self._url + "polling") as answer:
            assert answer.status == 200
            return await answer.text()

    async def _collect(self) -> None:
        if self._poll is not None:
            text = await self._poll
            self._poll = None
            for packet in text.split("\x1e"):
                self._take("b" + base64.b64decode(packet[1:]).decode() if packet[0] == "b" else packet)

    def _take(self, packet: str) -> None:
        if packet != "6":
            assert packet[0] in "4b", packet
            self.received.append(int(packet[1:]))


@asynccontextmanager
async def serving(engine: Engine) -> AsyncIterator[str]:
    """The address of an engine that is served while the block lasts."""
    app = web.Application()
    app.router.add_route("*", "/", engine.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def play(actions: list[str]) -> None:
    sessions: list[Session] = []

    def opened(session: Session) -> Silent:
        sessions.append(session)
        return Silent()

    engine = Engine(Times(60, 60, 1), Bounds(10, 65_536, compression=False), opened)
    async with serving(engine) as url, aiohttp.ClientSession() as http, asyncio.timeout(60):
        async with http.get(url + "?EIO=4&transport=polling") as answer:
            assert answer.status == 200
        mover = Mover(http, url, sessions[0])
        for action in actions:
            await mover.act(action)
        await mover.finish()
        assert mover.received == list(range(mover.sent))
        sessions[0].close()
        assert engine.sessions == {}


@settings(max_examples=EXAMPLES)
@given(ACTIONS)
def test_what_is_sent_while_a_client_moves_arrives_once_and_in_order(actions: list[str]) -> None:
    asyncio.run(play(actions))


async def test_there_are_no_more_sessions_than_there_may_be() -> None:
    engine = Engine(Times(60, 60, 1), Bounds(2, 65_536, compression=False), lambda _session: Silent())
    async with serving(engine) as url, aiohttp.ClientSession() as http:
        statuses = []
        for _ in range(3):
            async with http.get(url + "?EIO=4&transport=polling") as answer:
                statuses.append(answer.status)
        assert statuses == [200, 200, 503]
        next(iter(engine.sessions.values())).close()
        async with http.get(url + "?EIO=4&transport=polling") as answer:
            assert answer.status == 200
        for session in list(engine.sessions.values()):
            session.close()
