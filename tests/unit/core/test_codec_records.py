from __future__ import annotations

import io
import json
import math
from typing import Any

import fastavro
import numpy as np
import orjson
import pytest
from hypothesis import example, given

from tests.support.records import RECORDS
from tickstream.core.codec import Codecs, Format
from tickstream.core.codec.schemas import current
from tickstream.core.errors import BadRecordError
from tickstream.core.model import AlertEvent, AnalyticsFigure, Bar, Progress, Record, SystemMetrics, Tick

CODECS = Codecs()
TICK = Tick("SPY", 165.33, 200.0, 1381239000000000000, 1381239000000000001, 1, "replay", venue="P")


def bits(record: Record) -> str:
    """What tells -0.0 from 0.0, which == does not."""
    return repr(record)


@given(RECORDS)
@example(Progress("s", -(2**63), 2**63 - 1, final=True))
@example(AnalyticsFigure("market", "", -1, "", {}))
@example(AlertEvent("", "", "東", "unknown", "info", 0, -0.0, 5e-324, "", 0, {}))
def test_every_record_comes_back_exactly_from_avro_and_from_json(record: Record) -> None:
    codec = CODECS.of(type(record))
    encodings: tuple[Format, ...] = ("avro", "json")
    for encoding in encodings:
        assert bits(codec.decode(codec.encode(record, encoding))) == bits(record)


@given(RECORDS)
def test_fastavro_reads_what_is_written(record: Record) -> None:
    codec = CODECS.of(type(record))
    schema = next(entry for entry in current().values() if entry.name == type(record).__name__)
    value = codec.encode(record)
    assert value[:5] == b"\0" + schema.id.to_bytes(4, "big")
    body = io.BytesIO(value[5:])
    read: Any = fastavro.schemaless_reader(body, fastavro.parse_schema(dict(schema.schema)), None)
    assert body.read() == b""
    for name, found in read.items():
        expected = getattr(record, name)
        assert found == (list(expected) if isinstance(expected, tuple) else expected)


def avro(**changes: object) -> bytes:
    """A tick as fastavro writes it, whatever its fields are."""
    fields = {name: getattr(TICK, name) for name in TICK.__slots__} | changes
    out = io.BytesIO(b"\0\0\0\0\x01")
    out.seek(5)
    fastavro.schemaless_writer(out, dict(current()["stock_ticks"].schema), fields)
    return out.getvalue()


def as_json(**changes: object) -> bytes:
    return json.dumps({name: getattr(TICK, name) for name in TICK.__slots__} | changes).encode()


def without(name: str) -> bytes:
    fields = json.loads(as_json())
    del fields[name]
    return json.dumps(fields).encode()


GOOD = avro()

REJECTED = [
    (None, "the record has no value"),
    (b"", "the record has no value"),
    (b"\0", "the schema id must be 4 bytes long, was 0"),
    (b"\0\0\0\0\x63" + GOOD[5:], "unknown schema id 99"),
    (b"\0\0\0\0\x02" + GOOD[5:], "schema id 2 can't be read: it is of Bar, not of Tick"),
    (GOOD[:-1], "the Avro body ends too early, after 51 bytes"),
    (GOOD[:5], "the Avro body ends too early, after 0 bytes"),
    (GOOD + b"\0", "1 bytes follow the Avro body"),
    (GOOD[:5] + b"\xff" * 60, "the Avro body ends too early, after 60 bytes"),
    (avro(symbol="é").replace("é".encode(), b"\xc3\x28"), "the Avro body can't be read: UnicodeDecodeError"),
    (b"\xff" * 30, "the value must begin with Avro's 0x00 or JSON's {, began with 0xff"),
    (b'"text"', "the value must begin with Avro's 0x00 or JSON's {, began with 0x22"),
    (b"x" * 5_000_000, "the value must be at most 1048576 bytes long, was 5000000"),
    (b"\0" * 5_000_000, "the value must be at most 1048576 bytes long, was 5000000"),
    (avro(price=math.nan), "price must be positive and finite, was nan"),
    (avro(price=math.inf), "price must be positive and finite, was inf"),
    (avro(price=0.0), "price must be positive and finite, was 0.0"),
    (avro(price=-1.5), "price must be positive and finite, was -1.5"),
    (avro(volume=-1.0), "volume must be finite and not negative, was -1.0"),
    (avro(volume=math.nan), "volume must be finite and not negative, was nan"),
    (avro(volume=math.inf), "volume must be finite and not negative, was inf"),
    (avro(seq=0), "seq must be at least 1, was 0"),
    (avro(symbol=""), "symbol must not be empty"),
    (avro(symbol="x" * 65), "symbol must be at most 64 bytes long, was 65"),
    (avro(symbol="東" * 22), "symbol must be at most 64 bytes long, was 66"),
    (avro(source=""), "source must not be empty"),
    (avro(conditions="x" * 257), "conditions must be at most 256 bytes long, was 257"),
    (avro(flags=-1), "flags must not be negative, was -1"),
    (b"{", "the JSON can't be read: "),
    (b'{"symbol": NaN}', "the JSON can't be read: "),
    (as_json(price="165"), "price must be a number, was '165'"),
    (as_json(price=True), "price must be a number, was True"),
    (as_json(price=None), "price must be positive and finite, was nan"),
    (as_json(symbol=7), "symbol must be a text, was 7"),
    (as_json(symbol=None), "symbol must be a text, was None"),
    (as_json(seq=1.0), "seq must be an integer, was 1.0"),
    (as_json(seq=True), "seq must be an integer, was True"),
    (as_json(ts_event=2**63), "ts_event must fit in 64 bits, was 9223372036854775808"),
    (as_json(flags=2**31), "flags must fit in 32 bits, was 2147483648"),
    (as_json(venue=["x"] * 99), "venue must be a text, was ['x', 'x'"),
    (without("price"), "price is missing"),
]


@pytest.mark.parametrize(("value", "reason"), REJECTED, ids=[reason[:50] for _, reason in REJECTED])
def test_a_bad_tick_is_rejected_with_the_reason(value: bytes | None, reason: str) -> None:
    with pytest.raises(BadRecordError) as caught:
        CODECS.of(Tick).decode(value)
    assert str(caught.value).startswith(reason)
    assert len(str(caught.value)) < 300


def test_a_batch_keeps_the_good_and_names_the_bad() -> None:
    values = [GOOD, None, as_json(), GOOD[:-1], GOOD]
    decoded = CODECS.of(Tick).decode_many(values)
    assert decoded.records == [TICK, TICK, TICK]
    assert decoded.rows == [0, 2, 4]
    assert [row for row, _ in decoded.rejected] == [1, 3]


def test_json_ignores_unknown_fields_and_fills_in_the_optional_ones() -> None:
    value = b'{"symbol":"A","price":1,"volume":2,"ts_event":3,"ts_ingest":4,"seq":5,"source":"s","colour":"red"}'
    assert CODECS.of(Tick).decode(b" \n" + value) == Tick("A", 1.0, 2.0, 3, 4, 5, "s")
    assert isinstance(CODECS.of(Tick).decode(value).price, float)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_has_null_where_a_number_is_not_finite(number: float) -> None:
    codec = CODECS.of(SystemMetrics)
    value = codec.encode(SystemMetrics("s", "i", 1, {"x": number}), "json")
    assert orjson.loads(value)["metrics"] == {"x": None}
    assert math.isnan(codec.decode(value).metrics["x"])


def test_a_non_finite_figure_survives_avro() -> None:
    codec = CODECS.of(SystemMetrics)
    record = SystemMetrics("s", "i", 1, {"x": math.inf, "y": -math.inf})
    assert codec.decode(codec.encode(record)) == record


@pytest.mark.parametrize(
    "record",
    [
        Tick("A", -1.0, 1.0, 0, 0, 1, "s"),
        Tick("", 1.0, 1.0, 0, 0, 1, "s"),
        Tick("\ud800", 1.0, 1.0, 0, 0, 1, "s"),
        Tick("A", 1.0, 1.0, 2**63, 0, 1, "s"),
        SystemMetrics("s", "i", 1, {str(index): 0.0 for index in range(10_001)}),
        SystemMetrics("s" * 257, "i", 1, {}),
    ],
)
@pytest.mark.parametrize("encoding", ["avro", "json"])
def test_what_no_reader_would_take_is_not_written(record: Record, encoding: Format) -> None:
    with pytest.raises(BadRecordError):
        CODECS.of(type(record)).encode(record, encoding)


def test_a_bar_that_is_not_finite_is_rejected() -> None:
    bar = Bar("A", "1m", 0, 1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1, "closed", 0, "traded", "regular")
    codec = CODECS.of(Bar)
    value = codec.encode(bar, "json").replace(b'"vwap":1.0', b'"vwap":null')
    with pytest.raises(BadRecordError, match="vwap must be finite, was nan"):
        codec.decode(value)


def test_numbers_of_numpy_are_taken() -> None:
    record = Progress("s", np.int64(5), np.int64(6))  # type: ignore[arg-type] # what an array's element is
    codec = CODECS.of(Progress)
    assert codec.decode(codec.encode(record, "json")) == codec.decode(codec.encode(record)) == Progress("s", 5, 6)


def test_each_class_has_one_codec() -> None:
    assert CODECS.of(Bar) is CODECS.of(Bar)
