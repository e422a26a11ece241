"""Requests of a transaction that come late, or whose answer never comes, change nothing in what is committed.

librdkafka doesn't number transactions as brokers since KIP-890 can, so a request to end a transaction that a client
has given up could end the client's next one (its issue 5423). Here it is held until the next ones are under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.integration.processor.conftest import Calm
from tests.support.disorder import SETTINGS, Feed
from tests.support.outcome import differences, outcome
from tests.support.programs import Running, must, service, until
from tests.support.proxied_kafka import ProxiedKafka, proxied_kafka
from tests.support.proxy import ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT, When
from tests.support.turmoil import PROCESSOR, written

pytestmark = pytest.mark.integration

FENCED: Final = {47, 90}
"""INVALID_PRODUCER_EPOCH, PRODUCER_FENCED."""
BUSY: Final = 51
"""CONCURRENT_TRANSACTIONS: the coordinator is just ending the next transaction, and looks at nothing else before."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    with proxied_kafka(tmp_path_factory.mktemp("proxied-kafka")) as found:
        yield found


def test_requests_that_come_after_the_next_transactions_are_fenced(
    calm: Calm, broker: ProxiedKafka, tmp_path: Path
) -> None:
    direct, proxied = environments(broker, "held.")
    feed = Feed(direct, calm.entries)
    with service(PROCESSOR, env=proxied, log=tmp_path / "log") as running:
        for number, api_key in enumerate((END_TXN, ADD_OFFSETS_TO_TXN, TXN_OFFSET_COMMIT), start=1):
            publish_and_await(direct, feed, running)
            held = broker.proxy.hold(api_key)
            feed.publish(300)
            until(held.seen.is_set, running.log)
            until(lambda count=number: running.log().count('"starting_over"') == count, running.log)  # type: ignore[misc] # bound now
            publish_and_await(direct, feed, running)
            assert not held.answered.is_set(), "it must have been held all the while"
            held.release()
            until(held.answered.is_set, running.log)
            assert held.error in {*FENCED, BUSY}, api_key
        feed.publish()
        assert running.end() == 0, running.log()
    must(PROCESSOR, "--until-caught-up", env=direct)
    assert differences(outcome(direct), calm.outcome) == []


def test_commits_of_unknown_outcome_are_neither_lost_nor_doubled(
    calm: Calm, broker: ProxiedKafka, tmp_path: Path
) -> None:
    direct, proxied = environments(broker, "cut.")
    feed = Feed(direct, calm.entries)
    cuts: list[tuple[int, When]] = [(END_TXN, "before"), (END_TXN, "after"), (TXN_OFFSET_COMMIT, "after")]
    with service(PROCESSOR, env=proxied, log=tmp_path / "log") as running:
        for api_key, when in [*cuts, (ADD_OFFSETS_TO_TXN, "before"), (END_TXN, "after")]:
            publish_and_await(direct, feed, running)
            cut = broker.proxy.cut(api_key, when)
            feed.publish(300)
            until(cut.seen.is_set, running.log)
        feed.publish()
        assert running.end() == 0, running.log()
    must(PROCESSOR, "--until-caught-up", env=direct)
    assert differences(outcome(direct), calm.outcome) == []


def publish_and_await(env: dict[str, str], feed: Feed, running: Running) -> None:
    """Publish some more, and wait until transactions have followed."""
    before = written(env)
    feed.publish(300)
    until(lambda: written(env) > before, running.log)


def environments(broker: ProxiedKafka, prefix: str) -> tuple[dict[str, str], dict[str, str]]:
    """The settings of one test, past the proxy and through it."""
    common = SETTINGS | {"KAFKA_TOPIC_PREFIX": prefix}
    return common | broker.direct, common | broker.proxied
