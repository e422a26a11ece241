"""Sessions of Engine.IO (protocol revision 4): what one client sends and gets, whatever its transport is."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import WSCloseCode, web

from tickstream.ws_bridge.domain.engine_io import (
    CLOSE,
    NOOP,
    PING,
    Packet,
    PacketError,
    checked,
    deflated_frame,
    frame_head,
)

_UNSENT_BYTES: Final = 65_536
_STEP_SECONDS: Final = 0.02
_REFUSED_BYTES: Final = 1_048_576
"""A websocket message beyond this isn't even read to its end."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of a session.

    Attributes:
        ping_interval: from a pong to the next ping.
        ping_timeout: from a ping until a client without a pong is gone.
        closing: that a client has to take what was sent before its connection is cut.
    """

    ping_interval: float
    ping_timeout: float
    closing: float


class Listener(Protocol):
    """Who has a session's messages."""

    def heard(self, message: str | bytes) -> None:
        """A message came."""

    def misused(self) -> None:
        """Something came that is no packet."""

    def too_large(self) -> None:
        """A message was so large that it isn't read; the connection ends."""

    def ended(self) -> None:
        """The session is over."""


class Sessions(Protocol):
    """Who knows the sessions."""

    times: Times

    def forget(self, session: Session) -> None:
        """A session is over."""


class Websocket(web.WebSocketResponse):
    """A websocket whose messages are bounded."""

    def __init__(self, session: Session, *, compressed: bool) -> None:
        super().__init__(compress=compressed, max_msg_size=_REFUSED_BYTES, timeout=session.times.closing)
        self._session = session

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG:
            self._session.listener.too_large()
        return await super().close(code=code, message=message, drain=drain)

    def forget_traces(self) -> None:
        """Let go of where it ended: the frames there hold this websocket, and it would stay until it is collected."""
        error = self.exception()
        while error is not None:
            error.__traceback__ = None
            error = error.__context__


class _Nobody:
    """Has the messages of a session that is over."""

    def heard(self, message: str | bytes) -> None:
        pass

    def misused(self) -> None:
        pass

    too_large = ended = misused


_NOBODY: Final = _Nobody()


class Session:
    """One session; what is sent goes to the websocket at once, or waits for the next poll.

    Attributes:
        sid: by which its requests are known.
        address: of the client.
        listener: has its messages; set before the first can come.
        posting: whether a POST is being read.
        moving: whether a websocket is trying to take over from polling.
        closed: whether it is over.
        times: of pings and of its end.
    """

    __slots__ = (
        "_held",
        "_poll",
        "_sessions",
        "_timer",
        "_waiting",
        "_websocket",
        "_window_bits",
        "_wire",
        "address",
        "closed",
        "listener",
        "moving",
        "posting",
        "sid",
        "times",
    )

    listener: Listener

    def __init__(self, sessions: Sessions, sid: str, address: str) -> None:
        self.sid = sid
        self.address = address
        self.posting = self.moving = self.closed = False
        self._sessions = sessions
        self._waiting: list[Packet] = []
        self._held = False
        self._poll: asyncio.Future[None] | None = None
        self._websocket: Websocket | None = None
        self._window_bits = 0
        self._wire: asyncio.Transport | None = None
        self.times = sessions.times
        self._timer = self._later(self.times.ping_interval)

    # What goes out

    def send(self, packet: Packet) -> None:
        """Send one packet."""
        if self.closed:
            return
        if self._wire is None:
            self._waiting.append(packet)
            if not self._held:
                self._wake()
        elif not self._wire.is_closing():
            self._wire.writelines(self._framed([packet]))

    def send_all(self, packets: list[Packet]) -> None:
        """Send packets in one go."""
        wire = self._wire
        if wire is None:
            for packet in packets:
                self.send(packet)
        elif not wire.is_closing():
            wire.writelines(self._framed(packets))

    def _framed(self, packets: list[Packet]) -> list[bytes]:
        """What goes over the websocket, without copying what isn't compressed."""
        if self._window_bits:
            return [deflated_frame(packet, self._window_bits) for packet in packets]
        return [part for packet in packets for part in (frame_head(packet), packet.data)]

    def ready(self) -> bool:
        """Whether everything that was sent has left this process, and more would leave at once."""
        return not self.closed and not self._held and self.drained()

    def drained(self) -> bool:
        """Whether the transport has taken all, even if it can't take more."""
        wire = self._wire
        if wire is None:
            return not self._waiting
        return not wire.is_closing() and wire.get_write_buffer_size() == 0

    def backlog(self) -> int:
        """Bytes that wait for the client to take them."""
        if self._wire is None:
            return sum(len(packet.data) for packet in self._waiting)
        return self._wire.get_write_buffer_size()

    # Polling

    @property
    def over_websocket(self) -> bool:
        """Whether it has a websocket for good."""
        return self._wire is not None

    @property
    def polled(self) -> bool:
        """Whether a poll is open."""
        return self._poll is not None

    async def poll(self) -> list[Packet]:
        """The packets for a poll, once there are some."""
        if not self._waiting and not self._held:
            self._poll = asyncio.get_running_loop().create_future()
            try:
                await self._poll
            finally:
                self._poll = None
        return self.taken() or [Packet(NOOP)]

    def taken(self) -> list[Packet]:
        """Take what waits, unless it is held back for a websocket."""
        if self._held:
            return []
        packets, self._waiting = self._waiting, []
        return packets

    def _wake(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    # The move from polling to a websocket

    def hold(self) -> None:
        """Keep what is sent for the websocket that is about to take over; an open poll ends."""
        self._wake()
        self._held = True

    def release(self) -> None:
        """The websocket didn't take over: polling goes on."""
        self._held = self.moving = False

    def attach(self, websocket: Websocket, wire: asyncio.Transport) -> None:
        """From now on everything goes over this websocket."""
        self._websocket, self._wire = websocket, wire
        _bound_unsent(wire)
        self._window_bits = int(websocket.compress)
        self._held = self.moving = False
        waiting, self._waiting = self._waiting, []
        if not self.closed:
            self.send_all(waiting)

    def detach(self) -> None:
        """Let go of the websocket, which is closed."""
        self._websocket = None

    # What comes in

    def receive(self, packet: str | bytes) -> None:
        """Take a packet: text with its letter, or a binary message.

        Raises:
            PacketError: it is none that a client sends.
        """
        if self.closed:
            return
        if isinstance(packet, bytes):
            self.listener.heard(packet)
            return
        match checked(packet)[0]:
            case "4":
                self.listener.heard(packet[1:])
            case "3":
                self._timer.cancel()
                self._timer = self._later(self.times.ping_interval)
            case "1":
                self.close(Packet(NOOP))
            case "0" | "2":
                raise PacketError(f"a client doesn't send packets of kind {packet[0]}")

    # The end

    def close(self, last: Packet | None = None) -> None:
        """End it now; what the websocket has taken still goes out, for a while.

        Args:
            last: answers the poll that is open.
        """
        if self.closed:
            return
        if self._wire is None:
            self._held = False
            if self.polled:
                self.send(last or Packet(CLOSE))
        else:
            # A client that doesn't read would keep a transport that closes by itself for ever.
            asyncio.get_running_loop().call_later(self.times.closing, self._wire.abort)
        self.closed = True
        self._timer.cancel()
        self._sessions.forget(self)
        self.listener.ended()
        self.listener = _NOBODY  # it holds the session

    async def shut(self, *, reconnect: bool = False) -> None:
        """End it once the client has what was sent, or after a grace period.

        Over polling stock clients stay away after CLOSE, and come back where their session isn't known any more.
        """
        for _ in range(round(self.times.closing / _STEP_SECONDS)):
            if self.closed or self.drained():
                break
            await asyncio.sleep(_STEP_SECONDS)  # nothing tells when the transport has taken all
        taken = self.drained()
        self.close(Packet(NOOP) if reconnect else None)
        if self._websocket is not None and self._wire is not None:
            if taken:
                await self._websocket.close()
            else:
                self._wire.abort()

    def _later(self, interval: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(interval, self._ping)

    def _ping(self) -> None:
        self.send(Packet(PING))
        self._timer = asyncio.get_running_loop().call_later(self.times.ping_timeout, self._given_up)

    def _given_up(self) -> None:
        self.close()
        if self._wire is not None:
            self._wire.abort()


def _bound_unsent(wire: asyncio.Transport) -> None:
    """Let the kernel hold little that it can't send: else a slow client has megabytes to take before it shows."""
    with suppress(AttributeError, OSError):  # not every system has it, and not every transport is TCP
        wire.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
