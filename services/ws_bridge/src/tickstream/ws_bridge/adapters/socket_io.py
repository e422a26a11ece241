"""Socket.IO for one namespace: who comes in, what is said, how it is answered, and how it ends."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from typing import Final, Protocol

from aiohttp import web

from tickstream.ws_bridge.adapters import dialects
from tickstream.ws_bridge.adapters.dialects import NAMESPACE, Dialect, Reply, dialect_of
from tickstream.ws_bridge.adapters.engine import Bounds, Engine
from tickstream.ws_bridge.adapters.sessions import Session, Times
from tickstream.ws_bridge.adapters.tasks import Tasks
from tickstream.ws_bridge.domain.engine_io import Packet, PacketError
from tickstream.ws_bridge.domain.protocol import MAX_MESSAGE_BYTES, Code, RefusalError

_EVENTS: Final = frozenset({dialects.EVENT, dialects.BINARY_EVENT})
_REFUSED_SECONDS: Final = 1.0
"""How long who isn't let in may take to leave."""

Answer = Reply | Coroutine[None, None, Reply]
"""What a command is acknowledged with, or what has to be waited for to have it."""


class Application(Protocol):
    """Who lets clients in and answers them."""

    async def admit(self, sid: str, address: str, auth: object) -> None:
        """A client wants to come in.

        Raises:
            RefusalError: it may not.
        """

    def answer(self, sid: str, name: str, arguments: tuple[object, ...]) -> Answer:
        """Carry out a command."""

    def gone(self, sid: str) -> None:
        """A client that was let in is gone."""


class Outlet:
    """The way to one client, in its dialect, whatever its transport is at the moment."""

    __slots__ = ("_session", "dialect")

    def __init__(self, session: Session, dialect: Dialect) -> None:
        self._session = session
        self.dialect = dialect

    def ready(self) -> bool:
        """Whether everything written before has left this process."""
        return self._session.ready()

    def backlog(self) -> int:
        """Bytes that wait for the client to take them."""
        return self._session.backlog()

    def write(self, packets: list[bytes]) -> None:
        """Send packets of Socket.IO."""
        kind = self.dialect.kind
        self._session.send_all([Packet(kind, packet) for packet in packets])

    def tell(self, name: str, fields: Mapping[str, object]) -> None:
        """Send an event with one object."""
        self.write([self.dialect.event(name, fields)])


class Peer:
    """The other side of one session: listens to it, and knows Socket.IO.

    Attributes:
        session: what it sends by.
        outlet: the way to it; until its first message shows what it speaks, in JSON.
        sid: the client's, from its CONNECT on until it leaves the namespace.
        admitted: whether it was let in.
    """

    __slots__ = ("_event", "_leaving", "_received", "_server", "_speaks", "admitted", "outlet", "session", "sid")

    def __init__(self, server: SocketServer, session: Session) -> None:
        self.session = session
        self.outlet = Outlet(session, dialects.JSON)
        self.sid: str | None = None
        self.admitted = False
        self._server = server
        self._speaks = False
        self._leaving = False
        self._event: dialects.Packet | None = None
        self._received = 0

    def heard(self, message: str | bytes) -> None:
        """Take a message of the client."""
        if self._leaving:
            return
        if not self._speaks:
            self._speaks = True
            self.outlet.dialect = dialect_of(message)
        try:
            if self._event is not None:
                self._attach(self._event, message)
            else:
                self._take(self.outlet.dialect.read(message), _size(message))
        except PacketError:
            self.misused()

    def misused(self) -> None:
        """End the connection of a client that doesn't speak the protocol."""
        if not self._leaving:
            self._say_closing("bad_request", reconnect=False)
            self._server.shut(self)

    def too_large(self) -> None:
        """Say why a connection ends whose client sends beyond all measure."""
        if not self._leaving:
            self._say_closing("too_large", reconnect=False)

    def ended(self) -> None:
        """The session is over."""
        self._server.ended(self)

    def leave(self, code: Code, *, reconnect: bool) -> None:
        """Tell the client that and why it is disconnected, and do it."""
        if not self._leaving:
            self._say_closing(code, reconnect=reconnect)
            if not reconnect:
                self.outlet.write([self.outlet.dialect.disconnected()])
            self._server.shut(self, reconnect=reconnect)

    def refuse(self, refusal: RefusalError, namespace: str = NAMESPACE, message: str | None = None) -> None:
        """Answer a CONNECT: no."""
        said = self.outlet.dialect.refused(namespace, message or str(refusal), refusal.fields())
        self.outlet.write([said])

    def acknowledge(self, number: int | None, reply: Reply) -> None:
        """Answer an event, if it wants that."""
        if number is not None:
            self.outlet.write([self.outlet.dialect.acknowledged(number, reply)])

    def _say_closing(self, code: Code, *, reconnect: bool) -> None:
        self._leaving = True
        self.outlet.tell("closing", {"code": code, "reconnect": reconnect})

    def _take(self, packet: dialects.Packet, size: int) -> None:
        """Do what a packet says; what comes to a namespace that it isn't in is nobody's."""
        if packet.attachments:
            self._event, self._received = packet, size
        elif size > MAX_MESSAGE_BYTES:
            self._refuse_size(packet)
        elif packet.kind == dialects.CONNECT:
            self._connect(packet)
        elif packet.namespace == NAMESPACE and self.admitted and self.sid is not None:
            if packet.kind == dialects.DISCONNECT:
                self._server.left(self)
            elif packet.kind in _EVENTS:
                self._server.carry_out(self, self.sid, packet)

    def _connect(self, packet: dialects.Packet) -> None:
        if packet.namespace != NAMESPACE:
            refusal = RefusalError("bad_request", f"there is no namespace but {NAMESPACE}")
            self.refuse(refusal, packet.namespace, "Invalid namespace")
        elif self.sid is not None:
            self.refuse(RefusalError("bad_request", "this connection has its client already"))
        else:
            self._server.connect(self, packet.data)

    def _attach(self, event: dialects.Packet, message: str | bytes) -> None:
        """Take an attachment of an event; no command wants what is in it.

        Raises:
            PacketError: it isn't one.
        """
        if isinstance(message, str):
            raise PacketError("attachments are binary")
        self._received += len(message)
        left = event._replace(attachments=event.attachments - 1)
        self._event = left if left.attachments else None
        if not left.attachments:
            self._take(left, self._received)

    def _refuse_size(self, packet: dialects.Packet) -> None:
        refusal = RefusalError("too_large", f"a message may have {MAX_MESSAGE_BYTES} bytes at the most")
        if packet.kind in _EVENTS and packet.number is not None:
            self.acknowledge(packet.number, refused(refusal))
        else:
            self.outlet.tell("status", refusal.fields())


class SocketServer:
    """The clients of one namespace.

    Args:
        application: lets them in and answers them.
        tasks: takes what has to be waited for.
        times: of their sessions.
        max_sessions: at once, also of those who aren't clients yet.
        compression: whether they may have their websockets compressed.
    """

    def __init__(
        self, application: Application, tasks: Tasks, times: Times, max_sessions: int, *, compression: bool
    ) -> None:
        self._application = application
        self._tasks = tasks
        self._engine = Engine(times, Bounds(max_sessions, MAX_MESSAGE_BYTES, compression), self._opened)
        self._peers: set[Peer] = set()
        self._clients: dict[str, Peer] = {}

    def attach(self, app: web.Application, path: str) -> None:
        """Serve at `path`."""
        app.router.add_route("*", path, self._engine.handle)

    async def shutdown(self) -> None:
        """End what sessions there still are."""
        await asyncio.gather(*(peer.session.shut() for peer in self._peers))

    def outlet(self, sid: str) -> Outlet | None:
        """The way to a client."""
        peer = self._clients.get(sid)
        return None if peer is None else peer.outlet

    def strangers(self) -> set[Peer]:
        """Those who are connected, and not let in."""
        return {peer for peer in self._peers if not peer.admitted}

    def close(self, sid: str, code: Code, *, reconnect: bool) -> None:
        """Tell a client that and why it is disconnected, and do it.

        A client that may come back sees the connection end; to one that may not, Socket.IO's own DISCONNECT is
        sent, after which the stock clients stay away.
        """
        peer = self._clients.get(sid)
        if peer is not None:
            peer.leave(code, reconnect=reconnect)

    def shut(self, peer: Peer, *, reconnect: bool = False) -> None:
        """End a session once the client has what was sent."""
        self._tasks.start(peer.session.shut(reconnect=reconnect))

    def connect(self, peer: Peer, auth: object) -> None:
        """A client wants to come in."""
        peer.sid = secrets.token_urlsafe(15)
        self._clients[peer.sid] = peer
        self._tasks.start(self._admit(peer, peer.sid, auth))

    def carry_out(self, peer: Peer, sid: str, event: dialects.Packet) -> None:
        """Answer a client's event, now or when the answer is there."""
        name, *arguments = event.data
        answer = self._application.answer(sid, name, tuple(arguments))
        if isinstance(answer, Reply):
            peer.acknowledge(event.number, answer)
        else:
            self._tasks.start(self._acknowledge_later(peer, sid, event.number, answer))

    def left(self, peer: Peer) -> None:
        """A client isn't in the namespace any more."""
        if peer.sid is not None:
            del self._clients[peer.sid]
            if peer.admitted:
                self._application.gone(peer.sid)
        peer.sid, peer.admitted = None, False

    def ended(self, peer: Peer) -> None:
        """A session is over."""
        self.left(peer)
        self._peers.discard(peer)

    def _opened(self, session: Session) -> Peer:
        peer = Peer(self, session)
        self._peers.add(peer)
        return peer

    async def _admit(self, peer: Peer, sid: str, auth: object) -> None:
        try:
            await self._application.admit(sid, peer.session.address, auth)
        except RefusalError as refusal:
            if peer.sid == sid:
                self.left(peer)
                peer.refuse(refusal)
                await asyncio.sleep(_REFUSED_SECONDS)
                await peer.session.shut()
            return
        # No pause from here on: what the client is told mustn't overtake its welcome.
        peer.admitted = True
        peer.outlet.write([peer.outlet.dialect.connected(sid)])

    async def _acknowledge_later(
        self, peer: Peer, sid: str, number: int | None, answer: Coroutine[None, None, Reply]
    ) -> None:
        # No pause between the two: the frames that follow the answer mustn't overtake it.
        reply = await answer
        if peer.sid == sid:
            peer.acknowledge(number, reply)


def refused(refusal: RefusalError) -> Reply:
    """The acknowledgement of a command that isn't carried out."""
    return Reply({"ok": False, "error": refusal.fields()})


def _size(message: str | bytes) -> int:
    """Bytes of a message as it came."""
    if isinstance(message, bytes) or message.isascii():
        return len(message)
    return len(message.encode(errors="surrogatepass"))
