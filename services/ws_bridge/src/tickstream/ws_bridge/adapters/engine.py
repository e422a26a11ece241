"""Engine.IO (protocol revision 4) over aiohttp: polling, websockets, and the way from one to the other."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType, web

from tickstream.ws_bridge.adapters.sessions import Listener, Session, Times, Websocket
from tickstream.ws_bridge.domain.engine_io import OPEN, Packet, PacketError, payload, read_payload

_VERSION: Final = "4"
_UPGRADE_SECONDS: Final = 10.0
_BODY_SECONDS: Final = 10.0
_WORTH_COMPRESSING: Final = 1_024
_BAD_REQUEST: Final = "the request doesn't follow Engine.IO's protocol, revision 4"
_TOO_MANY: Final = "there are as many sessions as this node takes: try again, or another node"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What there may be.

    Attributes:
        sessions: at once, also of those who have only just begun.
        post_bytes: in a POST.
        compression: whether clients may have their websockets compressed.
    """

    sessions: int
    post_bytes: int
    compression: bool


class Engine:
    """The sessions, and the requests to them.

    Args:
        times: of every session.
        bounds: of all of them.
        opened: gives the listener of a new session.
    """

    def __init__(self, times: Times, bounds: Bounds, opened: Callable[[Session], Listener]) -> None:
        self.times = times
        self.sessions: dict[str, Session] = {}
        self._bounds = bounds
        self._opened = opened

    def forget(self, session: Session) -> None:
        """A session is over."""
        del self.sessions[session.sid]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request to the socket's path."""
        query = request.query
        session = self.sessions.get(query.get("sid", ""))
        if request.method == "OPTIONS":
            return _answer(request, headers={"Access-Control-Allow-Methods": "GET, POST"})
        match request.method, query.get("transport"):
            case "GET", "polling" | "websocket" if "sid" not in query and query.get("EIO") == _VERSION:
                return await self._begin(request)
            case "GET", "websocket" if session is not None:
                return await self._websocket(request, session)
            case "GET", "polling" if session is not None:
                return await self._poll(request, session)
            case "POST", "polling" if session is not None:
                return await self._post(request, session)
        return _refused(request)

    async def _begin(self, request: web.Request) -> web.StreamResponse:
        if len(self.sessions) >= self._bounds.sessions:
            return _refused(request, 503)
        if request.query["transport"] == "websocket":
            return await self._websocket(request, None)
        return _answer(request, payload(self._open(request, ["websocket"]).taken()))

    def _open(self, request: web.Request, upgrades: list[str]) -> Session:
        session = Session(self, secrets.token_urlsafe(15), request.remote or "unknown")
        self.sessions[session.sid] = session
        session.listener = self._opened(session)
        handshake = {
            "sid": session.sid,
            "upgrades": upgrades,
            "pingInterval": round(self.times.ping_interval * 1000),
            "pingTimeout": round(self.times.ping_timeout * 1000),
            "maxPayload": self._bounds.post_bytes,
        }
        session.send(Packet(OPEN, json.dumps(handshake, separators=(",", ":")).encode()))
        return session

    async def _poll(self, request: web.Request, session: Session) -> web.Response:
        if session.over_websocket:
            return _refused(request)
        if session.polled:
            session.close()
            return _refused(request)
        packets = await session.poll()
        if request.transport is None or request.transport.is_closing():
            session.close()  # what was taken is lost: the client comes back and resumes
        return _answer(request, payload(packets))

    async def _post(self, request: web.Request, session: Session) -> web.Response:
        if session.over_websocket:
            return _refused(request)
        if session.posting:
            session.close()  # two at once have no order
            return _refused(request)
        session.posting = True
        try:
            for packet in read_payload(await self._body(request)):
                session.receive(packet)
        except PacketError:
            session.close()
            return _refused(request)
        finally:
            session.posting = False
        return _answer(request, b"ok")

    async def _body(self, request: web.Request) -> bytes:
        """The body of a POST.

        Raises:
            PacketError: it is too large, broken, or doesn't come.
        """
        body = b""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for part in request.content.iter_any():
                    body += part
                    if len(body) > self._bounds.post_bytes:
                        raise PacketError(f"a body may have {self._bounds.post_bytes} bytes at the most")
        except (TimeoutError, web.RequestPayloadError, OSError) as error:
            raise PacketError("the body doesn't come") from error
        return body

    async def _websocket(self, request: web.Request, session: Session | None) -> web.StreamResponse:
        if not web.WebSocketResponse().can_prepare(request):
            return _refused(request)
        if session is None:
            session = self._open(request, [])
        elif session.over_websocket or session.moving:
            return _refused(request)
        else:
            session.moving = True
        websocket = Websocket(session, compressed=self._bounds.compression and request.query.get("compress") == "1")
        try:
            await websocket.prepare(request)
            if request.transport is not None and (not session.moving or await _moved(websocket, session)):
                session.attach(websocket, request.transport)
                await _read(websocket, session)
        finally:
            if session.moving:
                session.release()
            else:
                session.close()
        await websocket.close()
        session.detach()
        websocket.forget_traces()
        return websocket


async def _moved(websocket: Websocket, session: Session) -> bool:
    """Whether the client went through with moving from polling to this websocket."""
    try:
        async with asyncio.timeout(_UPGRADE_SECONDS):
            if not await _says(websocket, "2probe"):
                return False
            await websocket.send_str("3probe")
            session.hold()
            return await _says(websocket, "5") and not session.closed
    except (TimeoutError, ConnectionError):
        return False


async def _says(websocket: Websocket, word: str) -> bool:
    message = await websocket.receive()
    return message.type is WSMsgType.TEXT and message.data == word


async def _read(websocket: Websocket, session: Session) -> None:
    """Hand on what comes until either side ends it."""
    while not session.closed:
        message = await websocket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return
        try:
            session.receive(message.data)
        except PacketError:
            session.listener.misused()
        await asyncio.sleep(0)  # who sends thousands at once isn't served before the others


def _refused(request: web.Request, status: int = 400) -> web.Response:
    message = _BAD_REQUEST if status == 400 else _TOO_MANY
    return _answer(request, json.dumps({"code": 0, "message": message}).encode(), status)


def _answer(
    request: web.Request, body: bytes = b"", status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    response = web.Response(body=body, status=status, content_type="text/plain", charset="utf-8", headers=headers)
    response.headers["Cache-Control"] = "no-store"
    origin = request.headers.get("Origin")
    if origin is not None:  # only such come here as may
        response.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
        asked = request.headers.get("Access-Control-Request-Headers")
        if asked is not None:
            response.headers["Access-Control-Allow-Headers"] = asked
    if len(body) >= _WORTH_COMPRESSING:
        response.enable_compression()
    return response
