"""What every service says of itself, read from `system_metrics` when someone asks."""

from __future__ import annotations

import asyncio
from typing import Final

import orjson
from aiohttp import web

from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import TickstreamError
from tickstream.core.kafka import Consumer, Kafka, KafkaError, KafkaException, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.model import SystemMetrics
from tickstream.core.settings import KafkaSettings
from tickstream.core.topics import SYSTEM_METRICS
from tickstream.ws_bridge.adapters.callers import Callers
from tickstream.ws_bridge.adapters.web import STATUSES, problem
from tickstream.ws_bridge.domain.protocol import RefusalError

_LOG = logger(__name__)
_PATH: Final = "/api/v1/system"
_BACK_MS: Final = 60_000
_FRESH_SECONDS: Final = 1.0
_READ_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.05
_BATCH: Final = 1_000
_MOST: Final = 20_000


class SystemFigures:
    """Serves the newest figures of each instance of each service, of the last minute.

    Nothing is read while nobody asks, and once a second at the most however many do.

    Args:
        settings: of Kafka.
        callers: says who may see them.
        clock: for the age of what was read.
    """

    def __init__(self, settings: KafkaSettings, callers: Callers, clock: Clock) -> None:
        self._kafka = Kafka(settings)
        self._codecs = Codecs.from_settings(settings)
        self._callers = callers
        self._clock = clock
        self._lock = asyncio.Lock()
        self._body = b""
        self._read_at = float("-inf")

    def add_routes(self, app: web.Application) -> None:
        """Put the path on the application."""
        app.router.add_get(_PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            await self._callers.admit_overseer(request)
            async with self._lock:
                if self._clock.monotonic() - self._read_at >= _FRESH_SECONDS:
                    self._body = await asyncio.to_thread(self._read)
                    self._read_at = self._clock.monotonic()
        except RefusalError as refusal:
            return problem(STATUSES[refusal.code], refusal.code, str(refusal))
        except (TickstreamError, KafkaException) as error:
            _LOG.warning("system_metrics_unread", reason=str(error))
            return problem(503, "internal", "Kafka doesn't give the services' figures")
        return web.Response(body=self._body, content_type="application/json", headers={"Cache-Control": "no-store"})

    def _read(self) -> bytes:
        now_ns = self._clock.now_ns()
        consumer = self._kafka.reader(fetch_wait_max_ms=20)
        try:
            values = self._values(consumer, now_ns // NANOS_PER_MILLI - _BACK_MS)
        finally:
            consumer.close()
        found: dict[tuple[str, str], SystemMetrics] = {}
        for record in self._codecs.of(SystemMetrics).decode_many(values).records:
            key = (record.service, record.instance)
            earlier = found.get(key)
            if earlier is None or earlier.ts_event <= record.ts_event:
                # An instance may report some figures more often than others.
                metrics = {**earlier.metrics, **record.metrics} if earlier is not None else record.metrics
                found[key] = SystemMetrics(*key, record.ts_event, metrics)
        services = [
            {
                "service": one.service,
                "instance": one.instance,
                "ts_event_ms": one.ts_event // NANOS_PER_MILLI,
                "metrics": dict(one.metrics),
            }
            for _key, one in sorted(found.items())
        ]
        return orjson.dumps({"ts_ms": now_ns // NANOS_PER_MILLI, "services": services})

    def _values(self, consumer: Consumer, since_ms: int) -> list[bytes]:
        """The records since a time, as they are in Kafka, up to the present end of each partition."""
        topic = self._kafka.topic(SYSTEM_METRICS.name)
        numbers = range(self._kafka.partitions(SYSTEM_METRICS.name))
        starts = consumer.offsets_for_times(
            [TopicPartition(topic, number, since_ms) for number in numbers], timeout=_READ_SECONDS
        )
        consumer.assign(starts)
        unread = set(numbers)
        values: list[bytes] = []
        deadline = self._clock.monotonic() + _READ_SECONDS
        while unread and len(values) < _MOST and self._clock.monotonic() < deadline:
            for message in consumer.consume(_BATCH, _POLL_SECONDS):
                error = message.error()
                if error is None:
                    values.append(message.value() or b"")
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's own name for it
                    unread.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)
        return values
