from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import bodies
from tickstream.ws_bridge.domain.engine_io import Packet, PacketError, deflated_frame, frame_head, payload, read_payload

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"))
TEXT_PACKETS = st.builds(lambda text: Packet(b"4", text.encode()), TEXT)
PACKETS = st.lists(st.builds(lambda data: Packet(b"", data), st.binary()) | TEXT_PACKETS, min_size=1)


@given(PACKETS)
def test_a_payload_reads_as_what_was_written(packets: list[Packet]) -> None:
    expected = [packet.data if not packet.kind else "4" + packet.data.decode() for packet in packets]
    assert read_payload(payload(packets)) == expected


def test_base64_may_come_in_lines() -> None:
    data = bytes(range(200))
    assert read_payload(b"4x\x1eb" + base64.encodebytes(data)) == ["4x", data]


@pytest.mark.parametrize("body", [b"", b"\x1e", b"4x\x1e", b"x", b"7", b"b!", b"bAAA", b"\xff", "²".encode()])
def test_what_is_no_payload_is_refused(body: bytes) -> None:
    with pytest.raises(PacketError):
        read_payload(body)


@given(bodies)
def test_whatever_comes_is_a_payload_or_an_error(body: bytes) -> None:
    try:
        packets = read_payload(body)
    except PacketError:
        return
    assert all(isinstance(one, bytes) or one[0] in "0123456" for one in packets)


@given(st.binary(max_size=3_000), st.sampled_from([b"4", b""]), st.integers(9, 15))
def test_a_compressed_frame_unpacks_to_what_it_was(data: bytes, kind: bytes, window: int) -> None:
    packet = Packet(kind, data * 3)
    frame = deflated_frame(packet, window)
    if frame[0] & 0x40:
        body = frame[2 if frame[1] < 126 else 4 :]
        inflater = zlib.decompressobj(-window)
        assert inflater.decompress(body + b"\x00\x00\xff\xff") == kind + packet.data
        assert frame[0] == (0xC1 if kind else 0xC2)
    else:
        assert frame == frame_head(packet) + packet.data


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 65_534, 65_535, 65_536, 70_000])
@pytest.mark.parametrize(("kind", "opcode"), [(b"4", 1), (b"", 2)])
def test_the_head_of_a_frame_says_how_long_it_is(size: int, kind: bytes, opcode: int) -> None:
    head = frame_head(Packet(kind, b"x" * size))
    assert head[0] == 0x80 | opcode
    length = size + len(kind)
    stated = head[1] if head[1] < 126 else int.from_bytes(head[2 : 4 if head[1] == 126 else 10], "big")
    assert stated == length
    assert head.endswith(kind)
    assert len(head) - len(kind) == (2 if length < 126 else 4 if length < 65_536 else 10)
