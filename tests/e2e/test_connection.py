"""Whatever becomes of the connection, the page that comes back shows what the log says: no gap, nothing twice."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.support.browser import chromium_page
from tests.support.programs import Running, must, service, until
from tests.support.servers import Servers, isolated
from tests.support.tape import SECOND, Log, Tape

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

SYMBOLS = ("AAA", "BBB", "CCC")
_WAIT = 60_000
_NEW_YORK = ZoneInfo("America/New_York")
_OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
_ONLINE = _OFFLINE | {"offline": False}
_WATCH_FOR_EMPTINESS = """() => {
    window.emptied = 0;
    const rows = () => document.querySelectorAll('[data-testid^="card-"]').length;
    const bars = () => Number(document.querySelector('[data-testid="chart"]').dataset.bars);
    new MutationObserver(() => { if (rows() === 0 || bars() === 0) window.emptied += 1; })
        .observe(document.body, {subtree: true, childList: true, attributes: true});
}"""

_FRAMES_UNDER_CONTROL = """
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (paint) => (window.framesHeld ? 0 : frame(paint));
"""
_BREAK_THE_ACTIVITY = """() => {
    document.querySelector('[data-testid="activity"]').insertBefore = () => { throw new Error("broken"); };
}"""


class Bridge:
    """One node of the bridge that ends, is mute and comes back on the same port."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self._env = env
        self._log = log
        self._stack = ExitStack()
        self._running: Running | None = None
        self._port: int | None = None

    @property
    def running(self) -> Running:
        assert self._running is not None
        return self._running

    def start(self, **settings: str) -> None:
        """Start it, with settings of its own."""
        made = service("tickstream-ws-bridge", env=self._env | settings, log=self._log, port=self._port)
        self._running = self._stack.enter_context(made)
        self._port = self.running.port
        self.running.await_ready()

    def end(self, number: signal.Signals) -> None:
        """End it with a signal."""
        self.running.end(number)

    def signal(self, number: signal.Signals) -> None:
        """Signal it."""
        self.running.child.send_signal(number)

    def close(self) -> None:
        """The end of the test."""
        if self.running.child.poll() is None:
            self.signal(signal.SIGCONT)
        self._stack.close()


@pytest.fixture
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


@pytest.fixture
def tape(env: dict[str, str]) -> Iterator[Tape]:
    with Tape(env, SYMBOLS, history=70) as running:
        yield running


@pytest.fixture
def bridge(env: dict[str, str], tape: Tape, tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(env, tmp_path / "bridge.log")
    made.start()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def page(bridge: Bridge) -> Iterator[Page]:
    """The chart of seconds of the first symbol, live."""
    with chromium_page() as page:
        page.goto(f"{bridge.running.url}/?symbol={SYMBOLS[0]}&interval=1s")
        expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        await_live(page)
        yield page


def state_of(page: Page) -> str:
    """What the page says of its connection."""
    return page.get_by_test_id("connection").get_attribute("data-state") or ""


def await_live(page: Page) -> None:
    """Wait until the page says that it is live."""
    until(lambda: state_of(page) == "live", lambda: f"{state_of(page)}: {page.get_by_test_id('banner').inner_text()}")


def await_stale(page: Page) -> None:
    """Wait until the page dims what it shows, and says how old that is."""
    expect(page.locator("#app")).to_have_attribute("data-stale", "", timeout=_WAIT)
    expect(page.get_by_test_id("headline-age")).to_have_text(re.compile("old"))
    expect(page.get_by_test_id(f"card-{SYMBOLS[1]}")).to_have_attribute("data-stale", "")


def resumed(page: Page) -> int:
    """How often the page says that it came back without a gap."""
    return int(page.locator(".status-bar [data-name=resumes] dd").inner_text())


def shown_bars(page: Page) -> list[list[str]]:
    """The cells of the page's table of bars, oldest first."""
    rows = page.locator(".bars-table tbody tr")
    cells: list[list[str]] = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    return cells[::-1]


def expected_bars(log: Log) -> list[list[str]]:
    """The same of the log."""
    return [
        [
            f"{datetime.fromtimestamp(start // SECOND, UTC).astimezone(_NEW_YORK):%Y-%m-%d %H:%M:%S}",
            *(f"{price:.2f}" for price in (bar.open, bar.high, bar.low, bar.close)),
            f"{log.sets[start].values['vwap']:.2f}",
            f"{log.sets[start].values['rsi_14']:.1f}",
            "forming" if bar.state == "partial" else "revised once" if bar.revision else "",
        ]
        for start, bar in sorted(log.bars.items())
    ]


def notes(page: Page) -> list[int]:
    """The numbers of the events in the activity log, oldest first."""
    texts = page.get_by_test_id("activity").locator("li[data-kind=market] p").all_inner_texts()
    return [int(text.removeprefix("note (number ").removesuffix(")")) for text in reversed(texts)]


def equals_the_log(page: Page, log: Log) -> None:
    """The prices, every bar on the chart and every event are those of the log, each once."""
    for symbol, price in log.prices.items():
        expect(page.get_by_test_id(f"price-{symbol}")).to_have_attribute("data-value", f"{price:g}", timeout=_WAIT)
    expect(page.get_by_test_id("chart")).to_have_attribute("data-bars", str(len(log.bars)), timeout=_WAIT)
    page.get_by_test_id("table-toggle").click()
    for _ in range(3):
        page.keyboard.press("-")
    wanted = expected_bars(log)

    def shown() -> list[list[str]]:
        found = shown_bars(page)
        return [[*cells[:5], *cells[6:]] for cells in found]

    until(lambda: shown() == wanted[-len(shown()) :] and len(shown()) > 60, lambda: f"{shown()[-30:]}\n{wanted[-30:]}")
    first = log.notes.index(notes(page)[0])
    until(lambda: notes(page) == log.notes[first:], lambda: f"{notes(page)}\n{log.notes}")


def test_a_bridge_that_is_killed_and_comes_back_leaves_no_gap(bridge: Bridge, page: Page, tape: Tape) -> None:
    page.evaluate(_WATCH_FOR_EMPTINESS)
    bridge.end(signal.SIGKILL)
    banner = page.get_by_test_id("banner")
    expect(banner).to_contain_text("Trying again in", timeout=_WAIT)
    expect(page.get_by_test_id("connection")).to_contain_text("reconnecting")
    await_stale(page)
    expect(banner).to_contain_text("What you see is")
    bridge.start()
    page.get_by_test_id("retry").evaluate("(button) => button.hidden || button.click()")  # it may be back by itself
    await_live(page)
    expect(page.get_by_test_id("activity")).to_contain_text("Caught up: nothing was missed")
    assert resumed(page) == 1
    equals_the_log(page, tape.stop())
    assert page.evaluate("window.emptied") == 0


def test_a_device_that_loses_its_network_catches_up(page: Page, tape: Tape) -> None:
    browser = page.context.new_cdp_session(page)
    browser.send("Network.enable")
    browser.send("Network.emulateNetworkConditions", _OFFLINE)
    expect(page.get_by_test_id("banner")).to_contain_text("This device is offline", timeout=_WAIT)
    await_stale(page)
    browser.send("Network.emulateNetworkConditions", _ONLINE)
    await_live(page)
    equals_the_log(page, tape.stop())
    assert resumed(page) >= 1


def test_a_server_that_is_mute_looks_stale_and_is_caught_up_with(bridge: Bridge, page: Page, tape: Tape) -> None:
    bridge.signal(signal.SIGSTOP)
    expect(page.get_by_test_id("banner")).to_contain_text("The server gives no sign of life", timeout=_WAIT)
    await_stale(page)
    expect(page.get_by_test_id("banner")).to_contain_text("The server went silent", timeout=_WAIT)
    bridge.signal(signal.SIGCONT)
    await_live(page)
    equals_the_log(page, tape.stop())


def test_a_page_that_was_frozen_catches_up(page: Page, tape: Tape) -> None:
    browser: CDPSession = page.context.new_cdp_session(page)
    browser.send("Page.setWebLifecycleState", {"state": "frozen"})
    before = len(tape.log.notes)
    until(lambda: len(tape.log.notes) > before + 6, "the tape stands still")
    browser.send("Page.setWebLifecycleState", {"state": "active"})
    await_live(page)
    equals_the_log(page, tape.stop())


def test_too_much_missed_begins_anew_without_a_blink_and_says_so(bridge: Bridge, page: Page, tape: Tape) -> None:
    page.evaluate(_WATCH_FOR_EMPTINESS)
    bridge.end(signal.SIGTERM)
    expect(page.get_by_test_id("activity")).to_contain_text("shutting down", timeout=_WAIT)
    await_stale(page)
    bridge.start(WS_BRIDGE_RESUME_RECORDS="0")
    await_live(page)
    expect(page.get_by_test_id("banner")).to_contain_text("Everything was loaded anew")
    equals_the_log(page, tape.stop())
    assert page.evaluate("window.emptied") == 0


def test_a_server_that_is_cut_off_from_kafka_looks_stale_and_says_why(servers: Servers, page: Page, tape: Tape) -> None:
    servers.stop("kafka")
    try:
        expect(page.get_by_test_id("banner")).to_contain_text("The server is cut off from the market", timeout=_WAIT)
        await_stale(page)
        assert state_of(page) == "stale"
    finally:
        servers.start("kafka")
    await_live(page)
    equals_the_log(page, tape.stop())


def test_a_market_that_is_merely_quiet_is_not_stale(page: Page, tape: Tape) -> None:
    tape.stop()
    expect(page.get_by_test_id("connection")).to_have_text(re.compile("live, quiet 1[0-9] s"), timeout=_WAIT)
    expect(page.locator("#app")).not_to_have_attribute("data-stale", "")
    expect(page.get_by_test_id("banner")).to_be_hidden()


def test_a_browser_that_gives_no_frames_and_a_part_that_breaks_freeze_nothing(bridge: Bridge, tape: Tape) -> None:
    with chromium_page() as page:
        page.add_init_script(_FRAMES_UNDER_CONTROL)
        page.goto(f"{bridge.running.url}/?symbol={SYMBOLS[0]}&interval=1s")
        await_live(page)
        activity = page.get_by_test_id("activity")
        page.evaluate("window.framesHeld = true")
        expect(activity).to_contain_text("The screen stood still for", timeout=_WAIT)
        page.evaluate("window.framesHeld = false")
        page.evaluate(_BREAK_THE_ACTIVITY)
        expect(page.get_by_test_id("banner")).to_contain_text(
            "Not all of this page can be drawn: activity", timeout=_WAIT
        )
        for symbol, price in tape.stop().prices.items():
            expect(page.get_by_test_id(f"price-{symbol}")).to_have_attribute("data-value", f"{price:g}", timeout=_WAIT)


def test_a_key_that_is_wrong_or_ended_is_asked_for_again_in_place(
    env: dict[str, str], tape: Tape, tmp_path: Path
) -> None:
    must("tickstream-alerting", "--migrate-only", env=env)
    bridge = Bridge(env, tmp_path / "bridge.log")
    try:
        bridge.start(WS_BRIDGE_AUTH="key", WS_BRIDGE_KEY_CHECK_SECONDS="0.2")
        with chromium_page() as page:
            page.goto(f"{bridge.running.url}/?symbol={SYMBOLS[0]}&interval=1s")
            banner, field = page.get_by_test_id("banner"), page.get_by_label("API key")
            expect(banner).to_contain_text("The server asks for an API key", timeout=_WAIT)
            give(page, "wrong")
            expect(banner).to_contain_text("The server does not take this API key", timeout=_WAIT)
            first = key_for(env, "ann")
            give(page, first["key"])
            await_live(page)
            expect(field).to_be_hidden()
            page.evaluate(_WATCH_FOR_EMPTINESS)
            must("tickstream", "keys", "revoke", first["id"], env=env)
            expect(banner).to_contain_text("The API key has ended", timeout=_WAIT)
            await_stale(page)
            give(page, key_for(env, "bob")["key"])
            await_live(page)
            equals_the_log(page, tape.stop())
            assert page.evaluate("window.emptied") == 0
    finally:
        bridge.close()


def key_for(env: dict[str, str], name: str) -> dict[str, str]:
    """A new key to everything."""
    made: dict[str, str] = json.loads(must("tickstream", "keys", "create", name, "--json", env=env))
    return made


def give(page: Page, key: str) -> None:
    """Enter a key where it is asked for."""
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
