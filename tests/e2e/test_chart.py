"""The chart on a recorded day that went through the whole platform, held against Kafka's bars and InfluxDB's."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import chromium_page
from tests.support.market import Market
from tests.support.programs import Running, must, service, until
from tests.support.servers import Servers, isolated
from tests.support.topics import Row, read_rows
from tickstream.core.model import AlertEvent, Bar

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(900)]

DAY = Path(__file__).parents[1] / "data" / "lean"
NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
_WAIT = 60_000
_LONG = 600.0


@dataclass(frozen=True)
class Platform:
    """A day in the topics and the store, and a bridge that remembers only the end of it."""

    bridge: Running
    env: dict[str, str]
    bars: dict[tuple[str, str], list[Row]]
    values: dict[tuple[str, str], dict[int, dict[str, float]]]


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with isolated(servers) as env:
        replay = ("--source", "replay", "--path", str(DAY), "--speed", "max", "--symbols", "AIG,BAC")
        must("tickstream-producer", *replay, env=env, limit=_LONG)
        must("tickstream-processor", "--until-caught-up", env=env, limit=_LONG)
        bars: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
        for row in read_rows(env, "bars"):
            if row["state"] == "closed":
                bars[row["symbol"], row["interval"]][row["start"]] = row
        values: dict[tuple[str, str], dict[int, dict[str, float]]] = defaultdict(dict)
        for row in read_rows(env, "indicators"):
            if row["state"] == "closed":
                values[row["symbol"], row["interval"]][row["start"]] = row["values"]
        own = {"WS_BRIDGE_HISTORY_BARS": "300"}
        log = tmp_path_factory.mktemp("bridge") / "log"
        with service("tickstream-ws-bridge", env=env | own, log=log) as bridge:
            bridge.await_ready()
            ordered = {key: [found[start] for start in sorted(found)] for key, found in bars.items()}
            yield Platform(bridge, env, ordered, values)


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


@pytest.fixture
def page(platform: Platform, browser_page: Page) -> Page:
    """The page with BAC's minutes, and nothing remembered."""
    browser_page.goto(platform.bridge.url)
    browser_page.evaluate("localStorage.clear(); localStorage.setItem('tickstream.tour', 'seen')")
    opened(browser_page, platform, "symbol=BAC&interval=1m")
    return browser_page


def opened(page: Page, platform: Platform, query: str) -> None:
    page.goto(f"{platform.bridge.url}/?{query}")
    expect(chart(page)).to_have_attribute("data-phase", "ready", timeout=_WAIT)


def chart(page: Page) -> Locator:
    return page.get_by_test_id("chart")


def number(page: Page, name: str) -> int:
    return int(chart(page).get_attribute(f"data-{name}") or -1)


def table(page: Page) -> tuple[list[str], list[list[str]]]:
    """The titles and the rows of the chart's table, oldest first."""
    found: tuple[list[str], list[list[str]]] = page.locator(".bars-table").evaluate(
        "(table) => [[...table.tHead.rows[0].cells], ...[...table.tBodies[0].rows].map(({cells}) => [...cells])]"
        ".map((cells) => cells.map(({textContent}) => textContent))"
        ".reduce(([titles, rows], cells) => (titles ? [titles, [...rows, cells]] : [cells, []]), [null, []])"
    )
    return found[0], found[1][::-1]


def price(value: float) -> str:
    return f"{value:,.2f}"


def start_of(row: Row) -> str:
    return f"{datetime.fromtimestamp(row['start'] // SECOND, UTC).astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def script(value: float) -> str:
    """A number as JavaScript writes it."""
    return str(int(value)) if value.is_integer() else repr(value)


def load_all(page: Page) -> None:
    """Goes left until there is nothing older."""

    def at_the_first() -> bool:
        page.keyboard.press("f")
        return chart(page).get_attribute("data-older") == "none"

    until(at_the_first, lambda: f"older: {chart(page).get_attribute('data-older')}, {number(page, 'bars')} bars")


def test_the_table_has_the_bars_and_indicators_of_kafka(platform: Platform, page: Page) -> None:
    page.get_by_test_id("table-toggle").click()
    titles, rows = table(page)
    bars = platform.bars["BAC", "1m"]
    assert len(rows) == number(page, "visible") > 60
    assert titles[:6] == ["Start", "Open", "High", "Low", "Close", "Volume"]
    wanted = [
        [start_of(bar), *(price(bar[name]) for name in ("open", "high", "low", "close"))] for bar in bars[-len(rows) :]
    ]
    assert [row[:5] for row in rows] == wanted
    values = platform.values["BAC", "1m"]
    for title, name, form in (("VWAP", "vwap", price), ("RSI 14", "rsi_14", "{:.1f}".format)):
        column = titles.index(title)
        assert [row[column] for row in rows] == [form(values[bar["start"]][name]) for bar in bars[-len(rows) :]]


@pytest.mark.parametrize("interval", ["1s", "1m", "5m", "15m", "1h", "1d"])
def test_every_bar_of_the_day_is_reached_going_left_and_saved_as_csv(
    platform: Platform, page: Page, interval: str
) -> None:
    opened(page, platform, f"symbol=AIG&interval={interval}")
    load_all(page)
    bars = platform.bars["AIG", interval]
    assert number(page, "bars") == len(bars)
    page.keyboard.press("e")
    with page.expect_download(timeout=_WAIT) as download:
        page.locator("[data-testid=save] [data-item=all]").click()
    saved = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert re.fullmatch(rf"AIG-{interval}-2013-10-0\d\.csv", download.value.suggested_filename)
    names = ("open", "high", "low", "close", "volume", "vwap")
    assert [datetime.fromisoformat(row["start"]).timestamp() for row in saved] == [
        bar["start"] / SECOND for bar in bars
    ]
    assert [[float(row[name]) for name in names] for row in saved] == [[bar[name] for name in names] for bar in bars]
    if interval != "1s":
        sets = platform.values["AIG", interval]
        assert [row["indicator_vwap"] for row in saved] == [script(sets[bar["start"]]["vwap"]) for bar in bars]
    assert number(page, "places") <= 1440 / 2


def test_older_bars_come_from_the_store_alone_where_the_bridge_has_forgotten(platform: Platform) -> None:
    first = platform.bars["BAC", "1m"][0]["start"]
    query = f"symbol=BAC&interval=1m&before_ms={first // 1_000_000 + 10 * 60_000}&limit=50"
    with urllib.request.urlopen(f"{platform.bridge.url}/api/v1/bars?{query}", timeout=30) as answer:
        page = json.load(answer)
    assert [bar["start_ms"] * 1_000_000 for bar in page["records"]] == [
        bar["start"] for bar in platform.bars["BAC", "1m"][:10]
    ]
    assert page["more"] is False


def test_an_indicator_is_found_shown_remembered_and_in_the_link(platform: Platform, page: Page) -> None:
    page.keyboard.press("i")
    dialog = page.get_by_test_id("studies")
    dialog.get_by_role("searchbox").fill("macd")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    value = page.get_by_test_id("legend").locator("[data-name=macd_12_26_9] dd")
    newest = platform.values["BAC", "1m"][platform.bars["BAC", "1m"][-1]["start"]]

    def shown(name: str) -> str:
        size = abs(newest[name])
        return f"{newest[name]:.{2 if size >= 1 else 3 if size >= 0.01 else 5}f}".replace("-", "\N{MINUS SIGN}")

    names = ("macd_12_26_9", "macd_12_26_9_hist", "macd_12_26_9_signal")
    expect(value).to_have_text("  ".join(map(shown, names)), use_inner_text=False)
    link = page.url
    assert parse_qs(urlsplit(link).query)["studies"] == ["volume vwap bbands_20_2 rsi_14 macd_12_26_9"]
    opened(page, platform, "symbol=AIG&interval=5m")
    expect(value).to_be_visible()
    page.evaluate("localStorage.removeItem('tickstream.chart')")
    page.goto(link)
    expect(value).to_be_visible(timeout=_WAIT)
    opened(page, platform, "symbol=BAC&interval=1s")
    page.keyboard.press("i")
    expect(dialog.locator("[data-item=macd_12_26_9]")).to_contain_text("not computed for 1s bars")


def test_two_symbols_are_compared_in_percent_of_the_first_bar_in_view(platform: Platform, page: Page) -> None:
    page.keyboard.press("c")
    page.keyboard.type("aig")
    page.keyboard.press("Enter")
    expect(chart(page)).to_have_attribute("data-rival", "ready", timeout=_WAIT)
    assert parse_qs(urlsplit(page.url).query)["compare"] == ["AIG"]
    page.get_by_test_id("table-toggle").click()
    titles, rows = table(page)
    closes = {bar["start"]: bar["close"] for bar in platform.bars["AIG", "1m"]}
    starts = [bar["start"] for bar in platform.bars["BAC", "1m"]][-len(rows) :]
    shown = [float(row[titles.index("AIG")].removesuffix("%").replace("\N{MINUS SIGN}", "-")) for row in rows]
    wanted = [(closes[start] / closes[starts[0]] - 1) * 100 for start in starts if start in closes]
    assert shown == pytest.approx(wanted, abs=0.00501)
    page.get_by_test_id("table-toggle").click()
    page.keyboard.press("c")
    page.get_by_test_id("compare").get_by_role("button", name="Stop comparing with AIG").click()
    expect(page.get_by_test_id("legend").locator("[data-name=rival]")).to_have_count(0)


def test_bars_go_from_left_to_right_by_keys_wheel_drag_and_pinch(platform: Platform, page: Page) -> None:
    stage = page.get_by_test_id("stage")
    notes, time = page.get_by_test_id("legend-notes"), page.locator(".legend-time")
    newest = time.inner_text()
    stage.focus()
    page.keyboard.press("ArrowLeft")
    expect(time).to_have_text(newest)
    page.keyboard.press("ArrowLeft")
    before = datetime.fromtimestamp(platform.bars["BAC", "1m"][-2]["start"] // SECOND, UTC).astimezone(NEW_YORK)
    expect(time).to_have_text(f"{before:%H:%M} ET")
    expect(notes).to_contain_text("after hours")
    page.keyboard.press("Home")
    until(lambda: number(page, "behind") > 100, "Home goes nowhere")
    page.get_by_test_id("chart-to-now").click()
    expect(chart(page)).to_have_attribute("data-behind", "0")
    box = stage.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 200, middle[1], steps=5)
    page.mouse.up()
    until(lambda: number(page, "behind") > 10, "dragging goes nowhere")
    wide = number(page, "visible")
    page.mouse.wheel(0, 300)
    until(lambda: number(page, "visible") > wide, "the wheel doesn't zoom")
    wide = number(page, "visible")
    pinch(page, stage)
    until(lambda: number(page, "visible") < wide, "pinching doesn't zoom")
    for _ in range(2):
        page.keyboard.press("k")
    assert parse_qs(urlsplit(page.url).query)["kind"] == ["line"]


def pinch(page: Page, stage: Locator) -> None:
    """Two fingers that move apart."""
    box = stage.bounding_box()
    assert box is not None
    browser = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 160), ("touchEnd", None)):
        fingers = [] if apart is None else [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def test_what_is_drawn_is_saved_as_a_picture(page: Page) -> None:
    page.get_by_test_id("save-open").click()
    with page.expect_download(timeout=_WAIT) as download:
        page.locator("[data-testid=save] [data-item=picture]").click()
    content = Path(download.value.path()).read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert width > 700
    assert height > 500


def test_trouble_is_told_apart_revisions_replace_their_bar_and_alerts_stand_by_theirs(
    platform: Platform, page: Page
) -> None:
    opened(page, platform, "symbol=BAC&interval=15m")
    last = platform.bars["BAC", "15m"][-1]
    step = 900 * SECOND

    def bar(place: int, **fields: Any) -> Bar:
        start = last["start"] + place * step
        return replace(Bar(**{**last, "start": start, "end": start + step, "state": "closed", "revision": 0}), **fields)

    market = Market(platform.env)
    quiet, always = {"volume": 0.0, "trades": 0}, {"session": "continuous"}
    market.publish(
        [
            bar(1, activity="quiet", **quiet),
            bar(2, activity="feed_down", **quiet),
            bar(3, activity="halted", **quiet),
            bar(4, activity="traded", close=13.9, **always),
            bar(4, activity="traded", close=13.95, revision=2, **always),
            bar(7, activity="traded", state="partial", **always),
            AlertEvent("a1", "r1", "BAC", "firing", "critical", bar(4).end - 1, 13.95, 13.0, "BAC is above 13"),
        ]
    )
    page.get_by_test_id("table-toggle").click()
    until(lambda: table(page)[1][-1][-1].startswith("forming"), lambda: str(table(page)[1][-6:]))
    rows = table(page)[1][-5:]
    assert [row[-1].split(", after hours")[0] for row in rows[:3]] == ["quiet: no trade", "feed down", "halted"]
    assert rows[3][4] == "13.95"
    assert "revised 2 times" in rows[3][-1]
    assert "Alert firing: BAC is above 13" in rows[3][-1]
    assert "no bar for 30 min before" in rows[4][-1]


def test_the_page_says_all_of_it_in_german_too(platform: Platform, page: Page) -> None:
    page.evaluate("localStorage.setItem('tickstream.language', 'de')")
    opened(page, platform, "symbol=BAC&interval=1m")
    expect(page.get_by_test_id("studies-open")).to_have_text("Indikatoren 4")
    page.get_by_test_id("table-toggle").click()
    assert table(page)[0][:6] == ["Beginn", "Eröffnung", "Hoch", "Tief", "Schluss", "Volumen"]
    page.evaluate("localStorage.removeItem('tickstream.language')")
