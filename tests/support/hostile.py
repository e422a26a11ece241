"""What hostile or broken clients send: mutated packets of all layers, by hypothesis."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any, Final

import msgpack
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

SEPARATOR: Final = b"\x1e"
KEY: Final = b"dGhlIHNhbXBsZSBub25jZQ=="

_REQUEST: Final = {"channel": "ticks", "symbols": ["SPY"], "mode": "all", "maxHz": 5, "history": 3, "resume": "AAAA"}
_COMMANDS: Final[list[list[Any]]] = [
    ["subscribe", _REQUEST],
    ["subscribe", {"channel": "bars", "symbols": ["*"], "interval": "1m"}],
    ["subscribe", {"channel": "ticks", "symbols": ["x" * 64] * 1_001}],
    ["unsubscribe", {"subscription": "s1"}],
    ["unsubscribe", {"channel": "ticks", "symbols": ["*"]}],
    ["subscriptions", {}],
    ["time"],
    ["time", None, None],
    ["connect", {}],
    ["", []],
]
TEXTS: Final = [
    "40", "40{}", '40{"apiKey":"x"}', "40/other,", "40/?a=b,", "41", "41/other,", "42", "42[]", "42[1]", "42{}", "43[]",
    "431[]", "44{}", "450-[1]", '451-["time",{"_placeholder":true,"num":0}]', '4516-9["time"]', "460-1[]", "49", "4",
    "4null", "42[NaN]", '42["\\ud800"]', "42[" + "[" * 3_000, "42" + "9" * 40 + '["time"]', "0", "1", "2", "2probe",
    "3", "3probe", "5", "6", "7", "", "b", "bAAAA", "\x00", "²", '421["time"]' * 3, '42["time"]' + " " * 70_000,
    *(f"42{number}{json.dumps(command)}" for number, command in enumerate(_COMMANDS)),
]  # fmt: skip
"""Packets of Engine.IO in text, good and bad."""

BINARIES: Final = [
    b"", b"\xc1", b"\x80", b"\x91" * 3_000, b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc7\xff\x00",
    b"\x82\xa4type\x02\xa3nsp\xa1/", msgpack.packb({"type": 0, "nsp": "/"}), msgpack.packb({"type": 1, "nsp": "/"}),
    msgpack.packb({"type": 0, "nsp": "/other", "data": {"apiKey": b"x"}}), msgpack.packb([1]), msgpack.packb(2**64 - 1),
    *(msgpack.packb({"type": 2, "nsp": "/", "id": n, "data": command}) for n, command in enumerate(_COMMANDS)),
    msgpack.packb({"type": 2, "nsp": "/", "id": 2**64 - 1, "data": ["time", msgpack.ExtType(0, b"\0")]}),
    msgpack.packb({"type": 2, "nsp": "/", "id": 0, "data": ["time", float("nan"), -0.0, msgpack.Timestamp(1)]}),
    msgpack.packb({"type": 2, "nsp": "/", "id": 0, "data": ["subscribe", b"x" * 70_000]}),
]  # fmt: skip
"""Messages in bytes, good and bad."""

_VALUES: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
_NAMES: Final = st.sampled_from(["subscribe", "unsubscribe", "subscriptions", "time", "disconnect"]) | st.text(
    max_size=9
)
_FIELDS: Final = st.dictionaries(st.sampled_from([*_REQUEST, "interval", "subscription"]), _VALUES, max_size=5)


@st.composite
def mutated(draw: st.DrawFn, source: SearchStrategy[bytes]) -> bytes:
    """Bytes of which some are left out, doubled, changed or put in."""
    data = draw(source)
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        new = draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=6))
        data = data[:start] + new + data[end:]
    return data


def _event(number: int | None, data: list[Any]) -> bytes:
    shown = json.dumps(data, default=lambda one: {"_placeholder": True, "num": len(one)})
    return f"42{'' if number is None else number}{shown}".encode(errors="surrogatepass")


_NUMBERS: Final = st.none() | st.integers(0, 2**64)
_EVENTS: Final = st.builds(lambda name, values: [name, *values], _NAMES, st.lists(_FIELDS | _VALUES, max_size=3))
texts: Final = mutated(
    st.sampled_from([one.encode() for one in TEXTS]) | st.builds(_event, _NUMBERS, _EVENTS)
)  # Packets of Engine.IO in text.
binaries: Final = mutated(
    st.sampled_from(BINARIES)
    | st.builds(
        lambda kind, number, data: msgpack.packb(
            {"type": kind, "nsp": "/", "id": number, "data": data}, unicode_errors="replace"
        ),
        st.integers(0, 6),
        st.none() | st.integers(0, 2**64 - 1),
        _EVENTS,
    )
)  # Messages in bytes.


def websocket_frame(payload: bytes, opcode: int = 1, *, last: bool = True, masked: bool = True, odd: int = 0) -> bytes:
    """A frame from a client.

    Args:
        payload: unmasked.
        opcode: 0 to 15.
        last: whether its message ends with it.
        masked: as clients must.
        odd: what the reserved bits are.
    """
    head = bytes([(0x80 if last else 0) | odd << 4 | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65_536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if not masked:
        return head + payload
    mask = b"\x37\xfa\x21\x3d"
    repeated = mask * (len(payload) // 4 + 1)
    return head + mask + bytes(a ^ b for a, b in zip(payload, repeated, strict=False))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """One message as frames, mostly well-formed: whole or in pieces, with control frames between them, or worse."""
    binary = draw(st.booleans())
    payload = draw(binaries if binary else texts)
    opcode = 2 if binary else 1
    kind = draw(st.sampled_from(["whole"] * 4 + ["pieces", "control", "reserved", "unmasked", "noise", "endless"]))
    made = {
        "whole": lambda: websocket_frame(payload, opcode),
        "pieces": lambda: _pieces(draw, payload, opcode),
        "control": lambda: websocket_frame(draw(st.binary(max_size=140)), draw(st.sampled_from([8, 9, 10]))),
        "reserved": lambda: websocket_frame(payload, draw(st.integers(0, 15)), odd=draw(st.integers(0, 7))),
        "unmasked": lambda: websocket_frame(payload, opcode, masked=False),
        "noise": lambda: draw(st.binary(max_size=60)),
        "endless": lambda: bytes([0x80 | opcode, 0xFF]) + struct.pack(">Q", draw(st.integers(0, 2**64 - 1))) + payload,
    }
    return made[kind]()


def _pieces(draw: st.DrawFn, payload: bytes, opcode: int) -> bytes:
    cut = draw(st.integers(0, len(payload)))
    between = draw(
        st.sampled_from([b"", websocket_frame(b"x", 9), websocket_frame(b"", 10), websocket_frame(b"", 9, last=False)])
    )
    rest = websocket_frame(payload[cut:], draw(st.sampled_from([0, 0, 0, opcode])), last=draw(st.booleans()))
    return websocket_frame(payload[:cut], opcode, last=False) + between + rest


bodies: Final = mutated(
    st.lists(texts | binaries.map(lambda one: b"b" + base64.b64encode(one)), max_size=5).map(SEPARATOR.join)
)  # Of POSTs.
