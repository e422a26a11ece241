"""Every view in both themes under axe-core, on narrow screens, and by keyboard alone."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.market import Market
from tests.support.node import installed
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.core.model import AlertEvent, MarketEvent

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

SYMBOLS = ("AAA", "BBB", "CCC")
_WAIT = 60_000
_THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
_DESKTOP, _PHONE, _NARROW, _ZOOMED = (1440, 900), (390, 844), (320, 640), (720, 450)

_FOCUS_IS_SEEN = """() => document.activeElement === document.body
    || getComputedStyle(document.activeElement).outlineStyle !== 'none'"""


@pytest.fixture(scope="module")
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


@pytest.fixture(scope="module")
def bridge(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over a market that moves, with alerts and events."""
    log = tmp_path_factory.mktemp("bridge") / "log"
    with Tape(env, SYMBOLS) as tape, service("tickstream-ws-bridge", env=env, log=log) as running:
        start = max(tape.log.bars)
        market = Market(env)
        market.publish(
            [
                AlertEvent("a1", "r1", "AAA", "firing", "critical", start, 101.0, 100.0, "AAA is above 100"),
                AlertEvent("a2", "r2", "BBB", "resolved", "info", start, 109.0, 110.0, "BBB is above 110"),
                MarketEvent("halt", start, symbol="CCC"),
            ]
        )
        running.await_ready()
        yield running


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


def opened(page: Page, bridge: Running, size: tuple[int, int], query: str = "") -> None:
    """The page, with data in it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{bridge.url}/?symbol=AAA&interval=1s{query}")
    expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
    expect(page.get_by_test_id("alerts").locator("li")).to_have_count(2, timeout=_WAIT)


def violations(page: Page) -> list[str]:
    """What axe-core finds, each with the elements that it finds it in."""
    page.evaluate((installed() / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(({violations}) => violations)")
    return [f"{one['id']}: {[node['html'][:160] for node in one['nodes']][:4]}" for one in found]


def tab(name: str) -> Callable[[Page], None]:
    """Turns to a view of the phone's layout."""
    return lambda page: page.get_by_test_id(f"tab-{name}").click()


def edit_lists(page: Page) -> None:
    """Keep the list that came with the link, if it isn't kept, and show what can be done with it."""
    if page.get_by_test_id("keep-list").is_visible():
        page.get_by_test_id("keep-list").click()
    page.get_by_test_id("edit-lists").click()
    expect(page.get_by_test_id("list-Mine")).to_be_visible()


def in_german(page: Page) -> None:
    """The same page in its other language; the choice isn't kept for the tests that follow."""
    page.evaluate("localStorage.setItem('tickstream.language', 'de')")
    page.reload()
    expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
    assert page.evaluate("document.documentElement.lang") == "de"
    page.evaluate("localStorage.removeItem('tickstream.language')")


VIEWS: dict[str, tuple[tuple[int, int], str, Callable[[Page], None]]] = {
    "market": (_DESKTOP, "", lambda _page: None),
    "the whole market": (_DESKTOP, "&view=market", lambda page: page.get_by_test_id("show-table").click()),
    "the whole market, cards": (_DESKTOP, "&view=market", lambda page: page.get_by_test_id("show-cards").click()),
    "watchlists": (_DESKTOP, "&view=market&list=Mine*AAA*BBB", edit_lists),
    "bars as a table": (_DESKTOP, "", lambda page: page.get_by_test_id("table-toggle").click()),
    "settings": (_DESKTOP, "", lambda page: page.get_by_test_id("open-settings").click()),
    "new rule": (_DESKTOP, "", lambda page: page.keyboard.press("a")),
    "alerts' filter": (_DESKTOP, "", lambda page: page.get_by_test_id("alerts-filters-open").click()),
    "paused": (_DESKTOP, "", lambda page: page.keyboard.press("p")),
    "German": (_DESKTOP, "", in_german),
    "help": (_DESKTOP, "", lambda page: page.keyboard.press("?")),
    "system": (_DESKTOP, "&view=system", lambda _page: None),
    "phone, list": (_PHONE, "", tab("market")),
    "phone, chart": (_PHONE, "", lambda _page: None),
    "phone, alerts": (_PHONE, "", tab("alerts")),
    "phone, system": (_PHONE, "", tab("system")),
}


@pytest.mark.parametrize("theme", _THEMES)
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(bridge: Running, page: Page, view: str, theme: Literal["dark", "light"]) -> None:
    size, query, turn = VIEWS[view]
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    opened(page, bridge, size, query)
    turn(page)
    assert violations(page) == []


@pytest.mark.parametrize("size", [_NARROW, _ZOOMED], ids=["320 px wide", "200 % zoom"])
def test_nothing_is_cut_off_or_scrolls_sideways(bridge: Running, page: Page, size: tuple[int, int]) -> None:
    opened(page, bridge, size)
    for name in ("market", "chart", "alerts", "system"):
        if page.get_by_test_id(f"tab-{name}").is_visible():
            page.get_by_test_id(f"tab-{name}").click()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        wide = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, h2, .legend dd, .legend dt')]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
                .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert wide == [], name


def test_everything_is_reached_and_worked_by_keyboard(bridge: Running, page: Page) -> None:
    opened(page, bridge, _DESKTOP)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "BBB", timeout=_WAIT)
    page.keyboard.press("/")
    page.keyboard.type("cc")
    expect(page.get_by_test_id("card-AAA")).to_be_hidden()
    page.get_by_label("Filter symbols").fill("")
    page.keyboard.press("Escape")
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.testid ?? document.activeElement.ariaLabel ?? ''"))
        assert page.evaluate(_FOCUS_IS_SEEN), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert {"card-BBB", "timeframe-1m", "table-toggle", "open-settings", "open-help", "system-switch"} <= reached
    assert {"pause", "new-rule", "alerts-filters-open", "activity-filters-open", "save-activity"} <= reached
    page.get_by_test_id("timeframe-1d").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chart")).to_have_attribute("data-interval", "1d", timeout=_WAIT)


@pytest.mark.parametrize("theme", _THEMES)
def test_what_is_old_stays_legible(
    env: dict[str, str], page: Page, tmp_path: Path, theme: Literal["dark", "light"], bridge: Running
) -> None:
    assert bridge.ready()
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as other:
        other.await_ready()
        opened(page, other, _DESKTOP)
        other.end(signal.SIGKILL)
        expect(page.locator("#app")).to_have_attribute("data-stale", "", timeout=_WAIT)
        assert violations(page) == []
