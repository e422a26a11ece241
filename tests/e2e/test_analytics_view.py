"""The view of the analytics: a recorded session's figures as the page shows them, and how it follows them."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Locator, Page, WebSocket, expect

from tests.support import oracle
from tests.support.browser import chromium_page
from tests.support.market import MINUTE, Market, tick
from tests.support.ports import spare_port
from tests.support.programs import Running, must, service, until
from tests.support.servers import Servers, isolated
from tickstream.core.model import AnalyticsFigure

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]

DATA: Final = Path(__file__).parents[2] / "data" / "demo"
SYMBOLS: Final = ("AIG", "BAC", "SPY")
FIRST: Final = 23_020_650
"""A minute of October 2013, counted from the epoch."""
_WAIT: Final = 60_000


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        page.set_default_timeout(_WAIT)
        yield page


def card(page: Page, name: str) -> Locator:
    return page.locator(f".analytics .card[data-name={name}]")


def value(page: Page, name: str, row: str, column: int = 0) -> Locator:
    return card(page, name).locator(f"tr[data-name={row}] td").nth(column)


@pytest.fixture(scope="module")
def recorded(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over the demo's session, gone through the producer, the processor and the analytics."""
    with isolated(servers) as env:
        session = str(DATA / "2013-10-08.parquet")
        must("tickstream-producer", "--source", "replay", "--path", session, "--speed", "max", env=env)
        must("tickstream-processor", "--until-caught-up", env=env)
        groups = {"ANALYTICS_GROUPS_FILE": str(DATA / "groups.yaml")}
        must("tickstream-analytics", "--until-caught-up", env=env | groups)
        log = tmp_path_factory.mktemp("recorded") / "log"
        with service("tickstream-ws-bridge", env=env, log=log) as running:
            running.await_ready()
            yield running


@pytest.fixture(scope="module")
def trades() -> dict[str, pl.DataFrame]:
    """The session's trades by symbol, read apart from the platform."""
    recording = pl.read_parquet(DATA / "2013-10-08.parquet").with_columns(
        pl.col("symbol").cast(pl.String), suspicious=pl.col("flags") & 1 == 1
    )
    return {
        symbol: recording.filter(pl.col("symbol") == symbol).rename({"ts_event": "ts"}).sort("ts", maintain_order=True)
        for symbol in SYMBOLS
    }


def minute_of(page: Page, panel: str) -> int:
    """The end of the minute that a panel's figures are of, in nanoseconds."""
    shown = page.get_by_test_id(f"{panel}-minute")
    expect(shown).to_have_text(re.compile(r"^Oct 8, \d\d:\d\d ET$"))
    clock = datetime.strptime(f"2013 {shown.inner_text()}", "%Y %b %d, %H:%M ET")  # noqa: DTZ007
    return oracle.at(clock.strftime("%Y-%m-%d %H:%M:%S"))


def signed(percent: float) -> str:
    """As the page writes a change, in percent."""
    return f"{percent:+.2f}%".replace("-", "\N{MINUS SIGN}")


def test_the_market_is_what_its_trades_come_to(recorded: Running, page: Page, trades: dict[str, pl.DataFrame]) -> None:
    page.goto(f"{recorded.url}/?symbol=SPY&interval=1m&view=analytics")
    end = minute_of(page, "market-figures")
    so_far = {symbol: day.filter(~pl.col("suspicious") & (pl.col("ts") < end)) for symbol, day in trades.items()}
    change = {symbol: 100 * (day["price"][-1] / day["price"][0] - 1) for symbol, day in so_far.items()}
    volume = {symbol: day["volume"].sum() for symbol, day in so_far.items()}
    for symbol, percent in change.items():
        listed = card(page, "movers").locator(f"[data-name={'gainers' if percent > 0 else 'losers'}]")
        expect(listed.locator(f"[data-symbol={symbol}]")).to_have_text(f"{symbol}{signed(percent)}")
    most_traded = sorted(SYMBOLS, key=lambda symbol: -volume[symbol])
    expect(card(page, "movers").locator("[data-name=most_active] .name")).to_have_text(most_traded)
    rising = sum(percent > 0 for percent in change.values())
    expect(value(page, "breadth", "symbols")).to_have_text(str(rising))
    expect(value(page, "breadth", "symbols", 1)).to_have_text(str(sum(percent < 0 for percent in change.values())))
    expect(value(page, "breadth", "equal")).to_have_text(signed(float(np.mean(list(change.values())))))
    financials = card(page, "groups").locator("tr[data-name=Financials] td").first
    expect(financials).to_have_text(signed(float(np.mean([change["AIG"], change["BAC"]]))))
    expect(value(page, "together", "symbols")).to_have_text("3")
    expect(card(page, "marketAnomaly").locator(".said")).to_contain_text(re.compile(r"distance \d"))


def test_a_symbol_is_what_its_bars_come_to(recorded: Running, page: Page, trades: dict[str, pl.DataFrame]) -> None:
    page.goto(f"{recorded.url}/?symbol=SPY&interval=1m&view=analytics")
    end = minute_of(page, "symbol-figures")
    assert end == oracle.at("2013-10-08 16:00:00")  # figures of a symbol are of the regular session
    bars = oracle.bars_of(trades["SPY"], "1m").filter(pl.col("end") <= end).tail(30)
    assert bars["start"].to_list() == [end - MINUTE * back for back in range(30, 0, -1)]
    minutes, closes = np.arange(30.0), np.log(bars["close"].to_numpy())
    (slope, _level), (errors, *_rest), *_more = np.polyfit(minutes, closes, 1, full=True)
    t_statistic = slope / np.sqrt(errors / 28 / np.sum((minutes - minutes.mean()) ** 2))
    expect(value(page, "trend", "slope")).to_have_text(f"{signed(slope * 1e4)[:-1]} bp/min")
    expect(value(page, "trend", "t")).to_have_text(signed(t_statistic)[:-1])
    day = oracle.bars_of(trades["SPY"], "1m").filter(
        (pl.col("end") <= end) & (pl.col("start") >= oracle.at("2013-10-08 09:30:00"))
    )
    variance = float(np.sum(np.diff(np.log(day["close"].to_numpy())) ** 2))
    expect(value(page, "volatility", "window", 1)).to_have_text(f"{100 * np.sqrt(variance):.2f}%")
    expect(card(page, "correlated").locator(".ranking").last.locator(".name")).to_have_count(2)
    expect(card(page, "volume")).to_contain_text("Needs an earlier trading day")
    expect(card(page, "forecasts").locator("tbody tr")).to_have_count(5)
    expect(card(page, "forecasts").locator(".said")).to_contain_text("naive")
    page.get_by_test_id("analytics-symbol").select_option("AIG")
    expect(page).to_have_url(re.compile(r"symbol=AIG"))
    others = card(page, "correlated").locator(".ranking").last.locator(".name")
    expect(others.filter(has_text=re.compile("BAC|SPY"))).to_have_count(2)
    page.locator(".analytics [data-name=most_active] [data-symbol=BAC]").click()
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "BAC")
    assert "view=" not in page.url


class Quotes:
    """A market whose figures are published by hand."""

    def __init__(self, env: dict[str, str]) -> None:
        self._market = Market(env)
        self._market.publish([tick(symbol, 1) for symbol in SYMBOLS])

    def tell(self, scope: str, advancers: int, minute: int, name: str = "breadth", window: str = "1d") -> None:
        values = {"advancers": float(advancers), "decliners": 1.0, "unchanged": 0.0, "slope": 1e-4}
        self._market.publish([AnalyticsFigure(scope, name, (FIRST + minute) * MINUTE, window, values)])


@pytest.fixture
def quotes(isolated_env: dict[str, str]) -> Quotes:
    found = Quotes(isolated_env)
    found.tell("market", 5, 0)
    found.tell("group:Metals", 3, 0)
    return found


@pytest.fixture
def bridge(isolated_env: dict[str, str], quotes: Quotes, tmp_path: Path) -> Iterator[Running]:
    assert quotes
    with service("tickstream-ws-bridge", env=isolated_env, log=tmp_path / "log") as running:
        running.await_ready()
        yield running


class Sent:
    """The commands about figures that a page sends over its socket."""

    def __init__(self, page: Page) -> None:
        self.subscribed: list[dict[str, Any]] = []
        self.ended = 0
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", self._take)

    def _take(self, payload: str | bytes) -> None:
        found = re.match(r"42\d+(\[.*)", payload) if isinstance(payload, str) else None
        command, fields = json.loads(found[1]) if found else ("", {})
        self.ended += command == "unsubscribe"
        if command == "subscribe" and fields["channel"] == "analytics":
            self.subscribed.append(fields)

    def scopes(self) -> list[list[str]]:
        return sorted(one["symbols"] for one in self.subscribed)


def advancers(page: Page) -> Locator:
    return value(page, "breadth", "symbols")


def test_figures_are_read_while_they_are_looked_at_and_no_others(bridge: Running, page: Page) -> None:
    sent = Sent(page)
    page.goto(f"{bridge.url}/?symbol=AIG&interval=1m")
    expect(page.locator("#app")).to_have_attribute("data-connection", re.compile("live|quiet"))
    assert sent.subscribed == []
    page.keyboard.press("y")
    expect(advancers(page)).to_have_text("5")
    expect(card(page, "groups").locator("tr[data-name=Metals] td").nth(1)).to_have_text("3")
    assert sent.scopes() == [["AIG"], ["group:Metals"], ["market"]]
    assert "view=analytics" in page.url
    expect(page.locator(".symbol-figures")).to_contain_text("No figures of AIG yet")
    ended = sent.ended
    page.keyboard.press("y")
    expect(page.get_by_test_id("analytics")).to_be_hidden()
    until(lambda: page.evaluate("1") and sent.ended == ended + 3, lambda: f"{sent.ended - ended} were ended")


def test_figures_come_back_with_the_connection_where_they_were(
    isolated_env: dict[str, str], quotes: Quotes, page: Page, tmp_path: Path
) -> None:
    port = spare_port()
    sent = Sent(page)
    with service("tickstream-ws-bridge", env=isolated_env, log=tmp_path / "log", port=port) as first:
        first.await_ready()
        page.goto(f"{first.url}/?symbol=AIG&view=analytics")
        expect(advancers(page)).to_have_text("5")
        first.end(signal.SIGKILL)
    expect(page.locator("#app")).to_have_attribute("data-stale", "", timeout=_WAIT)
    expect(advancers(page)).to_have_text("5")
    sent.subscribed.clear()
    quotes.tell("market", 7, 1)
    with service("tickstream-ws-bridge", env=isolated_env, log=tmp_path / "log", port=port) as second:
        second.await_ready()
        expect(advancers(page)).to_have_text("7", timeout=_WAIT)
        market = next(one for one in sent.subscribed if one["symbols"] == ["market"])
        assert market["resume"]


def test_figures_stand_still_on_a_paused_page(bridge: Running, quotes: Quotes, page: Page) -> None:
    page.goto(f"{bridge.url}/?symbol=AIG&view=analytics")
    expect(advancers(page)).to_have_text("5")
    page.keyboard.press("p")
    quotes.tell("market", 8, 1)
    expect(page.get_by_test_id("pause")).to_contain_text("1 waiting")
    expect(advancers(page)).to_have_text("5")
    page.keyboard.press("p")
    expect(advancers(page)).to_have_text("8")


def test_figures_that_have_fallen_behind_are_marked_and_explained_by_keyboard(
    bridge: Running, quotes: Quotes, page: Page
) -> None:
    quotes.tell("AIG", 0, 0, "trend", "30m")
    quotes.tell("market", 6, 9)
    page.goto(f"{bridge.url}/?symbol=AIG&view=analytics")
    expect(advancers(page)).to_have_text("6")
    minute = page.get_by_test_id("symbol-figures-minute").inner_text()
    stamp = card(page, "trend").locator("thead .stamp[data-stale]")
    expect(stamp).to_have_text(re.compile(r"^◷ \d\d:\d\d$"))
    assert stamp.inner_text()[2:] in minute
    hint = card(page, "trend").locator("tr[data-name=slope] .hint")
    expect(hint).to_be_hidden()
    page.get_by_test_id("explain").focus()
    page.keyboard.press("Enter")
    expect(hint).to_be_visible()
    expect(page.get_by_test_id("explain")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("size", [(1440, 900), (820, 1180), (390, 844), (720, 450)], ids=str)
def test_figures_fit_every_screen(recorded: Running, page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{recorded.url}/?symbol=SPY&view=analytics")
    expect(value(page, "forecasts", "'forecast_ewma 5m'")).to_be_visible()
    page.get_by_test_id("explain").click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    wide = page.evaluate(
        """() => [...document.querySelectorAll('.analytics *')]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    page.set_viewport_size({"width": 1440, "height": 900})
