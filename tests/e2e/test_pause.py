"""What everyone can choose: a screen that holds still, the time zone, the language; and the page without a network."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.market import Market
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.core.model import AlertEvent

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT = 90_000
_NOTHING_MOVES = "document.getAnimations().filter((one) => one.playState === 'running').length"


@pytest.fixture(scope="module")
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


@pytest.fixture(scope="module")
def bridge(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("bridge") / "log"
    with Tape(env, ("AAA", "BBB")), service("tickstream-ws-bridge", env=env, log=log) as running:
        running.await_ready()
        yield running


@pytest.fixture
def page(bridge: Running) -> Iterator[Page]:
    with chromium_page() as page:
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{bridge.url}/?symbol=AAA&interval=1s")
        expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        yield page


def test_a_paused_screen_holds_still_and_loses_nothing(env: dict[str, str], page: Page) -> None:
    page.keyboard.press("p")
    expect(page.get_by_test_id("pause")).to_contain_text(re.compile(r"paused · [1-9]"), timeout=_WAIT)
    price = page.get_by_test_id("price-AAA").get_attribute("data-value")
    bars = page.get_by_test_id("chart").get_attribute("data-bars")
    level = AlertEvent("a1", "r1", "AAA", "firing", "critical", 1, 101.0, 100.0, "AAA is above 100")
    Market(env).publish([level])
    expect(page.get_by_test_id("alert-voice")).to_have_text(re.compile("AAA is above 100"), timeout=_WAIT)
    assert page.get_by_test_id("price-AAA").get_attribute("data-value") == price
    assert page.get_by_test_id("chart").get_attribute("data-bars") == bars
    assert page.evaluate(_NOTHING_MOVES) == 0
    page.keyboard.press("p")
    expect(page.get_by_test_id("pause")).not_to_contain_text("paused")
    expect(page.get_by_test_id("chart")).not_to_have_attribute("data-bars", bars or "", timeout=_WAIT)
    expect(page.get_by_test_id("price-AAA")).not_to_have_attribute("data-value", price or "", timeout=_WAIT)


def test_times_and_words_follow_the_choice(page: Page) -> None:
    page.get_by_test_id("open-settings").click()
    page.get_by_test_id("zone").get_by_text("UTC").click()
    expect(page.get_by_test_id("market-clock")).to_contain_text("UTC")
    with page.expect_navigation():
        page.get_by_test_id("language").get_by_text("Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_test_id("tab-market")).to_have_text("Markt")
    expect(page.get_by_test_id("market-clock")).to_contain_text("UTC", timeout=_WAIT)


def test_without_its_server_the_page_says_so_and_shows_no_price(env: dict[str, str], tmp_path: Path) -> None:
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge, chromium_page() as page:
        bridge.await_ready()
        page.goto(bridge.url)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        expect(page.get_by_test_id("connection")).to_be_visible(timeout=_WAIT)
        bridge.end(signal.SIGKILL)
        page.goto(bridge.url)
        expect(page.get_by_test_id("offline")).to_be_visible(timeout=_WAIT)
        assert page.locator("[data-testid^=price-]").count() == 0
