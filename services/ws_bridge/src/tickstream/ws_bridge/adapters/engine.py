"""Engine.IO and Socket.IO as python-engineio and python-socketio speak them, with a way of our own for frames.

The libraries do the protocol: handshake, polling, upgrade, pings, acknowledgements. Three things are done here:

- A frame goes from its bytes straight to the client's TCP transport, without a task, a queue or a timer of its
  own; over polling it goes through the library's queue. `Outlet` hides the difference, and keeps the order of
  frames and acknowledgements.
- Messages that no client in its senses sends are answered or ended here, before the libraries stumble.
- Nothing is compressed by the connection: that would cost more than all the rest, once for every client.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import engineio
import orjson
import socketio
from aiohttp import WSCloseCode, WSMsgType, web
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE, NOOP, Packet

from tickstream.ws_bridge.adapters.tasks import Tasks
from tickstream.ws_bridge.domain import frames
from tickstream.ws_bridge.domain.protocol import MAX_MESSAGE_BYTES, RefusalError

NAMESPACE: Final = "/"
_REFUSED_BYTES: Final = 1_048_576
"""A websocket message beyond this isn't even read to its end."""
_STEP_SECONDS: Final = 0.02
_TEXT_FRAME: Final = 0x81
_ENGINE_TYPES: Final = frozenset("0123456")
_SOCKET_TYPES: Final = frozenset("0123")
"""CONNECT, DISCONNECT, EVENT and ACK; nothing here is binary."""
_RESERVED: Final = frozenset({"connect", "connect_error", "disconnect", "disconnecting"})
_EVENT_WITH_ACK: Final = re.compile(r"42(\d{1,20})\[")

Answer = bytes | Coroutine[None, None, bytes]
"""What a command is acknowledged with, in JSON; or what has to be waited for to have it."""


class Outbox(asyncio.Queue[Packet | None]):
    """The library's queue of packets; knows how many of them haven't been written yet, and how large they are."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.unwritten = 0
        self.bytes = 0

    def put_nowait(self, item: Packet | None) -> None:
        super().put_nowait(item)
        self.unwritten += 1
        self.bytes += _size(item)

    def get_nowait(self) -> Packet | None:
        item = super().get_nowait()
        self.bytes -= _size(item)
        return item

    def task_done(self) -> None:
        super().task_done()
        self.unwritten -= 1


class Outlet:
    """The way to one client, whatever its transport is at the moment."""

    __slots__ = ("_engine", "_socket")

    def __init__(self, engine: EngineServer, socket: AsyncSocket) -> None:
        self._engine = engine
        self._socket = socket

    def ready(self) -> bool:
        """Whether everything written before has left this process."""
        socket = self._socket
        return not (socket.closed or socket.upgrading) and self.drained()

    def drained(self) -> bool:
        """Whether the transport has taken all, even if it can't take more."""
        if self._socket.queue.unwritten:
            return False
        wire = self._wire()
        return wire is None or (not wire.is_closing() and wire.get_write_buffer_size() == 0)

    def backlog(self) -> int:
        """Bytes that wait for the client to take them."""
        wire = self._wire()
        return int(self._socket.queue.bytes) + (0 if wire is None else wire.get_write_buffer_size())

    def write(self, packets: list[bytes]) -> None:
        """Send frames at once; only when `ready`."""
        wire = self._wire()
        if wire is None:
            for packet in packets:
                self.queue(packet)
        else:
            wire.writelines([part for packet in packets for part in (_header(len(packet) + 1) + b"4", packet)])

    def queue(self, packet: bytes) -> None:
        """Send a packet after those that wait already."""
        self._socket.queue.put_nowait(Packet(MESSAGE, packet.decode()))

    def _wire(self) -> asyncio.Transport | None:
        return self._engine.wires.get(self._socket.sid) if self._socket.upgraded else None


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]  # the library is untyped
    """Engine.IO with bounded messages, uncompressed websockets and a hold on their transports."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.grace_seconds = 5.0
        self.wires: dict[str, asyncio.Transport] = {}
        drivers: dict[str, Any] = self._async  # type: ignore[has-type]  # the library is untyped
        self._async = drivers | {"websocket": _WebSocket}

    def create_queue(self, *args: int, **kwargs: int) -> Outbox:
        """The queue of a new client."""
        return Outbox(*args, **kwargs)

    async def shut(self, sid: str) -> None:
        """End a connection once the client has what was written, or after a grace period."""
        socket = self.sockets.get(sid)
        if socket is None:
            return
        try:
            async with asyncio.timeout(self.grace_seconds):
                outlet = Outlet(self, socket)
                await _until(lambda: outlet.drained() or socket.closed)
                if sid in self.wires:
                    socket.queue.put_nowait(None)
                    await _until(lambda: sid not in self.wires)
                else:
                    await self.disconnect(sid)
        except TimeoutError:
            wire = self.wires.get(sid)
            if wire is not None:
                wire.abort()
            else:
                await socket.close(wait=False, abort=True, reason=self.reason.SERVER_DISCONNECT)


class _WebSocket:
    """The websocket side of a connection, as the library wants to see it."""

    def __init__(self, handler: Callable[[_WebSocket], Awaitable[Any]], server: EngineServer) -> None:
        self._handler = handler
        self._server = server
        self._socket: AsyncSocket = handler.__self__  # type: ignore[attr-defined]  # a method of the client's socket
        self._response = _Response(compress=False, max_msg_size=_REFUSED_BYTES)
        self._wire: asyncio.Transport | None = None

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ["aiohttp.request"]
        await self._response.prepare(request)
        if request.transport is None:
            return self._response
        self._wire = self._server.wires[self._socket.sid] = request.transport
        try:
            await self._handler(self)
        finally:
            del self._server.wires[self._socket.sid]
        return self._response

    async def close(self) -> None:
        """Called by the library's writer when it ends."""
        await self._response.close()

    async def send(self, message: str) -> None:
        """Write a packet, without waiting: what may wait is bounded by who fills the queue."""
        if self._wire is None or self._wire.is_closing():
            raise ConnectionResetError("the connection is closing")
        payload = message.encode()
        self._wire.write(_header(len(payload)) + payload)

    async def wait(self) -> str:
        """The next packet that is one.

        Raises:
            OSError: the client is gone, or has to go.
        """
        while True:
            message = await self._response.receive()
            if message.type is not WSMsgType.TEXT:
                if message.type is WSMsgType.BINARY:
                    await self._refuse("bad_request")
                raise OSError("the websocket has ended")
            text: str = message.data
            if not text or text[0] not in _ENGINE_TYPES:
                await self._refuse("bad_request")
                raise OSError("not an Engine.IO packet")
            if len(text) <= MAX_MESSAGE_BYTES and len(text.encode(errors="surrogatepass")) <= MAX_MESSAGE_BYTES:
                return text
            await self.send(_too_large(text))

    async def _refuse(self, code: str) -> None:
        if self._wire is not None and not self._wire.is_closing():
            await self.send("4" + closing(code, reconnect=False).decode())


class _Response(web.WebSocketResponse):
    """Says why before it closes on a message beyond all measure."""

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            await self.send_str("4" + closing("too_large", reconnect=False).decode())
        return await super().close(code=code, message=message, drain=drain)


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # the library is untyped
    """Socket.IO for one namespace, its commands answered by `answer`.

    Args:
        answer: carries out a command of a client, given the event's name and its arguments.
        tasks: takes the ending of connections, and answers that have to be waited for.
        grace_seconds: that a client has to take what was written before its connection is cut.
        options: those of python-socketio and python-engineio.
    """

    def __init__(
        self,
        answer: Callable[[str, str, tuple[object, ...]], Answer],
        tasks: Tasks,
        grace_seconds: float,
        **options: Any,
    ) -> None:
        super().__init__(async_mode="aiohttp", namespaces=[NAMESPACE], **options)
        self.eio.grace_seconds = grace_seconds
        self._answer = answer
        self._tasks = tasks

    def outlet(self, sid: str) -> Outlet | None:
        """The way to a client."""
        eio_sid = self.manager.eio_sid_from_sid(sid, NAMESPACE)
        socket = self.eio.sockets.get(eio_sid)
        return None if socket is None else Outlet(self.eio, socket)

    async def close(self, sid: str, code: str, *, reconnect: bool) -> None:
        """Tell the client that and why it is disconnected, and do it.

        A client that may come back sees the connection end; to one that may not, Socket.IO's own DISCONNECT is
        sent, after which the stock clients stay away.
        """
        outlet = self.outlet(sid)
        eio_sid = self.manager.eio_sid_from_sid(sid, NAMESPACE)
        if outlet is None or eio_sid is None:
            return
        outlet.queue(closing(code, reconnect=reconnect))
        if not reconnect:
            await self.disconnect(sid, NAMESPACE)
        await self.eio.shut(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None and reason == self.reason.CLIENT_DISCONNECT:
            socket.queue.put_nowait(Packet(NOOP))  # the client's last poll would hang until it times out

    def _engineio_server_class(self) -> type[EngineServer]:
        return EngineServer

    async def _handle_eio_message(self, eio_sid: str, data: object) -> None:
        if isinstance(data, str) and len(data.encode(errors="surrogatepass")) > MAX_MESSAGE_BYTES:
            socket = self.eio.sockets.get(eio_sid)
            if socket is not None:
                Outlet(self.eio, socket).queue(_too_large("4" + data)[1:].encode())
            return
        if not isinstance(data, str) or data[:1] not in _SOCKET_TYPES:
            await self._misused(eio_sid)
            return
        try:
            await super()._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            await self._misused(eio_sid)

    async def _misused(self, eio_sid: str) -> None:
        """End a connection whose client doesn't speak the protocol."""
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            Outlet(self.eio, socket).queue(closing("bad_request", reconnect=False))
            self._tasks.start(self.eio.shut(eio_sid))

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: object) -> None:  # noqa: A002 - the library's name
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace or NAMESPACE)
        outlet = self.outlet(sid) if sid is not None and self.manager.is_connected(sid, NAMESPACE) else None
        if outlet is None:
            return
        name, *arguments = data if isinstance(data, list) and data else [None]
        if not isinstance(name, str) or name in _RESERVED:
            refusal = RefusalError("bad_request", "an event has a name, and not one of Socket.IO's own")
            answer: Answer = refused(refusal)
        else:
            answer = self._answer(sid, name, tuple(arguments))
        if isinstance(answer, bytes):
            _acknowledge(outlet, id, answer)
        else:
            self._tasks.start(_acknowledge_later(outlet, id, answer))


def _acknowledge(outlet: Outlet, number: int | None, answer: bytes) -> None:
    if number is not None:
        outlet.queue(b"3%d[%b]" % (number, answer))


async def _acknowledge_later(outlet: Outlet, number: int | None, answer: Coroutine[None, None, bytes]) -> None:
    # No pause between the two: the frames that follow the answer mustn't overtake it.
    _acknowledge(outlet, number, await answer)


def refused(refusal: RefusalError) -> bytes:
    """The acknowledgement of a command that isn't carried out."""
    return orjson.dumps({"ok": False, "error": refusal.fields()})


def closing(code: str, *, reconnect: bool) -> bytes:
    """The packet that precedes every disconnect by the server."""
    return frames.event("closing", {"code": code, "reconnect": reconnect})


def _too_large(text: str) -> str:
    """The Engine.IO packet that answers a message over the limit."""
    refusal = RefusalError("too_large", f"a message may have {MAX_MESSAGE_BYTES} bytes at the most")
    command = _EVENT_WITH_ACK.match(text)
    if command is None:
        return "4" + frames.event("status", refusal.fields()).decode()
    return f"43{command[1]}[{refused(refusal).decode()}]"


async def _until(reached: Callable[[], bool]) -> None:
    while not reached():  # noqa: ASYNC110 - neither library tells when
        await asyncio.sleep(_STEP_SECONDS)


def _size(packet: Packet | None) -> int:
    return len(packet.data) if packet is not None and isinstance(packet.data, str | bytes) else 0


def _header(length: int) -> bytes:
    """The head of an unmasked websocket text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((_TEXT_FRAME, length))
    if length < 65_536:
        return bytes((_TEXT_FRAME, 126)) + length.to_bytes(2, "big")
    return bytes((_TEXT_FRAME, 127)) + length.to_bytes(8, "big")
