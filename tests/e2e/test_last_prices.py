"""The last prices that real clients see are those of the file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect

from tests.support import oracle
from tests.support.browser import chromium_page
from tests.support.node import installed, node
from tests.support.programs import Running, must, service
from tests.support.servers import Servers, isolated

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

DAY = Path(__file__).parents[1] / "data" / "lean"
SYMBOLS = ("AIG", "BAC", "SPY")


@pytest.fixture(scope="module")
def last() -> dict[str, float]:
    """The last price of each symbol in the vendor's files."""
    days = {symbol: oracle.trades_of(DAY / "tick" / symbol.lower() / "20131008_trade.zip") for symbol in SYMBOLS}
    return {symbol: float(trades.select(pl.col("price").last()).item()) for symbol, trades in days.items()}


@pytest.fixture(scope="module")
def bridge(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over a day that was replayed and processed."""
    with isolated(servers) as env:
        must("tickstream-producer", "--source", "replay", "--path", str(DAY), "--speed", "max", env=env)
        must("tickstream-processor", "--until-caught-up", env=env | {"PROCESSOR_ROLES": "bars"})
        log = tmp_path_factory.mktemp("bridge") / "bridge.log"
        with service("tickstream-ws-bridge", env=env, log=log) as running:
            running.await_ready()
            yield running


@pytest.mark.parametrize("transports", ["websocket", "polling"])
def test_the_stock_javascript_client_sees_the_last_prices_of_the_file(
    bridge: Running, last: dict[str, float], transports: str
) -> None:
    request = json.dumps({"channel": "ticks", "symbols": list(SYMBOLS)})
    command = [str(node()), "client.mjs", bridge.url, transports, request]
    with subprocess.Popen(command, cwd=installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        heard = dict(json.loads(client.stdout.readline()) for _ in range(2))
        client.communicate(timeout=30)
    snapshot = heard["ack"]["snapshot"]
    assert {record["symbol"]: record["price"] for record in snapshot} == last


def test_chromium_shows_the_last_prices_of_the_file(bridge: Running, last: dict[str, float]) -> None:
    with chromium_page() as page:
        page.goto(bridge.url)
        for symbol, price in last.items():
            shown = page.get_by_test_id(f"price-{symbol}")
            expect(shown).to_have_attribute("data-value", str(price), timeout=60_000)
            expect(shown).to_have_text(f"{price:.2f}")


def test_chromium_charts_the_whole_day_in_minutes(bridge: Running) -> None:
    with chromium_page() as page:
        page.goto(bridge.url)
        page.get_by_test_id("card-SPY").click()
        page.get_by_test_id("timeframe-1m").click()
        chart = page.get_by_test_id("chart")
        expect(chart).to_have_attribute("data-symbol", "SPY")
        first = oracle.at("2013-10-08 04:00:00")
        minutes = sum(1 for _ in oracle.minutes(first, oracle.at("2013-10-08 20:00:00")))
        expect(chart).to_have_attribute("data-bars", str(minutes), timeout=60_000)
