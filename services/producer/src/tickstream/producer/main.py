"""Settings to a running producer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError, TickstreamError
from tickstream.core.health import HealthServer
from tickstream.core.kafka import Kafka, Publisher, retry_forever
from tickstream.core.logging import logger
from tickstream.core.model import Tick
from tickstream.core.service import Stop, run_service
from tickstream.core.sessions import Sessions
from tickstream.core.topics import STOCK_TICKS
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import TickPublisher
from tickstream.producer.adapters.recordings import Recordings
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.domain.merge import merge
from tickstream.producer.domain.selection import Selection, Share
from tickstream.producer.feed import Feed
from tickstream.producer.figures import Figures
from tickstream.producer.outside import Surroundings
from tickstream.producer.settings import ProducerSettings

_LOG = logger(__name__)


def main() -> int:
    """The command `tickstream-producer`."""
    return run_service("PRODUCER", ProducerSettings, run)


def run(settings: ProducerSettings, stop: Stop) -> None:
    clock = SystemClock()
    kafka = Kafka(settings)
    figures = Figures()
    codecs = Codecs.from_settings(settings)
    with HealthServer(settings.http_host, settings.http_port, 8091, dict, figures.registry):
        retry_forever(kafka.ensure_topics, lambda: bool(stop), clock, lambda reason: _LOG.warning("waiting", reason=reason))
        partitions = kafka.partitions(STOCK_TICKS.name)
        producer = kafka.producer("producer", delivery_timeout_ms=int(settings.delivery_timeout * 1000))
        publisher = TickPublisher(producer, kafka.topic(STOCK_TICKS.name), partitions, codecs.of(Tick), settings.format, clock)
        announcer = Announcer(kafka, Publisher(producer), codecs, settings.format)
        outside = Surroundings(settings.speed, lambda: bool(stop), publisher.account, announcer, figures, clock)
        bad = BadRows()
        interners = TickInterners()
        sessions = Sessions.of(settings.calendar)
        recordings = Recordings(settings.path, ZoneInfo(settings.timezone) if settings.timezone else None, settings.source_name, settings.symbols, interners, bad)
        selection = Selection(Share(settings.replica, settings.replicas, partitions), settings.symbols, settings.start, settings.end, settings.count)
        feed = Feed(publisher, announcer, sessions, clock, outside, settings.delivery_timeout)
        started = clock.monotonic()
        try:
            through = feed.run(selection.of(merge(recordings.streams())))
            feed.finish(complete=through and not selection.cut)
        finally:
            account = publisher.account
            seconds = clock.monotonic() - started
            report = {"sent": sum(account.sent), "acknowledged": sum(account.acknowledged), "failed": account.failed, "bad_rows": bad.total, "seconds": round(seconds, 3)}
            sys.stdout.buffer.write(orjson.dumps(report) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
