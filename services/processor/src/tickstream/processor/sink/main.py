"""The sink's composition root."""

from __future__ import annotations

import sys
import threading
from contextlib import closing

from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.health import HealthServer
from tickstream.core.kafka import DeadLetters, Kafka, Publisher, retry_forever
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.reporting import Reporter
from tickstream.core.runner import Runner
from tickstream.core.service import Stop, run_service
from tickstream.processor.sink.figures import Figures
from tickstream.processor.sink.handler import STORED_TOPICS, Sink
from tickstream.processor.sink.influxdb import InfluxSeries
from tickstream.processor.sink.postgres import PostgresSeries
from tickstream.processor.sink.series import TimeSeries
from tickstream.processor.sink.settings import SinkSettings

_LOG = logger(__name__)
_SERVICE = "processor-sink"


def main() -> int:
    """Run the sink in a process of its own; gives the exit code."""
    return run_service("PROCESSOR", SinkSettings, _run_beside_the_bars)


def _run_beside_the_bars(settings: SinkSettings, stop: Stop) -> None:
    if settings.sink_ends_with_stdin:
        threading.Thread(target=_stop_with_stdin, args=(stop,), name="stdin", daemon=True).start()
    run(settings, stop, settings.sink_http_port)


def _stop_with_stdin(stop: Stop) -> None:
    sys.stdin.buffer.read()
    stop.set()


def run(settings: SinkSettings, stop: Stop, port: int | None, preferred_port: int = 0) -> None:
    """Store what the topics carry, until told to stop or caught up.

    Args:
        settings: of this run.
        stop: says when to end.
        port: of the health pages; None takes `preferred_port`, or any free one.
        preferred_port: as above.
    """
    if settings.store == "off":
        _LOG.warning("nothing_is_stored", reason="neither INFLUXDB_URL nor DATABASE_URL is set, or TIMESERIES is off")
        return
    kafka, codecs, clock, registry = Kafka(settings), Codecs.from_settings(settings), SystemClock(), new_registry()
    with closing(make_store(settings)) as store:
        sink = _Running(settings, stop, store, kafka, codecs, clock, Figures(registry))
        with (
            HealthServer(settings.http_host, port, preferred_port, sink.readiness, registry) as health,
            Reporter(kafka, codecs, registry, _SERVICE, clock),
        ):
            _LOG.info("started", store=settings.store, http_port=health.port)
            sink.run()
    _LOG.info("ended")


def make_store(settings: SinkSettings) -> TimeSeries:
    """The store that the settings name."""
    if settings.influxdb_url is not None and settings.influxdb_token is not None and settings.store == "influxdb":
        return InfluxSeries(
            settings.influxdb_url,
            settings.influxdb_token.get_secret_value(),
            settings.influxdb_org,
            settings.influxdb_bucket,
            settings.sink_timeout,
        )
    if settings.database_url is not None and settings.store == "postgres":
        return PostgresSeries(settings.database_url.get_secret_value(), settings.sink_timeout)
    raise ValueError(f"no store to be made for TIMESERIES {settings.store}")


class _Running:
    """One run, and what it is waiting for."""

    def __init__(
        self,
        settings: SinkSettings,
        stop: Stop,
        store: TimeSeries,
        kafka: Kafka,
        codecs: Codecs,
        clock: Clock,
        figures: Figures,
    ) -> None:
        self._stop = stop
        self._store = store
        self._kafka = kafka
        self._waiting_for = "the start"
        publisher = Publisher(kafka.producer(_SERVICE))
        dead = DeadLetters(kafka, publisher, _SERVICE, clock)
        self._runner = Runner(
            kafka.consumer(f"sink-{settings.store}"),
            [kafka.topic(name) for name in STORED_TOPICS],
            Sink(store, codecs, kafka, publisher, dead, figures),
            stop,
            clock,
            max_batch=settings.sink_batch,
            until_caught_up=settings.until_caught_up,
        )
        figures.lag.set_function(lambda: self._runner.lag)

    def readiness(self) -> dict[str, str]:
        """Why nothing can be stored now."""
        reason = self._waiting_for or self._runner.waiting_for
        return {"sink": reason} if reason else {}

    def run(self) -> None:
        """Wait for the servers, then read until the end."""
        for prepare in (self._kafka.ensure_topics, self._store.prepare):
            retry_forever(prepare, self._stop, self._wait_for)
        self._waiting_for = ""
        self._runner.run()

    def _wait_for(self, reason: str) -> None:
        if reason != self._waiting_for:
            _LOG.warning("waiting", reason=reason)
        self._waiting_for = reason
