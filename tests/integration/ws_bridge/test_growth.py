"""Partitions that are added to the topics while bridges read them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka.cimpl import NewPartitions  # noqa: TID251 - nothing of the platform adds partitions

from tests.support.market import Market, tick
from tests.support.programs import service
from tests.support.servers import Servers, isolated
from tests.support.sockets import listener, until
from tests.support.topics import kafka_of, read_messages
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Publisher
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration


def grow(env: Mapping[str, str], topic: str) -> int:
    """Add a partition; gives its number."""
    kafka = kafka_of(env)
    before = kafka.partitions(topic)
    full = kafka.topic(topic)
    admin = kafka.admin()
    admin.create_partitions([NewPartitions(full, before + 1)])[full].result(30)
    return before


def publish(env: Mapping[str, str], partition: int, trades: list[Tick]) -> None:
    kafka = kafka_of(env)
    publisher = Publisher(kafka.producer("test", linger_ms=1))
    for trade in trades:
        value = Codecs().of(Tick).encode(trade)
        publisher.publish(kafka.topic("stock_ticks"), trade.symbol.encode(), value, partition=partition)
    publisher.flush()


async def test_a_partition_added_is_read_from_its_beginning(servers: Servers, tmp_path: Path) -> None:
    with isolated(servers) as env:
        Market(env).publish([tick("SPY", 1)])
        request = {"channel": "ticks", "symbols": ["SPY"], "mode": "all"}
        with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge:
            await asyncio.to_thread(bridge.await_ready)
            async with listener(bridge.url) as there, listener(bridge.url) as back:
                token = (await there.subscribe(**request))["resume"]
                added = await asyncio.to_thread(grow, env, "stock_ticks")
                await until(lambda: kafka_of(env).partitions("stock_ticks") > added, lambda: "there is no partition")
                await asyncio.to_thread(publish, env, added, [tick("SPY", seq) for seq in range(2, 12)])
                await there.until(lambda: len(there.records("ticks")) >= 10)
                assert [one["seq"] for one in there.records("ticks")] == list(range(2, 12))
                assert (await back.subscribe(**request, resume=token))["recovered"] is True
                await back.until(lambda: len(back.records("ticks")) >= 10)
                assert [one["seq"] for one in back.records("ticks")] == list(range(2, 12))
                assert there.lost("ticks") + back.lost("ticks") == 0
                canaries = await asyncio.to_thread(grow, env, "system_metrics")
                await until(
                    lambda: canaries in {one.partition() for one in read_messages(env, "system_metrics")},
                    lambda: "no canary came to the partition",
                )
            await until(bridge.ready, lambda: "it isn't ready")
