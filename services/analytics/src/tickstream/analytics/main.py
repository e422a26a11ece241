"""The analytics service: figures across symbols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from tickstream.analytics.adapters.cache import Cache
from tickstream.analytics.adapters.checkpoints import Checkpoints
from tickstream.analytics.handler import AnalyticsHandler, TradingDays
from tickstream.analytics.settings import AnalyticsSettings
from tickstream.core.brake import Brake
from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError
from tickstream.core.health import HealthServer
from tickstream.core.kafka import DeadLetters, Kafka, Publisher, log_end_of, retry_forever
from tickstream.core.lease import Lease
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.reporting import Reporter
from tickstream.core.runner import Runner
from tickstream.core.service import Stop, run_service

_LOG = logger(__name__)
_NAME: Final = "analytics"
_LEASE: Final = "analytics-lease"
_PORT: Final = 8093


class Waiting:
    """Why the service can't do its work now; a stand-by is ready to stand by."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._reason = "starting"
        self._parts: tuple[Runner | AnalyticsHandler, ...] = ()

    def until_done(self, call: Callable[[], None]) -> None:
        """Repeat `call` until it succeeds, or the service is to end."""

        def say(reason: str) -> None:
            if reason != self._reason:
                _LOG.warning("waiting", reason=reason)
            self._reason = reason

        retry_forever(call, self._stop, say)
        self._reason = ""

    def started(self, *parts: Runner | AnalyticsHandler) -> None:
        """From now on these say what they wait for."""
        self._parts = parts

    def reasons(self) -> dict[str, str]:
        """What `/readyz` shows; empty when all is well."""
        reason = next((part.waiting_for for part in self._parts if part.waiting_for), self._reason)
        return {"waiting": reason} if reason else {}


def run(settings: AnalyticsSettings, stop: Stop) -> None:
    """Run until told to stop, or until caught up; stand by while another instance is active."""
    clock, registry = SystemClock(), new_registry()
    waiting = Waiting(stop)
    kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
    with HealthServer(settings.http_host, settings.http_port, _PORT, waiting.reasons, registry) as server:
        _LOG.info("listening", host=settings.http_host, port=server.port)
        waiting.until_done(kafka.ensure_topics)
        if stop:
            return
        with Lease(kafka, _LEASE, stop) as lease, Reporter(kafka, codecs, registry, _NAME, clock):
            if lease.wait(stop):
                _work(settings, kafka, codecs, stop, waiting, clock, registry)
            if lease.lost:
                raise FatalError("another instance is the active one now")


def _work(
    settings: AnalyticsSettings,
    kafka: Kafka,
    codecs: Codecs,
    stop: Stop,
    waiting: Waiting,
    clock: Clock,
    registry: CollectorRegistry,
) -> None:
    publisher = Publisher(kafka.producer(_NAME))
    consumer, store = kafka.consumer(_NAME), Checkpoints(kafka)
    handler = AnalyticsHandler(
        kafka=kafka,
        publisher=publisher,
        dead_letters=DeadLetters(kafka, publisher, _NAME, clock),
        codecs=codecs,
        cache=Cache(settings.redis_url.get_secret_value() if settings.redis_url else None, clock, registry),
        store=store,
        days=TradingDays(settings.calendar),
        chosen=settings.chosen,
        clock=clock,
        log_end=log_end_of(consumer),
        wait=waiting.until_done,
        registry=registry,
    )
    runner = Runner(consumer, handler.topics, handler, stop, clock, until_caught_up=settings.until_caught_up)
    handler.position, handler.at_end, handler.pause = runner.position, lambda: runner.at_end, Brake(consumer)
    waiting.started(runner, handler)
    try:
        runner.run()
    finally:
        store.close()


def main() -> int:
    """The entry point of `tickstream-analytics`."""
    return run_service("ANALYTICS", AnalyticsSettings, run)
