"""What the producer acknowledges is there once and in order, also when the broker goes away in mid-replay."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.producer.test_replay import SLICE, in_files
from tests.support.histories import Poll, Read, Send, anomalies
from tests.support.programs import service, until
from tests.support.readers import Reader
from tests.support.servers import Servers
from tests.support.topics import decode, read_messages
from tickstream.core.kafka import Message
from tickstream.core.partition import partition_for

pytestmark = pytest.mark.integration

TOPIC = "stock_ticks"
PARTITIONS = 4


def identity(_topic: str, message: Message) -> bytes:
    """What a trade is known by."""
    row = decode(TOPIC, message.value() or b"")
    return f"{row['source']} {row['symbol']} {row['seq']}".encode()


def log_of(partition: int | None) -> str:
    return f"{TOPIC}-{partition}"


def test_a_replay_through_a_broker_restart_has_no_anomaly(
    servers: Servers, env: dict[str, str], tmp_path: Path
) -> None:
    sends = [
        Send(log_of(partition_for(symbol, PARTITIONS)), f"{source} {symbol} {seq}".encode(), sender=source)
        for (source, symbol), trades in in_files().items()
        if symbol == "AIG"
        for seq in range(1, len(trades) + 1)
    ]
    replay = ("--source", "replay", "--path", str(SLICE / "aig"), "--speed", "5000")
    with service("tickstream-producer", *replay, env=env, log=tmp_path / "log") as producer:
        producer.await_ready()
        with closing(Reader(env, "one", "readers", [TOPIC], identity)) as one:
            until(lambda: one.polls, producer.log)
            with closing(Reader(env, "two", "readers", [TOPIC], identity)) as two:
                assert producer.child.poll() is None, "the replay was over before the outage"
                servers.stop("kafka")
                servers.start("kafka")
                assert producer.child.wait(240) == 0, producer.log()
    messages = read_messages(env, TOPIC)
    reads = tuple(Read(log_of(each.partition()), each.offset() or 0, identity(TOPIC, each)) for each in messages)
    polls = [*one.polls, *two.polls, Poll("at the end", reads)]
    assert anomalies(sends, polls, to_the_end=True) == []
