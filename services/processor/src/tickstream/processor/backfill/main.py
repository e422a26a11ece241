"""A backfill's composition root."""

from __future__ import annotations

import dataclasses
import sys
from typing import Final

import orjson

from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError
from tickstream.core.kafka import Kafka
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.news import Heard, News
from tickstream.core.service import Stop
from tickstream.core.topics import BARS, INDICATORS, STOCK_TICKS
from tickstream.processor.adapters.plugins import Complaints
from tickstream.processor.backfill.partition import Backfill, Counts, Place
from tickstream.processor.figures import Figures
from tickstream.processor.settings import ProcessorSettings

_LOG = logger(__name__)
_OUTPUTS: Final = (BARS.name, INDICATORS.name)


def run(settings: ProcessorSettings, stop: Stop) -> None:
    """Backfill partition by partition, and say what became of it on stdout.

    Raises:
        RetryableError: Kafka is away; what was published until then is whole partitions.
        FatalError: the topics don't fit together, or it was told to stop.
    """
    clock = SystemClock()
    began = clock.monotonic()
    log = _place(settings, settings.log)
    partitions = log.kafka.partitions(STOCK_TICKS.name)
    target = _place(settings, settings.to, partitions)
    target.kafka.ensure_topics(_OUTPUTS)
    _check(target.kafka, partitions)
    heard = _news(log)
    rules = settings.rules
    complaints = Complaints(rules.catalogue, Figures(new_registry()), clock)
    counts = Counts()
    for partition in range(partitions):
        counts.add(Backfill(settings, rules, log, target, heard, clock, stop, partition).run())
        complaints.tell()
        _LOG.info("partition_done", partition=partition, of=partitions, **dataclasses.asdict(counts))
    _report(counts, clock.monotonic() - began, as_json=settings.json_)


def _place(settings: ProcessorSettings, prefix: str | None, partitions: int | None = None) -> Place:
    """The topics with a prefix, the usual one when none is given; those that are made have so many partitions."""
    changes = {"kafka_topic_prefix": prefix, "kafka_topic_partitions": partitions}
    own = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    return Place(Kafka(own), Codecs.from_settings(own))


def _check(target: Kafka, partitions: int) -> None:
    for name in _OUTPUTS:
        found = target.partitions(name)
        if found != partitions:
            raise FatalError(f"{target.topic(name)} must have {partitions} partitions as the trades have, has {found}")


def _news(log: Place) -> list[Heard]:
    news = News(log.kafka, log.codecs, SystemClock())
    try:
        return news.catch_up()
    finally:
        news.close()


def _report(counts: Counts, seconds: float, *, as_json: bool) -> None:
    figures = {**dataclasses.asdict(counts), "seconds": round(seconds, 3)}
    words = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures.items())
    sys.stdout.write(f"{orjson.dumps(figures).decode() if as_json else words}\n")
    sys.stdout.flush()
