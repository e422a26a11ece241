"""The first trades of a new producer arrive, or aren't taken for arrived.

A broker takes any batch of a producer that it doesn't know, whatever its number. So where it refuses the first one, as
it does while a partition has no leader or too few replicas, it may take the second, and librdkafka then counts both
(issue 921 of confluent-kafka-go).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka.cimpl import NewTopic  # noqa: TID251 - the platform makes its topics all at once

from tests.support.market import tick
from tests.support.programs import until
from tests.support.proxied_kafka import ProxiedKafka, proxied_kafka
from tests.support.proxy import PRODUCE
from tests.support.topics import kafka_of, publish, read_rows
from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.kafka import Kafka
from tickstream.core.model import Tick
from tickstream.producer.adapters.publisher import TickPublisher

pytestmark = pytest.mark.integration

TOPIC = "stock_ticks"
A_WHILE = 3.0
"""For a second batch to follow the first; none does where that is right."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ProxiedKafka]:
    with proxied_kafka(tmp_path) as found:
        yield found


def make_topic(kafka: Kafka, env: dict[str, str]) -> None:
    """The topic with one partition, which takes what comes."""
    admin = kafka.admin()  # it must live until the answer is in
    admin.create_topics([NewTopic(kafka.topic(TOPIC), 1, 1)])[kafka.topic(TOPIC)].result(30)
    publish(env, TOPIC, [("probe", Codecs().of(Tick).encode(tick("PROBE", 1)))])


def drop_topic(kafka: Kafka) -> None:
    """Its partition refuses everything from now on, and is no longer known."""
    admin = kafka.admin()
    admin.delete_topics([kafka.topic(TOPIC)])[kafka.topic(TOPIC)].result(30)
    until(lambda: kafka.topic(TOPIC) not in kafka.existing(), "it is still there")


def arrived(env: dict[str, str]) -> list[int]:
    return [row["seq"] for row in read_rows(env, TOPIC) if row["symbol"] == "SPY"]


def test_trades_behind_one_that_was_refused_wait_for_it(broker: ProxiedKafka) -> None:
    kafka = kafka_of(broker.direct)
    make_topic(kafka, broker.direct)
    codec = Codecs().of(Tick)
    producer = kafka_of(broker.proxied).producer("test", linger_ms=0, max_in_flight=5)
    publisher = TickPublisher(producer, kafka.topic(TOPIC), 1, codec, "avro", SystemClock())
    producer.list_topics(kafka.topic(TOPIC), 30)  # so that it knows the leader
    drop_topic(kafka)
    interners = TickInterners()
    batches = [TickColumns.of([tick("SPY", seq) for seq in seqs], interners) for seqs in ((1, 2), (3, 4), (5,))]
    withheld = broker.proxy.withhold(PRODUCE, also_later=True)
    with ThreadPoolExecutor(1) as worker:
        sent = [worker.submit(publisher.publish, batches[0], lambda: False)]
        until(withheld.began.is_set, "nothing was sent")
        held = broker.proxy.hold(PRODUCE)
        sent += [worker.submit(publisher.publish, batch, lambda: False) for batch in batches[1:]]
        second = held.seen.wait(A_WHILE)
        make_topic(kafka, broker.direct)
        held.release()
        assert not second or held.answered.wait(30)
        withheld.give()
        assert all(each.result(60) for each in sent)
    publisher.flush(60, lambda: False)
    assert (publisher.account.acknowledged, publisher.account.failed.total()) == ([5], 0)
    assert arrived(broker.direct) == [1, 2, 3, 4, 5]
