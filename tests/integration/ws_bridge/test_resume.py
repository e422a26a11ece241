"""Clients come back to any of two bridges, whatever became of the first, and miss nothing."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.integration.ws_bridge.conftest import metric
from tests.support.market import Market, bar, tick
from tests.support.programs import Running, service
from tests.support.resuming import Wish
from tests.support.servers import Servers, isolated
from tests.support.sockets import Listener, listener, until
from tests.support.topics import kafka_of
from tests.support.travelling import Trades, Traveller
from tickstream.core.kafka import OFFSET_END, TopicPartition

pytestmark = pytest.mark.integration

SYMBOLS = ["RA", "RB", "RC", "RD", "RE", "RF"]
NUMBERS = Trades(SYMBOLS)


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[dict[str, str]]:
    """Topics of this module's own: one of its tests makes them anew."""
    with isolated(servers) as found:
        yield found


@pytest.fixture(scope="module")
def trades(own: dict[str, str]) -> Market:
    made = Market(own)
    made.publish(NUMBERS.first())
    return made


@pytest.fixture
def bridges(own: dict[str, str], trades: Market, tmp_path: Path) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        made = [
            stack.enter_context(service("tickstream-ws-bridge", env=own, log=tmp_path / f"bridge{number}.log"))
            for number in range(2)
        ]
        for running in made:
            running.await_ready()
        yield made


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_comes_back_to_any_bridge_has_the_logs_sequence(
    bridges: list[Running], trades: Market, seed: int
) -> None:
    chosen = random.Random(seed)  # noqa: S311 - no secret
    alive = list(bridges)
    travellers = [Traveller(NUMBERS) for _ in range(4)]
    for number, one in enumerate(travellers):
        await one.come(alive[number % 2].url)
        await one.wish(Wish(SYMBOLS[:3], "all" if number % 2 else "latest"))
        await one.wish(Wish(SYMBOLS[3:], "all", max_hz=chosen.choice((None, 2.0))))
    for turn in range(40):
        await asyncio.to_thread(trades.send, NUMBERS.some(chosen.randrange(300), chosen))
        await asyncio.sleep(chosen.choice((0.0, 0.02, 0.2)))
        if turn == 20:
            alive.pop(seed % 2).end(signal.SIGKILL)
            for one in travellers:
                await one.leave()
        one = chosen.choice(travellers)
        if one.client is None:
            await one.come(chosen.choice(alive).url)
        elif chosen.random() < 0.7:
            await one.leave()
        else:
            await one.change(chosen)
    await asyncio.to_thread(trades.publish, NUMBERS.some(100, chosen))
    for one in travellers:
        if one.client is None:
            await one.come(alive[0].url)
    await until(
        lambda: all(one.has_all() for one in travellers),
        lambda: f"{NUMBERS.last}: {[one.ledger for one in travellers]}",
    )
    for one in travellers:
        await one.leave()
    assert metric(alive[0], 'tickstream_ws_bridge_resumes_total{outcome="recovered"}') > 0


async def test_those_who_come_back_together_share_the_reading(bridges: list[Running], trades: Market) -> None:
    chosen = random.Random(3)  # noqa: S311 - no secret
    async with listener(bridges[0].url) as client:
        token = (await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all"))["resume"]
    missed = NUMBERS.some(2_000, chosen)
    await asyncio.to_thread(trades.publish, missed)
    before = metric(bridges[1], 'tickstream_ws_bridge_reread_total{channel="ticks"}')
    request = {"channel": "ticks", "symbols": SYMBOLS, "mode": "all", "resume": token}
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(listener(bridges[1].url)) for _ in range(50)]
        await asyncio.gather(*(recovered(one, request) for one in clients))
        expected = {symbol: [one.seq for one in missed if one.symbol == symbol] for symbol in SYMBOLS}
        for one in clients:
            await one.until(lambda one=one: len(one.records("ticks")) >= len(missed))  # type: ignore[misc] # a default
            for symbol in SYMBOLS:
                assert [record["seq"] for record in one.records("ticks") if record["symbol"] == symbol] == (
                    expected[symbol]
                )
            assert one.lost("ticks") == 0
    reread = metric(bridges[1], 'tickstream_ws_bridge_reread_total{channel="ticks"}') - before
    assert reread <= 10 * len(missed)


async def recovered(client: Listener, request: dict[str, Any]) -> None:
    answer = await client.subscribe(**request)
    assert (answer["recovered"], answer["snapshot"]) == (True, [])


async def test_closed_bars_of_an_absence_come_in_order(bridges: list[Running], trades: Market) -> None:
    async with listener(bridges[0].url) as client:
        await client.subscribe(channel="bars", symbols=["RA"], interval="1m")
        await asyncio.to_thread(trades.publish, [bar("RA", 1)])
        await client.until(lambda: client.records("bars"))
        answer = await client.subscribe(channel="bars", symbols=["RA"], interval="1m", history=10)
        assert (answer["recovered"], len(answer["snapshot"])) == (False, 1)
    published = [bar("RA", 2, "partial"), bar("RA", 2), bar("RA", 1, close=7.0, revision=1), bar("RA", 3, "partial")]
    await asyncio.to_thread(trades.publish, published)
    async with listener(bridges[1].url) as client:
        request = {"channel": "bars", "symbols": ["RA"], "interval": "1m", "resume": answer["resume"]}
        await recovered(client, request)
        await client.until(lambda: any(one["start_ms"] == 180_000 for one in client.records("bars")))
        closed = [one for one in client.records("bars") if one["state"] == "closed"]
        assert [(one["start_ms"] // 60_000, one["close"]) for one in closed] == [(2, 100.0), (1, 7.0)]


async def test_a_token_that_was_changed_gets_a_snapshot_and_is_counted(bridges: list[Running]) -> None:
    async with listener(bridges[0].url) as client:
        token = (await client.subscribe(channel="ticks", symbols=SYMBOLS))["resume"]
        changed = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
        answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, resume=changed)
        assert answer["recovered"] is False
        assert {one["symbol"] for one in answer["snapshot"]} == set(SYMBOLS)
    assert metric(bridges[0], 'tickstream_ws_bridge_resumes_total{outcome="tampered"}') == 1


async def test_more_than_the_bound_gets_a_snapshot(own: dict[str, str], trades: Market, tmp_path: Path) -> None:
    limited = own | {"WS_BRIDGE_RESUME_RECORDS": "100"}
    with service("tickstream-ws-bridge", env=limited, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            token = (await client.subscribe(channel="ticks", symbols=SYMBOLS))["resume"]
            chosen = random.Random(5)  # noqa: S311 - no secret
            await asyncio.to_thread(trades.publish, NUMBERS.some(101, chosen))
            await client.until(lambda: {one["symbol"]: one["seq"] for one in client.records("ticks")} == NUMBERS.last)
            answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, resume=token)
            assert answer["recovered"] is False
            assert {one["symbol"]: one["seq"] for one in answer["snapshot"]} == NUMBERS.last
        assert metric(bridge, 'tickstream_ws_bridge_resumes_total{outcome="beyond_bound"}') == 1


async def test_a_resume_that_comes_to_nothing_is_counted_and_takes_no_place(
    own: dict[str, str], trades: Market, tmp_path: Path
) -> None:
    with service(
        "tickstream-ws-bridge", env=own | {"WS_BRIDGE_MAX_SUBSCRIPTIONS_PER_IP": "2"}, log=tmp_path / "log"
    ) as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            token = (await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all"))["resume"]
            await asyncio.to_thread(trades.publish, NUMBERS.some(100, random.Random(7)))  # noqa: S311 - no secret
            request = {"channel": "ticks", "symbols": SYMBOLS, "mode": "all"}
            both = [client.ask("subscribe", request | {"resume": token}), client.ask("subscribe", request)]
            resumed, anew = await asyncio.gather(*both)
            assert anew["ok"] is True
            if not resumed["ok"]:
                assert resumed["error"]["code"] == "unknown_subscription"
                assert metric(bridge, 'tickstream_ws_bridge_resumes_total{outcome="ended"}') == 1
            assert len((await client.ask("subscriptions"))["subscriptions"]) == 1
            await client.subscribe(channel="bars", symbols=SYMBOLS[:1], interval="1m")


async def test_a_topic_that_lost_or_never_had_what_was_missed_gets_a_snapshot(
    own: dict[str, str], trades: Market, tmp_path: Path
) -> None:
    kafka = kafka_of(own)
    admin = kafka.admin()
    topic = kafka.topic("stock_ticks")
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            token = (await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all"))["resume"]
            chosen = random.Random(6)  # noqa: S311 - no secret
            await asyncio.to_thread(trades.publish, NUMBERS.some(200, chosen))
            await client.until(lambda: len(client.records("ticks")) >= 200)
            ends = [
                TopicPartition(topic, partition, OFFSET_END) for partition in range(kafka.partitions("stock_ticks"))
            ]
            for future in admin.delete_records(ends).values():
                await asyncio.to_thread(future.result, 30)
            answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all", resume=token)
            assert answer["recovered"] is False
            assert {one["symbol"]: one["seq"] for one in answer["snapshot"]} == NUMBERS.last
        assert metric(bridge, 'tickstream_ws_bridge_resumes_total{outcome="beyond_retention"}') == 1
    await asyncio.to_thread(admin.delete_topics([topic])[topic].result, 30)
    await until(lambda: topic not in kafka.existing(), lambda: "the topic is still there")
    # Another producer: the first may still believe what it was told while there was no topic, and give up at once.
    Market(own).publish([tick(symbol, 1) for symbol in SYMBOLS])
    with service("tickstream-ws-bridge", env=own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as client:
            answer = await client.subscribe(channel="ticks", symbols=SYMBOLS, mode="all", resume=token)
            assert answer["recovered"] is False
            assert len(answer["snapshot"]) == len(SYMBOLS)
        assert metric(bridge, 'tickstream_ws_bridge_resumes_total{outcome="wrong_epoch"}') == 1
