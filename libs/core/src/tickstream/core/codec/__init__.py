"""Bytes on the topics to records and back, one by one and by the batch.

    codecs = Codecs.from_settings(settings)
    value = codecs.of(Bar).encode(bar)
    decoded = codecs.of(Tick).decode_columns(values, interners)

Values are Avro in Confluent's wire format, or JSON; readers tell the two apart by the first byte.
"""

from __future__ import annotations

from typing import Any, overload

from tickstream.core.codec.bars import BarCodec
from tickstream.core.codec.indicators import IndicatorCodec
from tickstream.core.codec.records import MAX_BYTES, Decoded, Format, R, RecordCodec
from tickstream.core.codec.registry import ConfluentRegistry, FixedIds, Registry
from tickstream.core.codec.schemas import current
from tickstream.core.codec.ticks import DecodedTicks, TickCodec
from tickstream.core.columns import TickInterners
from tickstream.core.model import Bar, IndicatorSet, Tick
from tickstream.core.settings import KafkaSettings
from tickstream.core.topics import TOPICS

__all__ = [
    "MAX_BYTES",
    "BarCodec",
    "Codecs",
    "ConfluentRegistry",
    "Decoded",
    "DecodedTicks",
    "FixedIds",
    "Format",
    "IndicatorCodec",
    "RecordCodec",
    "Registry",
    "TickCodec",
    "TickInterners",
]


class Codecs:
    """The codec of each class of records, with one way of giving schemas their ids."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or FixedIds()
        self._codecs: dict[type, RecordCodec[Any]] = {}

    @classmethod
    def from_settings(cls, settings: KafkaSettings) -> Codecs:
        """With the registry of the settings, or the fixed ids when they name none."""
        url = settings.schema_registry_url
        return cls(ConfluentRegistry(url, settings.kafka_topic_prefix) if url else FixedIds())

    @overload
    def of(self, record: type[Tick]) -> TickCodec: ...
    @overload
    def of(self, record: type[Bar]) -> BarCodec: ...
    @overload
    def of(self, record: type[IndicatorSet]) -> IndicatorCodec: ...
    @overload
    def of(self, record: type[R]) -> RecordCodec[R]: ...
    def of(self, record: type[Any]) -> RecordCodec[Any]:
        """The codec of a class of records, always the same one."""
        codec = self._codecs.get(record)
        if codec is None:
            codec = self._codecs[record] = self._make(record)
        return codec

    def _make(self, record: type[Any]) -> RecordCodec[Any]:
        topic = next(topic.name for topic in TOPICS.values() if topic.record is record)
        kinds: dict[type, type[RecordCodec[Any]]] = {Tick: TickCodec, Bar: BarCodec, IndicatorSet: IndicatorCodec}
        return kinds.get(record, RecordCodec)(record, current()[topic], self._registry)
