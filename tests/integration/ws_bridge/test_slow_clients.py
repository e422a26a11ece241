"""Clients that stop reading, beside others that don't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.ws_bridge.conftest import SYMBOLS, metric
from tests.support.market import Market, tick
from tests.support.programs import Running, service
from tests.support.sockets import Heard, listener, until
from tests.support.stopped import Stopped, stopped
from tickstream.core.model import AlertEvent, Record

pytestmark = pytest.mark.integration

STEPS = "tickstream_ws_bridge_slow_steps_total"
BOTH = pytest.mark.parametrize("transport", ["websocket", "polling"])
FAT_NAME, FAT_TEXT = "\x01" * 256, "\x01" * 4_096
"""The most that the schemas allow, six times as long in JSON: what the machine keeps for a connection is soon full."""


def bridge_with(own: dict[str, str], env: dict[str, str], factory: pytest.TempPathFactory) -> Iterator[Running]:
    with service("tickstream-ws-bridge", env=env | own, log=factory.mktemp("log") / "bridge.log") as running:
        running.await_ready()
        yield running


@pytest.fixture(scope="module")
def strict(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge that soon disconnects clients that take nothing, and gives them time to see why."""
    own = {
        "WS_BRIDGE_SLOW_STEP_SECONDS": "0.3",
        "WS_BRIDGE_SLOW_LIMIT_SECONDS": "0.3",
        "WS_BRIDGE_CLOSING_SECONDS": "20",
        "WS_BRIDGE_BUFFER_BYTES": "33554432",
    }
    yield from bridge_with(own, env, tmp_path_factory)


@pytest.fixture(scope="module")
def patient(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge that goes on with them, and has little room."""
    own = {
        "WS_BRIDGE_SLOW_STEP_SECONDS": "0.3",
        "WS_BRIDGE_SLOW_LIMIT_SECONDS": "600",
        "WS_BRIDGE_SLOW_RECOVER_SECONDS": "0.3",
        "WS_BRIDGE_CLOSING_SECONDS": "20",
        "WS_BRIDGE_BUFFER_RECORDS": "100",
    }
    yield from bridge_with(own, env, tmp_path_factory)


class Trades:
    """Publishes trades of all symbols, numbered by symbol."""

    last = dict.fromkeys(SYMBOLS, 1_000_000)

    def some(self, count: int) -> list[Record]:
        made: list[Record] = []
        for _ in range(count):
            for symbol in SYMBOLS:
                self.last[symbol] += 1
                made.append(replace(tick(symbol, self.last[symbol]), trade_id=FAT_NAME))
        return made

    async def publish_until(self, market: Market, holds: Callable[[], object]) -> None:
        """Publish, with pauses, until something has happened."""

        def enough() -> object:
            market.publish(self.some(5))
            return holds()

        await until(enough, lambda: "it didn't happen")


def numbers(heard: Heard, symbol: str) -> list[int]:
    return [one["seq"] for one in heard.records("ticks") if one["symbol"] == symbol]


def assert_complete(heard: Heard, first: dict[str, int], last: dict[str, int]) -> None:
    assert heard.lost("ticks") == 0
    for symbol in SYMBOLS:
        assert numbers(heard, symbol) == list(range(first[symbol] + 1, last[symbol] + 1))


def has_all(heard: Heard) -> bool:
    return {one["symbol"]: one["seq"] for one in heard.records("ticks")} == Trades.last


def steps(bridge: Running, to: str) -> float:
    return metric(bridge, f'{STEPS}{{to="{to}"}}')


def told_rates(client: Stopped) -> list[Any]:
    return [(one["code"], one["rate_hz"]) for one in client.events("status") if "rate_hz" in one]


@BOTH
async def test_a_stopped_reader_is_slowed_down_and_disconnected_and_harms_nobody(
    strict: Running, market: Market, transport: str
) -> None:
    request = {"channel": "ticks", "symbols": list(SYMBOLS), "mode": "all"}
    off = steps(strict, "off")
    async with (
        listener(strict.url) as quick,
        listener(strict.url, ["polling"]) as poller,
        stopped(strict.url, transport) as slow,
    ):
        first = dict(Trades.last)
        for client in (quick, poller, slow):
            answer = await client.subscribe(**request)
        slowed = steps(strict, "10hz")
        await Trades().publish_until(market, lambda: steps(strict, "10hz") > slowed)
        await until(lambda: steps(strict, "off") == off + 1, lambda: "the slow client is still there")
        await asyncio.to_thread(market.publish, Trades().some(5))
        for client in (quick, poller):
            await client.until(lambda client=client: has_all(client))  # type: ignore[misc] # a default
            assert_complete(client, first, Trades.last)
            assert "slow_consumer" not in [one["code"] for one in client.events("status")]
        await slow.read_to_the_end()
        assert told_rates(slow) == [("slow_consumer", 10), ("slow_consumer", 1)]
        assert slow.heard[-1] == ("closing", {"code": "slow_consumer", "reconnect": True})
        had = {symbol: max(numbers(slow, symbol), default=first[symbol]) for symbol in SYMBOLS}
        assert_complete(slow, first, had)
        assert had != Trades.last
        newest = [frame["resume"] for frame in slow.frames("ticks")][-1:] or [answer["resume"]]
    async with listener(strict.url, [transport]) as back:
        answer = await back.subscribe(**request, resume=newest[0])
        assert answer["recovered"] is True
        await back.until(lambda: has_all(back))
        assert_complete(back, had, Trades.last)


@pytest.mark.parametrize(("mode", "transport"), [("all", "websocket"), ("all", "polling"), ("latest", "polling")])
async def test_a_client_that_reads_again_is_let_up_and_knows_how_much_it_lost(
    patient: Running, market: Market, mode: str, transport: str
) -> None:
    async with stopped(patient.url, transport) as slow:
        first = dict(Trades.last)
        await slow.subscribe(channel="ticks", symbols=list(SYMBOLS), mode=mode)
        slowed = steps(patient, "1hz")
        await Trades().publish_until(market, lambda: steps(patient, "1hz") > slowed)
        reading = asyncio.create_task(slow.read_until_heard("status", "full_rate"))
        # It needs something to keep up with.
        await Trades().publish_until(market, reading.done)
        await reading
        rates = told_rates(slow)
        assert rates[:2] == [("slow_consumer", 10), ("slow_consumer", 1)]
        assert rates[-2:] == [("slow_consumer", 10), ("full_rate", None)]
        await asyncio.to_thread(market.publish, Trades().some(1))
        while not has_all(slow):
            await slow.read_some()
        published = sum(Trades.last[symbol] - first[symbol] for symbol in SYMBOLS)
        assert len(slow.records("ticks")) + slow.lost("ticks") == published
        assert slow.lost("ticks") > 0
        for symbol in SYMBOLS:
            assert numbers(slow, symbol) == sorted(set(numbers(slow, symbol)))


@BOTH
async def test_a_client_that_takes_no_alerts_is_disconnected_before_one_is_lost(
    patient: Running, market: Market, transport: str
) -> None:
    sent: list[str] = []

    def publish() -> None:
        alerts = [
            AlertEvent(f"{transport}{len(sent) + n}", "r", "SPY", "firing", "info", 1, 1.0, 1.0, FAT_TEXT, 0, {})
            for n in range(5)
        ]
        sent.extend(one.alert_id for one in alerts)
        market.publish(alerts)

    def ours(client: Heard) -> list[str]:
        """The alerts it had, without what another test has left on its way."""
        return [one["alert_id"] for one in client.records("alerts") if one["alert_id"].startswith(transport)]

    async with stopped(patient.url, transport) as slow:
        token = (await slow.subscribe(channel="alerts", symbols=["SPY"]))["resume"]
        off = steps(patient, "off")

        def ended() -> bool:
            publish()
            return steps(patient, "off") > off

        await until(ended, lambda: "it is still there")
        await slow.read_to_the_end()
        assert slow.heard[-1] == ("closing", {"code": "slow_consumer", "reconnect": True})
        had = ours(slow)
        assert had == sent[: len(had)]
        assert len(had) < len(sent)
        token = ([token] + [frame["resume"] for frame in slow.frames("alerts")])[-1]
    async with listener(patient.url, [transport]) as back:
        assert (await back.subscribe(channel="alerts", symbols=["SPY"], resume=token))["recovered"] is True
        await back.until(lambda: len(ours(back)) >= len(sent) - len(had))
        assert ours(back) == sent[len(had) :]
        assert slow.lost("alerts") + back.lost("alerts") == 0
