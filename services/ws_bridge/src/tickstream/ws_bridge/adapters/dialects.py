"""Socket.IO (protocol revision 5) in the two encodings of the stock parsers: JSON and MessagePack.

A client's first packet shows which one it speaks. Both read into the same `Packet`, and both say the same: a record
in MessagePack is made of its JSON, so that no client gets other content than the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import orjson
import ormsgpack

from tickstream.ws_bridge.domain import engine_io, frames
from tickstream.ws_bridge.domain.engine_io import PacketError
from tickstream.ws_bridge.domain.entry import Waiting

CONNECT: Final = 0
DISCONNECT: Final = 1
EVENT: Final = 2
ACK: Final = 3
CONNECT_ERROR: Final = 4
BINARY_EVENT: Final = 5
BINARY_ACK: Final = 6

NAMESPACE: Final = "/"
_MAX_ATTACHMENTS: Final = 16
_TEXT_PACKET: Final = re.compile(r"([0-6])(?:(\d{1,2})-)?(?:(/[^,?]*)[^,]*,?)?(\d{1,20})?(.*)", re.ASCII | re.DOTALL)
_LARGEST_NUMBER: Final = 2**64 - 1


class Packet(NamedTuple):
    """A Socket.IO packet from a client.

    Attributes:
        number: by which an event's answer is known; None: it wants none.
        attachments: how many binary messages belong to it and are still to come.
    """

    kind: int
    namespace: str
    number: int | None
    data: Any
    attachments: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command is acknowledged with.

    Attributes:
        snapshot: records that are a field of their own; None: there is no such field.
    """

    fields: Mapping[str, object]
    snapshot: Sequence[Waiting] | None = None


class Dialect(Protocol):
    """How packets are written and read."""

    kind: bytes
    """Of the Engine.IO packets that carry it."""

    def read(self, message: str | bytes) -> Packet:
        """A client's packet.

        Raises:
            PacketError: it is none.
        """

    def connected(self, sid: str) -> bytes:
        """The answer to CONNECT."""

    def refused(self, namespace: str, message: str, fields: Mapping[str, object]) -> bytes:
        """The other answer to CONNECT."""

    def disconnected(self) -> bytes:
        """After this the stock clients stay away."""

    def event(self, name: str, fields: Mapping[str, object]) -> bytes:
        """An event with one object."""

    def acknowledged(self, number: int, reply: Reply) -> bytes:
        """The answer to an event."""

    def frame(self, channel: str, entries: Sequence[Waiting], resume: bytes, lost: int) -> bytes:
        """The event of a channel; `resume` is JSON."""


class Json:
    """The default parser's."""

    kind = engine_io.MESSAGE

    def read(self, message: str | bytes) -> Packet:
        found = _TEXT_PACKET.fullmatch(message) if isinstance(message, str) else None
        if found is None:
            raise PacketError("not a packet of Socket.IO")
        kind, attachments, namespace, number, data = found.groups()
        decoded = _decoded(data) if data else None
        packet = Packet(
            int(kind), namespace or NAMESPACE, int(number) if number else None, decoded, int(attachments or 0)
        )
        if (attachments is not None) != (packet.kind in (BINARY_EVENT, BINARY_ACK)):
            raise PacketError("attachments belong to binary packets, and to no others")
        if packet.attachments > _MAX_ATTACHMENTS:
            raise PacketError(f"a packet may have {_MAX_ATTACHMENTS} attachments at the most")
        return _checked(packet)

    def connected(self, sid: str) -> bytes:
        return b"0" + orjson.dumps({"sid": sid})

    def refused(self, namespace: str, message: str, fields: Mapping[str, object]) -> bytes:
        name = b"" if namespace == NAMESPACE else namespace.encode(errors="replace") + b","
        return b"4" + name + orjson.dumps({"message": message, "data": fields})

    def disconnected(self) -> bytes:
        return b"1"

    def event(self, name: str, fields: Mapping[str, object]) -> bytes:
        return frames.event(name, fields)

    def acknowledged(self, number: int, reply: Reply) -> bytes:
        fields = dict(reply.fields)
        if reply.snapshot is not None:
            fields["snapshot"] = orjson.Fragment(b"[%b]" % b",".join([entry.body for entry in reply.snapshot]))
        return b"3%d[%b]" % (number, orjson.dumps(fields))

    def frame(self, channel: str, entries: Sequence[Waiting], resume: bytes, lost: int) -> bytes:
        return frames.frame(channel, entries, resume, lost)


class MessagePack:
    """That of socket.io-msgpack-parser: each packet is one map."""

    kind = engine_io.BINARY

    def read(self, message: str | bytes) -> Packet:
        try:
            fields = ormsgpack.unpackb(message, ext_hook=_extension) if isinstance(message, bytes) else None
        except ormsgpack.MsgpackDecodeError as error:
            raise PacketError(f"not MessagePack: {error}") from None
        if not isinstance(fields, dict):
            raise PacketError("not a packet of Socket.IO")
        kind, number, namespace = fields.get("type"), fields.get("id"), fields.get("nsp")
        if type(kind) is not int or not CONNECT <= kind <= CONNECT_ERROR:
            raise PacketError(f"a packet's type is 0 to 4, was {kind!r:.20}")
        if number is not None and (type(number) is not int or not 0 <= number <= _LARGEST_NUMBER):
            raise PacketError(f"a packet's id is a whole number, was {number!r:.20}")
        if namespace is not None and not isinstance(namespace, str):
            raise PacketError(f"a packet's nsp is a text, was {namespace!r:.20}")
        return _checked(Packet(kind, namespace or NAMESPACE, number, fields.get("data")))

    def connected(self, sid: str) -> bytes:
        return _packed(CONNECT, {"sid": sid})

    def refused(self, namespace: str, message: str, fields: Mapping[str, object]) -> bytes:
        return _packed(CONNECT_ERROR, {"message": message, "data": dict(fields)}, namespace)

    def disconnected(self) -> bytes:
        return ormsgpack.packb({"type": DISCONNECT, "nsp": NAMESPACE})

    def event(self, name: str, fields: Mapping[str, object]) -> bytes:
        return _packed(EVENT, [name, dict(fields)])

    def acknowledged(self, number: int, reply: Reply) -> bytes:
        fields = dict(reply.fields)
        if reply.snapshot is not None:
            fields["snapshot"] = ormsgpack.Fragment(_array(reply.snapshot))
        return ormsgpack.packb({"type": ACK, "nsp": NAMESPACE, "id": number, "data": [fields]})

    def frame(self, channel: str, entries: Sequence[Waiting], resume: bytes, lost: int) -> bytes:
        return b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92%b\x83\xa4data%b\xa6resume%b\xa4lost%b" % (
            ormsgpack.packb(channel),
            _array(entries),
            ormsgpack.packb(orjson.loads(resume)),
            ormsgpack.packb(lost),
        )


JSON: Final = Json()
MESSAGE_PACK: Final = MessagePack()


def dialect_of(message: str | bytes) -> Dialect:
    """The dialect of a client whose first message this is."""
    return JSON if isinstance(message, str) else MESSAGE_PACK


def _checked(packet: Packet) -> Packet:
    """The packet, if its data has the form that its kind wants.

    Raises:
        PacketError: it hasn't, or clients don't send such packets.
    """
    data = packet.data
    match packet.kind:
        case 0:
            well_formed = True  # whatever it is, it is for who judges `auth`
        case 1:
            well_formed = data is None
        case 2 | 5:
            well_formed = isinstance(data, list) and bool(data) and isinstance(data[0], str)
        case 3 | 6:
            well_formed = isinstance(data, list) and packet.number is not None
        case _:
            well_formed = False
    if not well_formed:
        raise PacketError(f"a packet of kind {packet.kind} has no such data")
    return packet


def _decoded(text: str) -> Any:
    """What JSON says; also with what stock clients write though it isn't JSON: half surrogates, NaN, infinities.

    Raises:
        PacketError: it isn't JSON, or too deep.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return _whole(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise PacketError(f"not JSON: {error}") from None


def _whole(value: Any) -> Any:
    """The value with a question mark for each half of a surrogate pair, which nothing could be answered with."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {_whole(name): _whole(one) for name, one in value.items()}
    return value


def _packed(kind: int, data: object, namespace: str = NAMESPACE) -> bytes:
    return ormsgpack.packb({"type": kind, "nsp": namespace, "data": data})


def _array(entries: Sequence[Waiting]) -> bytes:
    """The records as an array; each is encoded when it is first wanted, once for all who want it."""
    packed = [entry.packed or _pack(entry) for entry in entries]
    length = sum(entry.count for entry in entries)
    if length < 16:
        head = bytes((0x90 | length,))
    elif length < 65_536:
        head = b"\xdc" + length.to_bytes(2, "big")
    else:
        head = b"\xdd" + length.to_bytes(4, "big")
    return head + b"".join(packed)


def _pack(entry: Waiting) -> bytes:
    entry.packed = b"".join(map(ormsgpack.packb, orjson.loads(b"[%b]" % entry.body)))
    return entry.packed


def _extension(tag: int, data: bytes) -> object:
    """What an extension type stands for: the JavaScript parser writes undefined as one; others mean nothing here."""
    return None if (tag, data) == (0, b"\0") else data
