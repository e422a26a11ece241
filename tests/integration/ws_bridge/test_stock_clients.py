"""The stock clients of JavaScript, Python and Java, with JSON and MessagePack, as their users run them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.support.java_client import java_client
from tests.support.market import MINUTE, Market, bar, tick
from tests.support.programs import Running, service
from tests.support.relay import relay
from tests.support.sockets import DEADLINE, Heard, Listener, Program, javascript_client, listener, program, refusal
from tickstream.core.model import IndicatorSet, Record

pytestmark = pytest.mark.integration

PROGRAMS = ("javascript", "javascript-msgpack", "java")
CLIENTS = (*PROGRAMS, "python", "python-msgpack")
KEY = "the-key-of-bob"


async def command_of(kind: str) -> list[str]:
    return await asyncio.to_thread(java_client) if kind == "java" else await javascript_client()


@asynccontextmanager
async def started(
    kind: str, url: str, transports: str, request: dict[str, Any], **options: Any
) -> AsyncIterator[Program]:
    """A client in a process of its own, subscribing at once."""
    command = await command_of(kind)
    packed = {"msgpack": True} if kind.endswith("msgpack") else {}
    async with program(command, url, transports, json.dumps(request), **packed, **options) as made:
        yield made


@asynccontextmanager
async def subscribed(kind: str, url: str, transports: str, request: dict[str, Any]) -> AsyncIterator[Heard]:
    """A client that subscribes as soon as it is connected; what it heard has the answer as `ack`."""
    if kind in PROGRAMS:
        async with started(kind, url, transports, request) as made:
            yield made
        return
    serializer = "msgpack" if kind.endswith("msgpack") else "default"
    async with listener(url, transports.split(","), serializer=serializer) as client:
        client.heard.append(("ack", await client.subscribe(**request)))
        yield client


class Stream:
    """Trades of a symbol, numbered one after the other, published again and again in the background."""

    def __init__(self, market: Market, symbol: str) -> None:
        self._market = market
        self._symbol = symbol
        self._stop = threading.Event()
        self.number = 0

    def _run(self) -> None:
        while not self._stop.wait(0.003):
            self.publish()

    def publish(self) -> None:
        """The next one, with a price that JSON and MessagePack must both carry in full."""
        self.number += 1
        self._market.publish([tick(self._symbol, self.number, math.pi * self.number)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publish while the block lasts."""
        work = asyncio.create_task(asyncio.to_thread(self._run))
        try:
            yield
        finally:
            self._stop.set()
            await work


async def known(url: str, market: Market, symbol: str) -> Stream:
    """A stream of a symbol that the bridge has heard of: others can't be subscribed to."""
    stream = Stream(market, symbol)
    await asyncio.to_thread(stream.publish)
    async with listener(url) as client, asyncio.timeout(DEADLINE):
        while not (await client.subscribe(channel="ticks", symbols=[symbol]))["symbols"]:
            await asyncio.sleep(0.3)
            await client.ask("unsubscribe", {"channel": "ticks", "symbols": ["*"]})
    return stream


def in_order(client: Heard) -> bool:
    """Whether the snapshot and the frames are one sequence without a gap or a repetition."""
    first = client.events("ack")[0]["snapshot"]
    numbers = [record["seq"] for record in [*first, *client.records("ticks")]]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
@pytest.mark.parametrize("kind", CLIENTS)
async def test_nothing_is_lost_doubled_or_reordered_while_a_client_comes_and_moves(
    bridge: Running, market: Market, kind: str, transports: str
) -> None:
    symbol = f"{kind}-{transports}"
    stream = await known(bridge.url, market, symbol)
    request = {"channel": "ticks", "symbols": [symbol], "mode": "all"}
    async with stream.running(), subscribed(kind, bridge.url, transports, request) as client:
        await client.until(lambda: client.events("ack"))
        assert client.events("ack")[0]["ok"] is True
        if transports == "polling,websocket" and kind in PROGRAMS:
            moves = ("connect", "upgrade", "transport")
            await client.until(lambda: any("websocket" in str(client.events(name)) for name in moves))
        upgraded = len(client.records("ticks"))
        await client.until(lambda: len(client.records("ticks")) >= upgraded + 100)
        assert in_order(client)
        assert client.lost("ticks") == 0
        for record in client.records("ticks"):
            assert record["price"] == math.pi * record["seq"]
            assert (record["symbol"], record["trade_id"]) == (symbol, None)
        if isinstance(client, Program):
            client.leave()
            await client.until(lambda: client.events("disconnect"))


@pytest.mark.parametrize("kind", PROGRAMS)
async def test_binary_volatile_and_unknown_events_are_answered(bridge: Running, market: Market, kind: str) -> None:
    request = {"channel": "bars", "symbols": ["SPY"], "interval": "1m"}
    for transports in ("websocket", "polling"):
        async with started(kind, bridge.url, transports, request, odd=True) as client:
            await client.until(lambda client=client: len(client.events("odd")) == 4)  # type: ignore[misc]
            answers = client.events("odd")
            assert [answer["ok"] for answer in answers] == [False, False, False, True]
            assert {answer["error"]["code"] for answer in answers[:3]} == {"bad_request"}
            assert client.events("disconnect") == []


@pytest.mark.parametrize("kind", PROGRAMS)
async def test_a_client_that_is_cut_off_comes_back_to_what_it_missed(
    bridge: Running, market: Market, kind: str
) -> None:
    symbol = f"back-{kind}"
    stream = await known(bridge.url, market, symbol)
    request = {"channel": "ticks", "symbols": [symbol], "mode": "all"}
    async with relay(bridge.port) as between, started(kind, between.url, "websocket", request, comeBack=True) as client:
        await client.until(lambda: client.events("ack"))
        async with stream.running():
            for times in (1, 2):
                seen = len(client.records("ticks"))
                await client.until(lambda seen=seen: len(client.records("ticks")) >= seen + 30)  # type: ignore[misc]
                between.refusing = True
                between.cut()
                missed = stream.number + 30
                await client.until(lambda missed=missed: stream.number > missed)  # type: ignore[misc]
                between.refusing = False
                await client.until(lambda times=times: len(client.events("ack")) == times + 1)  # type: ignore[misc]
        await client.until(lambda: client.records("ticks")[-1]["seq"] == stream.number)
        assert [answer["recovered"] for answer in client.events("ack")] == [False, True, True]
        assert in_order(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_another_namespace_is_refused_and_said_to_be_none(bridge: Running, market: Market, kind: str) -> None:
    if kind in PROGRAMS:
        async with started(kind, f"{bridge.url}/other", "websocket", {}) as client:
            await client.until(lambda: client.events("connect_error"))
            [said] = client.events("connect_error")
    else:
        serializer = "msgpack" if kind.endswith("msgpack") else "default"
        other = socketio.AsyncClient(reconnection=False, serializer=serializer)
        told: list[dict[str, Any]] = []
        other.on("connect_error", told.append, namespace="/other")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await other.connect(bridge.url, transports=["websocket"], namespaces=["/other"], wait_timeout=DEADLINE)
        await other.disconnect()
        [said] = told
    assert said["message"] == "Invalid namespace"
    assert said["data"]["code"] == "bad_request"


@pytest.fixture(scope="module")
def guarded(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge that wants a key."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    (folder / "keys").write_text(f"bob:{hashlib.sha256(KEY.encode()).hexdigest()}\n")
    own = {"WS_BRIDGE_AUTH": "key", "WS_BRIDGE_API_KEYS_FILE": str(folder / "keys")}
    with service("tickstream-ws-bridge", env=env | own, log=folder / "log") as running:
        running.await_ready()
        yield running


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("kind", CLIENTS)
async def test_who_isnt_let_in_gets_an_error_with_code_and_message(guarded: Running, kind: str, transport: str) -> None:
    if kind in PROGRAMS:
        request = {"channel": "ticks", "symbols": ["SPY"]}
        async with started(kind, guarded.url, transport, request, auth={"apiKey": KEY}) as client:
            await client.until(lambda: client.events("ack"))
        async with started(kind, guarded.url, transport, request, auth={"apiKey": "wrong"}) as client:
            await client.until(lambda: client.events("connect_error"))
            [said] = client.events("connect_error")
    else:
        serializer = "msgpack" if kind.endswith("msgpack") else "default"
        async with listener(guarded.url, [transport], {"apiKey": KEY}, serializer=serializer) as let_in:
            assert (await let_in.ask("time"))["ok"] is True
        said = await refusal(guarded.url, [transport], {"apiKey": "wrong"}, serializer=serializer)
    assert said["data"]["code"] == "unauthorized"
    assert said["message"] == said["data"]["message"]


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_the_python_client_without_asyncio(bridge: Running, market: Market, transport: str, serializer: str) -> None:
    with socketio.SimpleClient(reconnection=False, serializer=serializer) as client:
        client.connect(bridge.url, transports=[transport], wait_timeout=60)
        request = {"channel": "ticks", "symbols": ["BAC"], "mode": "all"}
        assert client.call("subscribe", request, timeout=60)["ok"] is True
        trades = [tick("BAC", number, math.e * number) for number in range(1, 11)]
        market.publish(trades)
        records: list[dict[str, Any]] = []
        while len(records) < len(trades):
            event, frame = client.receive(timeout=60)
            assert event == "ticks"
            records += frame["data"]
        assert [record["price"] for record in records] == [trade.price for trade in trades]


async def test_clients_of_both_encodings_get_the_same(bridge: Running, market: Market) -> None:
    odd: list[Record] = [
        tick("SPY", 1, 5e-324),
        tick("SPY", 2**53 + 1, 1e22),
        bar("SPY", 98, "partial", close=1e-7),
        IndicatorSet("SPY", "1m", 0, MINUTE, "closed", 0, {"rsi_14": -0.0, "obv": 1e300}, ("vwap", "é\0😀")),
    ]
    async with listener(bridge.url) as text, listener(bridge.url, serializer="msgpack") as packed:
        both: list[Listener] = [text, packed]
        for client in both:
            await client.subscribe(channel="ticks", symbols=["SPY"], mode="all")
            for channel in ("bars", "indicators"):
                await client.subscribe(channel=channel, symbols=["SPY"], interval="1m", mode="all")
        await asyncio.to_thread(market.publish, odd)
        for client in both:
            await client.until(lambda client=client: len(client.records("ticks")) == 2)  # type: ignore[misc]
            await client.until(lambda client=client: len(client.records("bars")) == 1)  # type: ignore[misc]
            await client.until(lambda client=client: client.records("indicators"))  # type: ignore[misc]
        for channel in ("ticks", "bars", "indicators"):
            assert repr(text.records(channel)) == repr(packed.records(channel))
        assert math.copysign(1, packed.records("indicators")[0]["values"]["rsi_14"]) == -1
        for request in (
            {"channel": "bars", "symbols": ["SPY", "AIG"], "interval": "1m", "history": 5_000},
            {"channel": "ticks", "symbols": ["SPY", "NOPE"]},
            {"channel": "bars", "symbols": ["SPY"]},
            {"channel": "ticks", "symbols": ["*"], "resume": "x"},
        ):
            answers = [await client.ask("subscribe", request) for client in both]
            for answer in answers:
                answer.pop("subscription", None)
                answer.pop("resume", None)
            assert repr(answers[0]) == repr(answers[1])
