"""A bridge reads the partitions of the trades that its clients need, and nobody who comes or comes back can tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.ws_bridge.conftest import metric
from tests.integration.ws_bridge.test_growth import grow
from tests.support.market import Market, tick
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.sockets import Heard, javascript_client, listener, program, until
from tests.support.topics import kafka_of
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Publisher
from tickstream.core.model import Tick
from tickstream.core.partition import partition_for

pytestmark = pytest.mark.integration

RECEIVED = 'tickstream_ws_bridge_received_total{channel="ticks"}'
CHOOSING = {"WS_BRIDGE_REST_SECONDS": "0.2"}


@pytest.fixture
def own(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


def symbol_in(env: Mapping[str, str], partition: int) -> str:
    """A symbol whose trades are in the partition, by Kafka's own partitioner."""
    count = kafka_of(env).partitions("stock_ticks")
    return next(name for name in (f"S{number}" for number in range(500)) if partition_for(name, count) == partition)


def publish(env: Mapping[str, str], partition: int, *trades: Tick) -> None:
    """Publish as another partitioner would."""
    kafka = kafka_of(env)
    publisher = Publisher(kafka.producer("test", linger_ms=1))
    for trade in trades:
        value = Codecs().of(Tick).encode(trade)
        publisher.publish(kafka.topic("stock_ticks"), trade.symbol.encode(), value, partition=partition)
    publisher.flush()


async def reads(bridge: Running, count: int) -> None:
    def read() -> float:
        return metric(bridge, "tickstream_ws_bridge_partitions_read")

    await until(lambda: read() == count, lambda: f"it reads {read()}")


def numbers(client: Heard) -> list[tuple[str, int]]:
    return [(one["symbol"], one["seq"]) for one in client.records("ticks")]


@asynccontextmanager
async def subscribed(kind: str, url: str, symbols: list[str]) -> AsyncIterator[Heard]:
    """A stock client that subscribes at once; what it heard has the answer as `ack`."""
    request = {"channel": "ticks", "symbols": symbols, "mode": "all"}
    if kind == "javascript":
        async with program(await javascript_client(), url, "websocket", json.dumps(request)) as made:
            yield made
        return
    async with listener(url, serializer="msgpack" if kind == "python-msgpack" else "default") as client:
        client.heard.append(("ack", await client.subscribe(**request)))
        yield client


@pytest.mark.parametrize("kind", ["python", "python-msgpack", "javascript"])
async def test_stock_clients_get_their_symbols_of_the_partitions_that_are_read_for_them(
    own: dict[str, str], tmp_path: Path, kind: str
) -> None:
    market = Market(own)
    first, second = symbol_in(own, 0), symbol_in(own, 1)
    market.publish([tick(first, 1), tick(second, 1)])
    with service("tickstream-ws-bridge", env=own | CHOOSING, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        await reads(bridge, 0)
        market.publish([tick(first, 2), tick(second, 2)])
        async with subscribed(kind, bridge.url, [first]) as one:
            await one.until(lambda: one.events("ack"))
            await reads(bridge, 1)
            before = metric(bridge, RECEIVED)
            market.publish([tick(second, 3), tick(second, 4), tick(first, 3)])
            await one.until(lambda: one.records("ticks"))
            assert metric(bridge, RECEIVED) == before + 1
            async with subscribed(kind, bridge.url, [second]) as other:
                await other.until(lambda: other.events("ack"))
                await reads(bridge, 2)
                market.publish([tick(name, seq) for seq in range(5, 50) for name in (first, second)])
                await other.until(lambda: len(other.records("ticks")) >= 45)
                await one.until(lambda: len(one.records("ticks")) >= 46)
                for client, shown, following in ((one, 2, [3, *range(5, 50)]), (other, 4, [*range(5, 50)])):
                    assert [record["seq"] for record in client.events("ack")[0]["snapshot"]] == [shown]
                    assert [record["seq"] for record in client.records("ticks")] == following
                    assert client.lost("ticks") == 0
            await reads(bridge, 1)
        await reads(bridge, 0)
        assert bridge.ready()


async def test_tokens_of_nodes_that_read_different_partitions_say_what_they_know(
    own: dict[str, str], tmp_path: Path
) -> None:
    market = Market(own)
    first, second = symbol_in(own, 0), symbol_in(own, 1)
    market.publish([tick(first, 1), tick(second, 1)])
    with ExitStack() as stack:
        choosing, whole = (
            stack.enter_context(service("tickstream-ws-bridge", env=own | more, log=tmp_path / name))
            for name, more in (("choosing", CHOOSING), ("whole", {}))
        )
        for node in (choosing, whole):
            await asyncio.to_thread(node.await_ready)
        request = {"channel": "ticks", "mode": "all"}
        async with listener(choosing.url) as client:
            await client.subscribe(symbols=[first], **request)
            await reads(choosing, 1)
            market.publish([tick(first, 2)])
            await client.until(lambda: client.records("ticks"))
            token = client.frames("ticks")[-1]["resume"]
        market.publish([tick(first, 3), tick(second, 2)])
        async with listener(whole.url) as client:
            answer = await client.subscribe(symbols=[first, second], resume=token, **request)
            assert answer["recovered"] is False
            shown = [(one["symbol"], one["seq"]) for one in answer["snapshot"]]
            await client.until(lambda: dict(shown + numbers(client)) == {first: 3, second: 2})
        async with listener(whole.url) as client:
            assert (await client.subscribe(symbols=[first], resume=token, **request))["recovered"] is True
            await client.until(lambda: client.records("ticks"))
            assert [one["seq"] for one in client.records("ticks")] == [3]
            token = client.frames("ticks")[-1]["resume"]
        await reads(choosing, 0)
        market.publish([tick(second, 3)])
        async with listener(choosing.url) as client:
            assert (await client.subscribe(symbols=[second], resume=token, **request))["recovered"] is True
            await client.until(lambda: client.records("ticks"))
            assert [one["seq"] for one in client.records("ticks")] == [3]
        assert metric(whole, 'tickstream_ws_bridge_resumes_total{outcome="unread"}') == 1


async def test_another_partitioner_costs_a_subscriber_nothing(own: dict[str, str], tmp_path: Path) -> None:
    Market(own)
    home, elsewhere, third = symbol_in(own, 0), symbol_in(own, 1), symbol_in(own, 2)
    await asyncio.to_thread(publish, own, 5, tick(home, 1))
    await asyncio.to_thread(publish, own, 2, tick(third, 1))
    with service("tickstream-ws-bridge", env=own | CHOOSING, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            answer = await client.subscribe(channel="ticks", symbols=[home, third], mode="all")
            assert [one["seq"] for one in answer["snapshot"]] == [1, 1]
            await reads(bridge, 3)  # where Kafka's own would have it is read, too
            await asyncio.to_thread(publish, own, 5, *(tick(home, seq) for seq in range(2, 12)))
            await client.until(lambda: len(client.records("ticks")) >= 10)
            # A second producer, with a partitioner of its own, of which something is read and something isn't.
            await asyncio.to_thread(publish, own, 3, tick(third, 2))
            await asyncio.to_thread(publish, own, 5, tick(third, 3), tick(elsewhere, 1))
            await client.until(lambda: len(client.records("ticks")) >= 12)
            seen = numbers(client)
            assert seen[:10] == [(home, seq) for seq in range(2, 12)]
            assert sorted(seen[10:]) == [(third, 2), (third, 3)]
            assert client.lost("ticks") == 0


async def test_who_reads_when_the_topic_grows_misses_nothing(own: dict[str, str], tmp_path: Path) -> None:
    market = Market(own)
    symbol = symbol_in(own, 0)
    market.publish([tick(symbol, 1)])
    with service("tickstream-ws-bridge", env=own | CHOOSING, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            await client.subscribe(channel="ticks", symbols=[symbol], mode="all")
            await reads(bridge, 1)
            added = await asyncio.to_thread(grow, own, "stock_ticks")
            await until(lambda: kafka_of(own).partitions("stock_ticks") > added, lambda: "there is no partition")
            await asyncio.to_thread(publish, own, 0, tick(symbol, 2))  # of a producer that doesn't know yet
            await asyncio.to_thread(publish, own, 3, tick(symbol, 3))  # of one that does, for which it moved
            await asyncio.to_thread(publish, own, added, tick(symbol, 4))
            await client.until(lambda: len(client.records("ticks")) >= 3)
            assert sorted(numbers(client)) == [(symbol, seq) for seq in (2, 3, 4)]
            assert client.lost("ticks") == 0
