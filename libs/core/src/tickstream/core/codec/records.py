"""Records to bytes and back, one by one: Avro in Confluent's wire format, or JSON."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from struct import Struct
from typing import Any, Final, Generic, Literal, TypeVar, cast

import fastavro
import orjson

from tickstream.core.codec.compat import unreadable
from tickstream.core.codec.fields import Field, shown
from tickstream.core.codec.registry import Registry
from tickstream.core.codec.rules import rules_of
from tickstream.core.codec.schemas import TopicSchema
from tickstream.core.codec.writing import NULL, Pieces, text, used
from tickstream.core.columns import Strings
from tickstream.core.errors import BadRecordError
from tickstream.core.model import Record

Format = Literal["avro", "json"]
R = TypeVar("R", bound=Record)

MAX_BYTES: Final = 1_048_576
"""A value longer than this is refused unread."""

FEW: Final = 28
"""Fewer records than this are encoded and decoded faster one by one than in columns."""

HEADER_BYTES: Final = 5
_HEADER: Final = Struct(">BI")
_MAGIC: Final = 0
_KEPT_SCHEMAS: Final = 1000


@dataclass(frozen=True, slots=True)
class Decoded(Generic[R]):
    """What a batch of values held.

    Attributes:
        records: those that could be read, in order.
        rows: where each of them was in the batch.
        rejected: (where it was, why not) of the others.
    """

    records: list[R]
    rows: list[int]
    rejected: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Writer:
    """The schema behind an id that isn't today's, or why it can't be read."""

    schema: Any
    problem: str = ""


class RecordCodec(Generic[R]):
    """Encodes and decodes the values of one topic.

    Args:
        record: the class of the records.
        schema: the topic's.
        registry: asked for ids and for the schemas behind other ids.
    """

    def __init__(self, record: type[R], schema: TopicSchema, registry: Registry) -> None:
        self._record = record
        self._topic_schema = schema
        self._registry = registry
        self._schema = fastavro.parse_schema(dict(schema.schema))
        self._fields = {declared["name"]: Field(declared) for declared in schema.schema["fields"]}
        self._readers = tuple((field.name, self._fields[field.name].read) for field in fields(record))
        self._check = rules_of(record)
        self._writers: OrderedDict[int, _Writer] = OrderedDict()
        self._id: int | None = None

    @property
    def schema_id(self) -> int:
        """The id that values are written with.

        Raises:
            RetryableError: the registry doesn't answer.
        """
        if self._id is None:
            self._id = self._registry.id_of(self._topic_schema)
        return self._id

    @property
    def header(self) -> bytes:
        """The first bytes of every Avro value that is written."""
        return _HEADER.pack(_MAGIC, self.schema_id)

    def encode(self, record: R, format: Format = "avro") -> bytes:  # noqa: A002 - the word that callers know
        """The bytes of a record.

        Raises:
            BadRecordError: a field is of the wrong type, too large, or breaks a rule.
        """
        values = {name: field.read(getattr(record, name)) for name, field in self._fields.items()}
        self._check(record)
        if format == "json":
            return orjson.dumps(values)
        out = BytesIO()
        out.write(self.header)
        fastavro.schemaless_writer(out, self._schema, values)
        return out.getvalue()

    def encode_many(self, records: Iterable[R], format: Format = "avro") -> list[bytes]:  # noqa: A002 - as above
        """The bytes of each record.

        Raises:
            BadRecordError: as `encode`.
        """
        return [self.encode(record, format) for record in records]

    def decode(self, value: bytes | None) -> R:
        """The record that was encoded.

        Raises:
            BadRecordError: the bytes are not a record of this topic; says why.
            RetryableError: a schema is needed from the registry, which doesn't answer.
        """
        if not value:
            raise BadRecordError("the record has no value")
        if len(value) > MAX_BYTES:
            raise BadRecordError(f"the value must be at most {MAX_BYTES} bytes long, was {len(value)}")
        if value[0] == _MAGIC:
            values = self._from_avro(value)
        elif value.lstrip()[:1] == b"{":
            values = self._from_json(value)
        else:
            raise BadRecordError(f"the value must begin with Avro's 0x00 or JSON's {{, began with 0x{value[0]:02x}")
        record = self._record(*[read(values[name]) for name, read in self._readers])
        self._check(record)
        return record

    def decode_many(self, values: Sequence[bytes | None]) -> Decoded[R]:
        """Decode a batch; what can't be read is set aside with the reason.

        Raises:
            RetryableError: a schema is needed from the registry, which doesn't answer.
        """
        decoded: Decoded[R] = Decoded([], [], [])
        for row, value in enumerate(values):
            try:
                record = self.decode(value)
            except BadRecordError as error:
                decoded.rejected.append((row, str(error)))
            else:
                decoded.records.append(record)
                decoded.rows.append(row)
        return decoded

    def _texts(self, name: str, column: Strings, prefix: bytes = b"") -> Pieces:
        """The column that writes a field's texts, each after `prefix`.

        Raises:
            BadRecordError: a text is null, too large or not writable.
        """
        read = self._fields[name].read
        distinct, which = used(column)
        encoded = [prefix + text(read(value)) for value in distinct]
        if len(which) and which.min() < 0:
            read(None)
            encoded.append(NULL)
        return Pieces.of(encoded, which)

    def _from_avro(self, value: bytes) -> Mapping[str, Any]:
        if len(value) < HEADER_BYTES:
            raise BadRecordError(f"the schema id must be 4 bytes long, was {len(value) - 1}")
        schema_id: int = _HEADER.unpack_from(value)[1]
        writer = self._writer(schema_id)
        body = BytesIO(value)
        body.seek(HEADER_BYTES)
        try:
            values = fastavro.schemaless_reader(body, writer, None if writer is self._schema else self._schema)
        except Exception as error:  # noqa: BLE001 - fastavro raises what it meets: IndexError, ValueError, MemoryError …
            if isinstance(error, EOFError | IndexError) and body.tell() == len(value):
                raise BadRecordError(f"the Avro body ends too early, after {len(value) - HEADER_BYTES} bytes") from None
            raise BadRecordError(f"the Avro body can't be read: {type(error).__name__} {shown(str(error))}") from None
        if body.tell() != len(value):
            raise BadRecordError(f"{len(value) - body.tell()} bytes follow the Avro body")
        return cast("Mapping[str, Any]", values)

    def _from_json(self, value: bytes) -> Mapping[str, Any]:
        try:
            values = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise BadRecordError(f"the JSON can't be read: {error}") from None
        for field in self._fields.values():
            if field.name not in values:
                if field.required:
                    raise BadRecordError(f"{field.name} is missing")
                values[field.name] = field.default
        return cast("Mapping[str, Any]", values)

    def _writer(self, schema_id: int) -> Any:
        if schema_id == self.schema_id:
            return self._schema
        writer = self._writers.get(schema_id)
        if writer is None:
            writer = self._writers[schema_id] = self._look_up(schema_id)
            if len(self._writers) > _KEPT_SCHEMAS:
                self._writers.popitem(last=False)
        if writer.problem:
            raise BadRecordError(writer.problem)
        return writer.schema

    def _look_up(self, schema_id: int) -> _Writer:
        schema = self._registry.schema(schema_id)
        if schema is None:
            return _Writer(None, f"unknown schema id {schema_id}")
        try:
            parsed = fastavro.parse_schema(dict(schema))
        except Exception as error:  # noqa: BLE001 - whatever somebody registered: KeyError, SchemaParseException …
            problems = [f"it is not valid: {type(error).__name__} {shown(str(error))}"]
        else:
            problems = unreadable(schema, self._topic_schema.schema)
        if problems:
            return _Writer(None, f"schema id {schema_id} can't be read: {'; '.join(problems)}")
        return _Writer(parsed)
