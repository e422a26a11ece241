from __future__ import annotations

import json
import math
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile import binaries, texts
from tickstream.core.model import Bar, IndicatorSet, MarketEvent, Tick
from tickstream.ws_bridge.adapters.dialects import JSON, MESSAGE_PACK, Dialect, Packet, Reply
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.engine_io import PacketError
from tickstream.ws_bridge.domain.entry import Entry, Run, Waiting, entry_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FLOATS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from(["symbol", "price", "venue", "values", "seq"]), VALUES)


def entries(records: list[dict[str, Any]]) -> list[Entry]:
    return [Entry(("ticks", "", "A"), None, json.dumps(record, ensure_ascii=False).encode()) for record in records]


def said(packet: bytes) -> dict[str, Any]:
    """What the library for MessagePack reads, all of it."""
    decoded = msgpack.unpackb(packet)
    assert isinstance(decoded, dict)
    return decoded


@given(
    st.sampled_from(["ticks", "market_events"]), st.lists(RECORDS, max_size=40), st.text("aZ_-9"), st.integers(0, 2**40)
)
def test_frames_in_both_encodings_say_the_same(channel: str, records: list[Any], token: str, lost: int) -> None:
    waiting = entries(records)
    resume = json.dumps(token).encode()
    packed = said(MESSAGE_PACK.frame(channel, waiting, resume, lost))
    shown = json.loads(JSON.frame(channel, waiting, resume, lost)[1:])
    expected = [channel, {"data": records, "resume": token, "lost": lost}]
    assert packed == {"type": 2, "nsp": "/", "data": expected}
    # What is written differs in -0.0 and 0.0, and in 1 and 1.0, where comparing doesn't.
    assert repr(packed["data"]) == repr(shown) == repr(expected)


@given(st.lists(st.lists(RECORDS, min_size=1, max_size=20), max_size=6), st.data())
def test_records_that_wait_together_are_the_same_as_one_by_one(runs: list[list[Any]], data: st.DataObject) -> None:
    waiting: list[Waiting] = []
    expected: list[Any] = []
    for records in runs:
        bodies = [entry.body for entry in entries(records)]
        run = Run(("ticks", "", "A"), bodies, 0, range(len(bodies)), 0, 1)
        first = data.draw(st.integers(0, len(bodies)))
        if data.draw(st.booleans()):
            MESSAGE_PACK.frame("ticks", [run], b'""', 0)  # someone else has read all of it
        part = run.between(first, len(bodies))
        if part is not None:
            waiting.append(part)
            expected += records[first:]
        waiting += entries(records[:1])
        expected.append(records[0])
    packed = said(MESSAGE_PACK.frame("ticks", waiting, b'"x"', 0))["data"][1]["data"]
    shown = json.loads(JSON.frame("ticks", waiting, b'"x"', 0)[1:])[1]["data"]
    assert repr(packed) == repr(shown) == repr(expected)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 65_535, 65_536])
def test_a_frame_may_have_any_number_of_records(count: int) -> None:
    packed = said(MESSAGE_PACK.frame("ticks", entries([{"seq": 1}]) * count, b'"x"', 0))
    assert packed["data"][1]["data"] == [{"seq": 1}] * count


def test_a_record_is_encoded_once_and_only_when_it_is_wanted() -> None:
    [one] = entries([{"seq": 1}])
    JSON.frame("ticks", [one], b'""', 0)
    assert one.packed is None
    MESSAGE_PACK.frame("ticks", [one], b'""', 0)
    first = one.packed
    MESSAGE_PACK.frame("ticks", [one], b'""', 0)
    MESSAGE_PACK.acknowledged(1, Reply({}, [one]))
    assert one.packed is first


@given(st.integers(0, 2**64 - 1), st.dictionaries(st.text("abc", min_size=1), VALUES), st.none() | st.lists(RECORDS))
def test_answers_in_both_encodings_say_the_same(number: int, fields: dict[str, Any], records: list[Any] | None) -> None:
    reply = Reply(fields, None if records is None else entries(records))
    packed = said(MESSAGE_PACK.acknowledged(number, reply))
    shown = JSON.acknowledged(number, reply)
    assert (packed["type"], packed["nsp"], packed["id"]) == (3, "/", number)
    assert shown.startswith(b"3%d[" % number)
    assert repr(packed["data"]) == repr(json.loads(shown[shown.index(b"[") :]))
    assert ("snapshot" in packed["data"][0]) is (records is not None)


@pytest.mark.parametrize(
    "record",
    [
        Tick("é\0😀", -0.0, 5e-324, 1_381_239_000_123_456_789, 2**62, 2**53 + 1, "x", None, None, "", 2**31),
        Bar("S", "1m", -1, 60, 1, math.inf, -math.inf, -0.0, 1e300, math.nan, 3, "closed", 0, "traded", "pre"),
        IndicatorSet("S", "1m", 0, 1, "partial", 0, {"rsi_14": math.nan, "obv": -0.0}, ("vwap",)),
        MarketEvent("halt", 5_000_000, None, "s", {"reason": "x"}),
    ],
)
def test_records_in_both_encodings_are_the_same(record: Any) -> None:
    entry = entry_of(record, body_of(record), 0, 0)
    [packed] = said(MESSAGE_PACK.frame("any", [entry], b'""', 0))["data"][1]["data"]
    [shown] = json.loads(JSON.frame("any", [entry], b'""', 0)[1:])[1]["data"]
    assert repr(packed) == repr(shown)
    assert not [value for value in packed.values() if isinstance(value, float) and not math.isfinite(value)]


def test_what_else_is_said_is_what_the_stock_parsers_take() -> None:
    assert said(MESSAGE_PACK.connected("abc")) == {"type": 0, "nsp": "/", "data": {"sid": "abc"}}
    # The JavaScript parser refuses a DISCONNECT with data, were they null.
    assert said(MESSAGE_PACK.disconnected()) == {"type": 1, "nsp": "/"}
    refusal = said(MESSAGE_PACK.refused("/x", "no", {"code": "forbidden"}))
    assert refusal == {"type": 4, "nsp": "/x", "data": {"message": "no", "data": {"code": "forbidden"}}}
    closing = said(MESSAGE_PACK.event("closing", {"reconnect": True}))
    assert closing == {"type": 2, "nsp": "/", "data": ["closing", {"reconnect": True}]}
    assert JSON.refused("/x", "no", {}) == b'4/x,{"message":"no","data":{}}'


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Packet(0, "/", None, None)),
        ('0{"token":"x"}', Packet(0, "/", None, {"token": "x"})),
        ('0/a?b=c,{"token":"x"}', Packet(0, "/a", None, {"token": "x"})),
        ("0/a", Packet(0, "/a", None, None)),
        ("1/a,", Packet(1, "/a", None, None)),
        ('27["x",1]', Packet(2, "/", 7, ["x", 1])),
        ('2/a,7["x",1]', Packet(2, "/a", 7, ["x", 1])),
        ('52-/a,7["x",1]', Packet(5, "/a", 7, ["x", 1], 2)),
        ("37[]", Packet(3, "/", 7, [])),
    ],
)
def test_packets_in_text_are_read_as_the_protocol_says(text: str, packet: Packet) -> None:
    assert JSON.read(text) == packet


@given(st.one_of(texts.map(lambda one: one[1:].decode(errors="replace")), binaries))
def test_whatever_comes_is_a_packet_or_an_error(message: str | bytes) -> None:
    dialects: list[Dialect] = [JSON, MESSAGE_PACK]
    for dialect in dialects:
        try:
            packet = dialect.read(message)
        except PacketError:
            continue
        assert packet.kind in range(7)
        assert packet.number is None or packet.number >= 0
