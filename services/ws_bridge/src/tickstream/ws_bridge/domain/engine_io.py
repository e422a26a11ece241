"""Packets of Engine.IO (protocol revision 4), for polling and for websockets."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from tickstream.core.errors import TickstreamError

OPEN: Final = b"0"
CLOSE: Final = b"1"
PING: Final = b"2"
PONG: Final = b"3"
MESSAGE: Final = b"4"
UPGRADE: Final = b"5"
NOOP: Final = b"6"
BINARY: Final = b""
"""The kind of a message in bytes: it has no letter for it."""

_SEPARATOR: Final = "\x1e"
_KINDS: Final = frozenset("0123456")
_TEXT_FRAME: Final = 0x81
_BINARY_FRAME: Final = 0x82
_COMPRESSED: Final = 0x40
_FLUSHED: Final = b"\x00\x00\xff\xff"
_WORTH_DEFLATING: Final = 256
_FASTEST: Final = 1


class PacketError(TickstreamError):
    """The other side doesn't speak the protocol."""


class Packet(NamedTuple):
    """One packet; its kind is one of the letters above."""

    kind: bytes
    data: bytes = b""


def checked(packet: str) -> str:
    """A packet in text, if it is one.

    Raises:
        PacketError: its kind is unknown.
    """
    if packet[:1] not in _KINDS or not packet:
        raise PacketError(f"a packet begins with one of 0 to 6, was {packet[:20]!r}")
    return packet


def read_payload(body: bytes) -> list[str | bytes]:
    """The packets of a POST: text with its letter, or the bytes of a binary message.

    Raises:
        PacketError: it isn't a payload.
    """
    try:
        parts = body.decode().split(_SEPARATOR)
        return [_binary(one[1:]) if one[:1] == "b" else checked(one) for one in parts]
    except ValueError as error:
        raise PacketError(f"not a payload: {error}") from None


def _binary(text: str) -> bytes:
    """The bytes of a binary message; the Java client breaks their base64 into lines."""
    return base64.b64decode("".join(text.split()), validate=True)


def payload(packets: Iterable[Packet]) -> bytes:
    """The body that a GET is answered with."""
    return _SEPARATOR.encode().join(
        packet.kind + packet.data if packet.kind else b"b" + base64.b64encode(packet.data) for packet in packets
    )


def frame_head(packet: Packet) -> bytes:
    """What precedes a packet's data on a websocket: the head of an unmasked frame (RFC 6455, 5.2), and the letter."""
    first = _TEXT_FRAME if packet.kind else _BINARY_FRAME
    return _head(first, len(packet.kind) + len(packet.data)) + packet.kind


def deflated_frame(packet: Packet, window_bits: int) -> bytes:
    """A packet as one compressed frame (RFC 7692, 7.2.1), independent of those before it."""
    if len(packet.data) < _WORTH_DEFLATING:
        return frame_head(packet) + packet.data
    compressor = zlib.compressobj(_FASTEST, wbits=-window_bits)
    deflated = compressor.compress(packet.kind + packet.data) + compressor.flush(zlib.Z_SYNC_FLUSH)
    first = _COMPRESSED | (_TEXT_FRAME if packet.kind else _BINARY_FRAME)
    return _head(first, len(deflated) - len(_FLUSHED)) + deflated.removesuffix(_FLUSHED)


def _head(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")
