"""What a restart gives before it has read all that it had read before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.integration.analytics.test_analytics import Env, read, send
from tests.support.programs import must
from tests.support.topics import kafka_of, read_messages
from tests.unit.analytics.test_market import HISTORY, figures, walks
from tickstream.analytics.adapters.cache import Cache
from tickstream.analytics.adapters.checkpoints import Checkpoints
from tickstream.analytics.domain.studies import Choices
from tickstream.analytics.handler import AnalyticsHandler, TradingDays
from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.kafka import DeadLetters, Message, Publisher
from tickstream.core.metrics import new_registry
from tickstream.core.partition import Partition
from tickstream.core.runner import by_partition

pytestmark = pytest.mark.integration


@contextmanager
def handler_of(env: Env, ends: dict[Partition, int], days: str, history: int) -> Iterator[AnalyticsHandler]:
    """The service's handler, with Kafka but without its loop."""
    kafka, clock, registry = kafka_of(env), SystemClock(), new_registry()
    publisher, store = Publisher(kafka.producer("test")), Checkpoints(kafka)

    def at_once(call: Callable[[], None]) -> None:
        call()

    try:
        yield AnalyticsHandler(
            kafka=kafka,
            publisher=publisher,
            dead_letters=DeadLetters(kafka, publisher, "analytics", clock),
            codecs=Codecs(),
            cache=Cache(None, clock, registry),
            store=store,
            days=TradingDays(days),
            chosen=Choices(history=history),
            clock=clock,
            log_end=ends.__getitem__,
            wait=at_once,
            registry=registry,
        )
    finally:
        store.close()


def read_by_partitions(handler: AnalyticsHandler, logs: dict[Partition, list[Message]], order: list[Partition]) -> None:
    """Have the handler read one log after the other, a few records at a time, as a slow network might give them."""
    read: dict[Partition, int] = {}
    handler.position = lambda partition: read.get(partition, 0)
    handler.at_end = lambda: {partition for partition, position in read.items() if position == len(logs[partition])}
    starts = handler.assigned(sorted(logs))
    for partition in order:
        begin = read[partition] = max(starts[partition], 0)
        while read[partition] < len(logs[partition]):
            handler.idle()
            some = logs[partition][read[partition] :][:7]
            read[partition] += len(some)
            handler.handle(some)
        assert begin < read[partition]
    handler.idle()
    handler.revoked(sorted(logs))


@pytest.mark.parametrize("backwards", [False, True])
def test_a_restart_whose_partitions_come_one_by_one_gives_what_one_without_it_gives(
    isolated_env: Env, backwards: bool
) -> None:
    bars = walks(range(60))
    whole = isolated_env | {"KAFKA_TOPIC_PREFIX": isolated_env["KAFKA_TOPIC_PREFIX"] + "whole."}
    send(whole, bars)
    must("tickstream-analytics", "--until-caught-up", env=whole)
    send(isolated_env, bars[:200])
    must("tickstream-analytics", "--until-caught-up", env=isolated_env)
    send(isolated_env, bars[200:])

    logs = by_partition(read_messages(isolated_env, "bars"))
    assert len(logs) > 1
    ends = {partition: len(messages) for partition, messages in logs.items()}
    with handler_of(isolated_env, ends, "XNYS", history=5) as handler:
        read_by_partitions(handler, logs, sorted(logs, reverse=backwards))
    assert read(isolated_env) == read(whole)


def test_partitions_that_are_many_days_apart_are_brought_together(isolated_env: Env) -> None:
    bars = walks(range(30), days=9)
    send(isolated_env, bars)
    logs = by_partition(read_messages(isolated_env, "bars"))
    assert len(logs) > 1
    with handler_of(isolated_env, dict.fromkeys(logs, 0), "24/7", history=HISTORY) as handler:
        read_by_partitions(handler, logs, sorted(logs))
    assert read(isolated_env) == figures(bars)
