from __future__ import annotations

import copy
import io
import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from tests.support.registry import Schemas, registry
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.codec.schemas import current
from tickstream.core.errors import BadRecordError, FatalError, RetryableError
from tickstream.core.model import Bar, Tick
from tickstream.core.settings import KafkaSettings

TICK = Tick("SPY", 165.33, 200.0, 1381239000000000000, 1381239000000000001, 1, "replay", venue="P")


@pytest.fixture
def schemas() -> Iterator[Schemas]:
    with registry() as served:
        yield served


def codecs(schemas: Schemas, **settings: str) -> Codecs:
    return Codecs.from_settings(KafkaSettings.model_validate({"schema_registry_url": schemas.url} | settings))


def written(schema: dict[str, Any], schema_id: int, **changes: object) -> bytes:
    out = io.BytesIO()
    out.write(b"\0" + schema_id.to_bytes(4, "big"))
    fastavro.schemaless_writer(out, schema, {name: getattr(TICK, name) for name in TICK.__slots__} | changes)
    return out.getvalue()


def ours() -> dict[str, Any]:
    return copy.deepcopy(dict(current()["stock_ticks"].schema))


def test_values_carry_the_id_that_the_registry_gave(schemas: Schemas) -> None:
    codec = codecs(schemas).of(Tick)
    value = codec.encode(TICK)
    assert list(schemas.subjects) == ["stock_ticks-value"]
    assert json.loads(schemas.by_id[1000]) == ours()
    assert value[:5] == b"\0" + (1000).to_bytes(4, "big")
    assert codec.decode_columns([value] * 50, TickInterners()).columns.symbol.to_list() == ["SPY"] * 50
    assert len(schemas.requests) == 1


def test_subjects_have_the_prefix_of_the_topics(schemas: Schemas) -> None:
    codecs(schemas, kafka_topic_prefix="test.").of(Bar).schema_id  # noqa: B018 - asks the registry
    assert list(schemas.subjects) == ["test.bars-value"]


def test_schemas_of_others_are_resolved_and_asked_for_once(schemas: Schemas) -> None:
    other = ours()
    other["fields"] = [field for field in reversed(other["fields"]) if field["name"] != "conditions"]
    other["fields"].append({"name": "lot", "type": "long"})
    next(field for field in other["fields"] if field["name"] == "volume")["type"] = "int"
    their_id = schemas.add("stock_ticks-value", json.dumps(other))
    codec = codecs(schemas).of(Tick)
    value = written(other, their_id, lot=5, volume=200)
    assert codec.decode(value) == TICK
    mixed = [codec.encode(TICK), value] * 30
    assert codec.decode_columns(mixed, TickInterners(), trade_ids=True).columns.to_ticks() == [TICK] * 60
    assert len(schemas.requests) == 2


@pytest.mark.parametrize(
    ("field", "kind", "reason"),
    [
        ("price", "string", "field price is string, not double"),
        ("seq", None, "field seq is missing and has no default"),
        ("symbol", ["null", "string"], "field symbol is ['null', 'string'], not string"),
    ],
)
def test_a_schema_that_does_not_fit_is_a_reason_to_reject(
    schemas: Schemas, field: str, kind: object, reason: str
) -> None:
    other = ours()
    other["fields"] = [item for item in other["fields"] if item["name"] != field]
    if kind is not None:
        other["fields"].append({"name": field, "type": kind})
    their_id = schemas.add("stock_ticks-value", json.dumps(other))
    with pytest.raises(BadRecordError) as caught:
        codecs(schemas).of(Tick).decode(written(other, their_id, price="165", seq=1))
    assert str(caught.value) == f"schema id {their_id} can't be read: {reason}"


@pytest.mark.parametrize("text", ['"string"', '{"type": "record", "name": "Tick"}', '{"type": "nonsense"}'])
def test_a_schema_that_is_no_record_is_a_reason_to_reject(schemas: Schemas, text: str) -> None:
    their_id = schemas.add("x-value", text)
    with pytest.raises(BadRecordError, match=f"schema id {their_id} can't be read"):
        codecs(schemas).of(Tick).decode(b"\0" + their_id.to_bytes(4, "big") + b"\0")


def test_an_unknown_id_is_asked_for_once_and_rejected(schemas: Schemas) -> None:
    codec = codecs(schemas).of(Tick)
    good = codec.encode(TICK)
    decoded = codec.decode_many([good, b"\0\0\0\0\x63" + good[5:], b"\0\0\0\0\x63" + good[5:]])
    assert decoded.rejected == [(1, "unknown schema id 99"), (2, "unknown schema id 99")]
    assert len(schemas.requests) == 2


def test_an_absent_registry_is_waited_for(schemas: Schemas) -> None:
    codec = codecs(schemas).of(Tick)
    schemas.failing = True
    with pytest.raises(RetryableError, match="fails: 503"):
        codec.encode(TICK)
    schemas.failing = False
    good = codec.encode(TICK)
    schemas.failing = True
    with pytest.raises(RetryableError):
        codec.decode_many([good, b"\0\0\0\0\x63" + good[5:]])
    with pytest.raises(RetryableError, match="doesn't answer"):
        Codecs.from_settings(KafkaSettings(schema_registry_url="http://127.0.0.1:1")).of(Tick).encode(TICK)


def test_a_refused_schema_ends_the_service(schemas: Schemas) -> None:
    with pytest.raises(FatalError, match=r"refused.stock_ticks-value: 409 .*incompatible"):
        codecs(schemas, kafka_topic_prefix="refused.").of(Tick).encode(TICK)


def test_user_and_password_of_the_address_are_sent_and_not_shown(schemas: Schemas) -> None:
    address = schemas.url.replace("http://", "http://me:se%20cret@")
    codec = Codecs.from_settings(KafkaSettings(schema_registry_url=address)).of(Tick)
    codec.encode(TICK)
    assert schemas.requests[0][2] == "Basic bWU6c2UgY3JldA=="
    schemas.failing = True
    with pytest.raises(RetryableError) as caught:
        codec.decode(b"\0\0\0\0\x63abc")
    assert "cret" not in str(caught.value)
