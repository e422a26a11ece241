from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from tests.support.market import Market, bar, tick
from tests.support.programs import Running
from tests.support.sockets import javascript, listener
from tickstream.core.model import AlertEvent, AnalyticsFigure, IndicatorSet, MarketEvent, Record, Tick

pytestmark = pytest.mark.integration

TRANSPORTS = pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])


def as_client_sees(record: Tick) -> dict[str, Any]:
    return {
        "symbol": record.symbol,
        "price": record.price,
        "volume": record.volume,
        "ts_event_ms": record.ts_event // 1_000_000,
        "ts_ingest_ms": record.ts_ingest // 1_000_000,
        "seq": record.seq,
        "source": record.source,
        "venue": record.venue,
        "trade_id": None,
        "conditions": None,
        "flags": 0,
    }


@TRANSPORTS
async def test_the_stock_python_client_receives_what_was_published(
    bridge: Running, market: Market, transports: list[str]
) -> None:
    async with listener(bridge.url, transports) as client:
        answer = await client.subscribe(channel="ticks", symbols=["SPY", "BAC", "NOPE"], mode="all")
        assert answer["symbols"] == ["SPY", "BAC"]
        assert answer["rejected"] == [{"symbol": "NOPE", "code": "unknown_symbol"}]
        assert {record["symbol"] for record in answer["snapshot"]} == {"SPY", "BAC"}
        assert answer["recovered"] is False
        trades = [tick(symbol, 2 + n, 100 + n / 7) for n in range(50) for symbol in ("SPY", "AIG", "BAC")]
        await asyncio.to_thread(market.publish, trades)
        await client.until(lambda: len(client.records("ticks")) >= 100)
        for symbol in ("SPY", "BAC"):
            received = [record for record in client.records("ticks") if record["symbol"] == symbol]
            assert received == [as_client_sees(trade) for trade in trades if trade.symbol == symbol]
        assert client.lost("ticks") == 0
        assert len(client.records("ticks")) == 100


@pytest.mark.parametrize("transports", ["websocket", "polling", "polling,websocket"])
async def test_the_stock_javascript_client_receives_what_was_published(
    bridge: Running, market: Market, transports: str
) -> None:
    request = json.dumps({"channel": "ticks", "symbols": ["SPY"], "mode": "all"})
    async with javascript(bridge.url, transports, request) as client:
        await client.until(lambda: client.events("ack"))
        [answer] = client.events("ack")
        assert (answer["ok"], answer["symbols"]) == (True, ["SPY"])
        if transports == "polling,websocket":
            await client.until(
                lambda: {"transport": "websocket"} in client.events("connect") + client.events("upgrade")
            )
        trades = [tick("SPY", n, 100 + n / 3) for n in range(1, 101)]
        await asyncio.to_thread(market.publish, trades)
        await client.until(lambda: len(client.records("ticks")) >= 100)
        assert client.records("ticks") == [as_client_sees(trade) for trade in trades]
        client.leave()
        await client.until(lambda: client.events("disconnect"))
        assert client.events("disconnect")[0]["reason"] == "io client disconnect"


async def test_bars_come_with_history_revisions_and_the_forming_one(bridge: Running, market: Market) -> None:
    async with listener(bridge.url) as client:
        answer = await client.subscribe(channel="bars", symbols=["AIG"], interval="1m", history=5_000)
        closed = [record["close"] for record in answer["snapshot"] if record["state"] == "closed"]
        assert closed == [float(number) for number in range(10)]
        assert answer["snapshot"][-1]["state"] == "partial"
        assert answer["snapshot"][0]["start_ms"] == 0
        assert answer["snapshot"][0]["end_ms"] == 60_000
        await asyncio.to_thread(market.publish, [bar("AIG", 10), bar("AIG", 9, close=99.0, revision=1)])
        await client.until(lambda: len(client.records("bars")) == 2)
        again = await client.subscribe(channel="bars", symbols=["AIG"], interval="1m", history=2)
        assert [(one["close"], one["revision"]) for one in again["snapshot"]] == [(99.0, 1), (100.0, 0)]
        nothing = await client.subscribe(channel="bars", symbols=["AIG"], interval="5m", history=5)
        assert nothing["snapshot"] == []


async def test_every_channel_carries_its_topic(bridge: Running, market: Market) -> None:
    records: dict[str, Record] = {
        "indicators": IndicatorSet("SPY", "1m", 0, 60_000_000_000, "closed", 0, {"rsi_14": 50.0}, ("obv",)),
        "analytics": AnalyticsFigure("market", "breadth", 5_000_000, "5m", {"up": 3.0}),
        "alerts": AlertEvent("a1", "r1", "SPY", "firing", "critical", 6_000_000, 1.5, 1.0, "above", 0, {"team": "x"}),
        "market_events": MarketEvent("session_open", 7_000_000, None, "test", {"session": "regular"}),
    }
    async with listener(bridge.url) as client:
        for channel in records:
            extra = {"interval": "1m"} if channel == "indicators" else {}
            symbols = ["market"] if channel == "analytics" else ["SPY"]
            answer = await client.subscribe(channel=channel, symbols=symbols, **extra)
            assert answer["symbols"] == symbols
        await asyncio.to_thread(market.publish, list(records.values()))
        for channel in records:
            await client.until(partial(client.records, channel))
        assert client.records("indicators")[0]["values"] == {"rsi_14": 50.0}
        assert client.records("indicators")[0]["warming"] == ["obv"]
        assert client.records("analytics")[0]["ts_event_ms"] == 5
        assert client.records("alerts")[0]["labels"] == {"team": "x"}
        assert client.records("market_events")[0]["symbol"] is None
    async with listener(bridge.url) as client:
        answer = await client.subscribe(channel="alerts", symbols=["*"])
        assert [one["alert_id"] for one in answer["snapshot"]] == ["a1"]
        answer = await client.subscribe(channel="market_events", symbols=["*"])
        assert [one["type"] for one in answer["snapshot"]] == ["session_open"]


async def test_unsubscribe_ends_what_it_names(bridge: Running, market: Market) -> None:
    async with listener(bridge.url) as client:
        first = await client.subscribe(channel="ticks", symbols=["SPY", "AIG"], mode="all")
        second = await client.subscribe(channel="ticks", symbols=["BAC"], mode="all")
        assert (await client.ask("unsubscribe", {"channel": "ticks", "symbols": ["SPY"]}))["symbols"] == ["SPY"]
        assert (await client.ask("unsubscribe", {"subscription": second["subscription"]}))["ok"] is True
        mine = (await client.ask("subscriptions", {}))["subscriptions"]
        assert [(one["subscription"], one["symbols"]) for one in mine] == [(first["subscription"], ["AIG"])]
        await asyncio.to_thread(market.publish, [tick(symbol, 1_000) for symbol in ("SPY", "BAC", "AIG")])
        await client.until(lambda: client.records("ticks"))
        assert {record["symbol"] for record in client.records("ticks")} == {"AIG"}
        gone = await client.ask("unsubscribe", {"subscription": second["subscription"]})
        assert gone["error"]["code"] == "unknown_subscription"


async def test_time_is_the_bridges(bridge: Running) -> None:
    async with listener(bridge.url) as client:
        first = await client.ask("time", {})
        second = await client.ask("time")
        assert 0 <= second["ts_ms"] - first["ts_ms"] < 60_000
