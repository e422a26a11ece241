"""Settings to a running producer."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping
from typing import Final

import orjson

from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.health import HealthServer
from tickstream.core.kafka import Kafka, Publisher, retry_forever
from tickstream.core.logging import logger
from tickstream.core.model import MarketEvent, Progress, SystemMetrics, Tick
from tickstream.core.service import Stop, run_service
from tickstream.core.sessions import Sessions
from tickstream.core.topics import STOCK_TICKS
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import REQUESTS_IN_FLIGHT, Account, TickPublisher
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.selection import Share
from tickstream.producer.figures import Figures
from tickstream.producer.outside import Outside
from tickstream.producer.parts import Parts
from tickstream.producer.replay import Replay
from tickstream.producer.settings import ProducerSettings
from tickstream.producer.simulate import Simulation

_LOG = logger(__name__)
_PREFERRED_PORT: Final = 8091
_LONGEST_SILENCE: Final = 3.0


def main() -> int:
    """The command `tickstream-producer`."""
    return run_service("PRODUCER", ProducerSettings, run)


def run(settings: ProducerSettings, stop: Stop) -> None:
    """Publish what the settings ask for, and account for it on stdout.

    Raises:
        FatalError: a trade did not arrive, or there is nothing to publish.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    clock, figures, unready = SystemClock(), Figures(), Unready(SystemClock())
    with HealthServer(settings.http_host, settings.http_port, _PREFERRED_PORT, unready, figures.registry):
        kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
        retry_forever(lambda: _reach(kafka, codecs), stop, unready.wait_for_kafka)
        if stop:
            return
        parts = _parts(settings, stop, clock, kafka, codecs, figures)
        unready.watch(parts.publisher.account)
        parts.outside.on_hangup()
        bad, started, worked = BadRows(), clock.monotonic(), time.process_time()
        try:
            if settings.source == "replay" and settings.path is not None:
                Replay(parts, settings.path, bad).run()
            else:
                Simulation(parts).run()
        finally:
            parts.publisher.flush(settings.delivery_timeout, parts.outside.ending)
            _report(parts.publisher.account, bad, clock.monotonic() - started, time.process_time() - worked)


class Unready:
    """Why the producer can't do its work now.

    Args:
        clock: measures for how long nothing has arrived.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reason = "not reached yet"
        self._account: Account | None = None
        self._arrived = (0, clock.monotonic())

    def wait_for_kafka(self, reason: str) -> None:
        """Kafka is away."""
        if reason != self._reason:
            _LOG.warning("waiting", reason=reason)
        self._reason = reason

    def watch(self, account: Account) -> None:
        """Kafka was reached; from now on trades that don't arrive are the reason."""
        self._account = account

    def __call__(self) -> Mapping[str, str]:
        if self._account is None:
            return {"kafka": self._reason}
        arrived, now = sum(self._account.acknowledged), self._clock.monotonic()
        if arrived != self._arrived[0] or not self._account.waiting:
            self._arrived = arrived, now
        silent = now - self._arrived[1]
        if silent < _LONGEST_SILENCE:
            return {}
        return {"kafka": f"{self._account.waiting} trades were sent, and none has arrived for {silent:.0f} s"}


def _reach(kafka: Kafka, codecs: Codecs) -> None:
    """See that there are topics, and schema ids."""
    kafka.ensure_topics()
    for record in (Tick, Progress, MarketEvent, SystemMetrics):
        codecs.of(record).header  # noqa: B018 - asks the registry
    kafka.partitions(STOCK_TICKS.name)


def _parts(
    settings: ProducerSettings, stop: Stop, clock: Clock, kafka: Kafka, codecs: Codecs, figures: Figures
) -> Parts:
    partitions = kafka.partitions(STOCK_TICKS.name)
    timeout_ms = int(settings.delivery_timeout * 1000)
    producer = kafka.producer("producer", max_in_flight=REQUESTS_IN_FLIGHT, delivery_timeout_ms=timeout_ms)
    topic = kafka.topic(STOCK_TICKS.name)
    publisher = TickPublisher(producer, topic, partitions, codecs.of(Tick), settings.format, clock)
    announcer = Announcer(kafka, Publisher(producer), codecs, settings.format)
    outside = Outside(stop, settings.changeable(), settings.config_file, publisher.account, announcer, figures, clock)
    share = Share(settings.replica, settings.replicas, partitions)
    sessions = Sessions.of(settings.calendar)
    return Parts(settings, stop, clock, kafka, sessions, share, publisher, announcer, outside)


def _report(account: Account, bad: BadRows, seconds: float, cpu_seconds: float) -> None:
    """One line of JSON on stdout: what became of every trade."""
    sent = sum(account.sent)
    report = {
        "sent": sent,
        "acknowledged": sum(account.acknowledged),
        "failed": dict(+account.failed),
        "bad_rows": bad.total,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
    }
    if bad.total:
        _LOG.warning("bad_rows", total=bad.total, by_file=bad.counts)
    sys.stdout.buffer.write(orjson.dumps(report) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
