"""What programs in other languages rely on: schemas, ids, golden samples, and that old data stays readable."""

from __future__ import annotations

import copy
import io
import json
import re
from pathlib import Path
from typing import Any

import fastavro
import orjson
import pytest

from tickstream.core.codec import Codecs
from tickstream.core.codec.compat import unreadable
from tickstream.core.codec.schemas import current, kept
from tickstream.core.topics import TOPICS

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
CODECS = Codecs()
RECORDS = {name: topic.record for name, topic in TOPICS.items() if topic.record is not None}

FIELDS = {
    "stock_ticks": "symbol: string, price: double, volume: double, ts_event: long, ts_ingest: long, seq: long, "
    "source: string, venue: string?, trade_id: string?, conditions: string?, flags: int",
    "bars": "symbol: string, interval: string, start: long, end: long, open: double, high: double, low: double, "
    "close: double, volume: double, vwap: double, trades: long, state: string, revision: int, activity: string, "
    "session: string",
    "indicators": "symbol: string, interval: string, start: long, end: long, state: string, revision: int, "
    "values: map of double, warming: array of string",
    "analytics": "scope: string, name: string, ts_event: long, window: string, values: map of double",
    "alerts": "alert_id: string, rule_id: string, symbol: string, state: string, severity: string, ts_event: long, "
    "value: double, threshold: double, summary: string, revision: int, labels: map of string",
    "market_events": "type: string, symbol: string?, source: string?, ts_event: long, detail: map of string",
    "system_metrics": "service: string, instance: string, ts_event: long, metrics: map of double",
    "progress": "source: string, ts_event: long, offset: long, final: boolean",
}
"""The fields of every topic in their order, written out a second time on purpose."""


def spelled(kind: Any) -> str:
    match kind:
        case ["null", inner]:
            return f"{inner}?"
        case {"type": "map", "values": inner}:
            return f"map of {inner}"
        case {"type": "array", "items": inner}:
            return f"array of {inner}"
        case _:
            return str(kind)


def samples(topic: str) -> list[tuple[bytes, bytes]]:
    """(Avro value, JSON value) of each golden record."""
    values = (SCHEMAS / "golden" / f"{topic}.avro.hex").read_text().split()
    records = (SCHEMAS / "golden" / f"{topic}.json").read_text("utf-8").splitlines()
    return [(bytes.fromhex(value), record.encode()) for value, record in zip(values, records, strict=True)]


def test_every_topic_with_records_has_a_schema() -> None:
    assert set(current()) == set(RECORDS) == set(FIELDS)
    for topic, entry in current().items():
        record = RECORDS[topic]
        assert record is not None
        assert entry.name == record.__name__


@pytest.mark.parametrize("topic", FIELDS)
def test_fields_are_those_of_the_contract_in_its_order(topic: str) -> None:
    declared = current()[topic].schema["fields"]
    assert ", ".join(f"{field['name']}: {spelled(field['type'])}" for field in declared) == FIELDS[topic]


@pytest.mark.parametrize("topic", FIELDS)
def test_every_field_says_what_it_is(topic: str) -> None:
    for field in current()[topic].schema["fields"]:
        assert len(field["doc"]) > 5, field["name"]
        if re.match(r"ts_|start$|end$", field["name"]):
            assert "UTC" in field["doc"], field["name"]


@pytest.mark.parametrize("topic", FIELDS)
def test_golden_samples_are_read_and_written_byte_for_byte(topic: str) -> None:
    record = RECORDS[topic]
    assert record is not None
    codec = CODECS.of(record)
    assert samples(topic)
    for avro, as_json in samples(topic):
        assert codec.decode(avro) == codec.decode(as_json)
        assert codec.encode(codec.decode(avro)) == avro
        assert codec.encode(codec.decode(avro), "json") == as_json


@pytest.mark.parametrize("topic", FIELDS)
def test_golden_samples_are_plain_avro(topic: str) -> None:
    schema = fastavro.parse_schema(json.loads((SCHEMAS / f"{topic}.avsc").read_text("utf-8")))
    schema_id = json.loads((SCHEMAS / "ids.json").read_text())[topic]
    for avro, as_json in samples(topic):
        assert avro[:5] == b"\0" + schema_id.to_bytes(4, "big")
        body = io.BytesIO(avro[5:])
        assert fastavro.schemaless_reader(body, schema, None) == orjson.loads(as_json)
        assert body.read() == b""


def test_an_id_stands_for_one_schema_for_ever() -> None:
    seen: dict[int, Any] = {}
    for version in sorted((SCHEMAS / "versions").iterdir()):
        for topic, schema_id in json.loads((version / "ids.json").read_text()).items():
            schema = json.loads((version / f"{topic}.avsc").read_text("utf-8"))
            assert seen.setdefault(schema_id, schema) == schema, f"id {schema_id} of {topic} in {version.name}"
    assert set(seen) == set(kept())


def test_the_newest_version_is_what_is_written_today() -> None:
    for entry in current().values():
        assert kept()[entry.id].topic == entry.topic
        assert kept()[entry.id].schema == entry.schema


@pytest.mark.parametrize("schema_id", kept())
def test_today_reads_what_every_kept_version_wrote(schema_id: int) -> None:
    written = kept()[schema_id]
    record = RECORDS[written.topic]
    assert record is not None
    assert unreadable(written.schema, current()[written.topic].schema) == []
    for _, as_json in samples(written.topic):
        out = io.BytesIO()
        out.write(b"\0" + schema_id.to_bytes(4, "big"))
        fastavro.schemaless_writer(out, dict(written.schema), orjson.loads(as_json))
        read = CODECS.of(record).decode(out.getvalue())
        for field in written.schema["fields"]:
            found = getattr(read, field["name"], None)
            expected = orjson.loads(as_json)[field["name"]]
            assert (list(found) if isinstance(found, tuple) else found) == expected


def changed(topic: str, name: str, /, **change: object) -> dict[str, Any]:
    """A topic's schema with one field changed, or left out."""
    schema = copy.deepcopy(dict(current()[topic].schema))
    if change:
        next(field for field in schema["fields"] if field["name"] == name).update(change)
    else:
        schema["fields"] = [field for field in schema["fields"] if field["name"] != name]
    return schema


def with_field(topic: str, **field: object) -> dict[str, Any]:
    schema = copy.deepcopy(dict(current()[topic].schema))
    schema["fields"].append(field)
    return schema


@pytest.mark.parametrize(
    ("topic", "reader", "problem"),
    [
        ("stock_ticks", with_field("stock_ticks", name="lot", type="long"), "field lot is missing and has no default"),
        ("stock_ticks", changed("stock_ticks", "price", type="long"), "field price is double, not long"),
        (
            "stock_ticks",
            changed("stock_ticks", "venue", type="string"),
            "field venue is ['null', 'string'], not string",
        ),
        ("stock_ticks", changed("stock_ticks", "seq", name="number"), "field number is missing and has no default"),
        (
            "analytics",
            changed("analytics", "values", type={"type": "map", "values": "long"}),
            "field values is {'type': 'map', 'values': 'double'}, not {'type': 'map', 'values': 'long'}",
        ),
    ],
)
def test_an_incompatible_change_is_caught(topic: str, reader: dict[str, Any], problem: str) -> None:
    assert unreadable(current()[topic].schema, reader) == [problem]
    value = samples(topic)[0][0][5:]
    with pytest.raises(Exception):  # noqa: B017, PT011 - fastavro agrees, each time with another exception
        fastavro.schemaless_reader(io.BytesIO(value), dict(current()[topic].schema), reader)


@pytest.mark.parametrize(
    ("topic", "reader"),
    [
        ("stock_ticks", with_field("stock_ticks", name="lot", type="long", default=0)),
        ("stock_ticks", with_field("stock_ticks", name="lot", type=["null", "long"], default=None)),
        ("stock_ticks", changed("stock_ticks", "flags", type="long")),
        ("stock_ticks", changed("stock_ticks", "source", type=["null", "string"])),
        ("stock_ticks", changed("stock_ticks", "conditions")),
        ("bars", changed("bars", "revision", type="double")),
        ("analytics", changed("analytics", "values", type={"type": "map", "values": ["null", "double"]})),
    ],
)
def test_a_compatible_change_is_let_through(topic: str, reader: dict[str, Any]) -> None:
    assert unreadable(current()[topic].schema, reader) == []
    value = samples(topic)[0][0][5:]
    fastavro.schemaless_reader(io.BytesIO(value), dict(current()[topic].schema), reader)
