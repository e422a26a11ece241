"""Every view under axe-core in both themes, languages and palettes; on narrow screens; by keyboard; without motion."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
import urllib3
from playwright.sync_api import Page, expect

from tests.support.axe import Axe
from tests.support.browser import chromium_page
from tests.support.market import MINUTE, Market
from tests.support.programs import Running, service, until
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.core.model import AlertEvent, AnalyticsFigure, MarketEvent

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]

SYMBOLS = ("AAA", "BBB", "CCC")
RULE = {"name": "never", "kind": "price_level", "parameters": {"direction": "above", "level": 9_000}}
SILENCE = {"match": {"rule": "never", "symbol": ["AAA", "B*"]}, "for_seconds": 86_400, "by": "Ada", "comment": "known"}
_WAIT = 60_000
_THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
_PALETTES = ("green-red", "blue-orange")
_DESKTOP, _PHONE, _NARROW, _ZOOMED = (1440, 900), (390, 844), (320, 640), (720, 450)

Step = Callable[[Page], None]

_UNSEEN_FOCUS = """() => {
    const one = document.activeElement;
    if (one === document.body) return null;
    const ringed = one.matches('.options input') ? one.parentElement : one;
    const {outlineStyle, outlineWidth} = getComputedStyle(ringed);
    const {left, right, top, bottom} = ringed.getBoundingClientRect();
    const inside = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && inside ? null : one.outerHTML.slice(0, 200);
}"""
_RECORD_MOTION = """() => {
    window.moving = new Set();
    const look = () => {
        for (const one of document.getAnimations())
            if (one.playState === 'running') moving.add(one.animationName ?? one.transitionProperty ?? 'a flash');
        requestAnimationFrame(look);
    };
    look();
}"""


@pytest.fixture(scope="module")
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


def figures(now: int) -> list[AnalyticsFigure]:
    """Some of each shape that the view has: counts, lists, shares, a forecast; one of them old."""
    counts = {"advancers": 2.0, "decliners": 1.0, "unchanged": 0.0, "net_advances": 1.0, "up_volume": 3e6}
    parts = {"distance": 4.4, "return_share": 0.7, "volume_share": 0.3, "return_z": -4.0, "volume_z": 2.0}
    forecast = {"volatility": 1e-3, "naive": 2e-3, "qlike": 0.4, "naive_qlike": 0.5, "judged": 90.0, "beats_naive": 0.0}
    return [
        AnalyticsFigure("market", "breadth", now, "1d", counts),
        AnalyticsFigure("group:Energy", "breadth", now, "1d", counts),
        AnalyticsFigure("market", "gainers", now, "1d", {"AAA": 1.5, "BBB": 0.5}),
        AnalyticsFigure("market", "losers", now, "1d", {"CCC": -1.5}),
        AnalyticsFigure("market", "anomaly", now, "60m", parts),
        AnalyticsFigure("AAA", "anomaly", now, "60m", parts),
        AnalyticsFigure("AAA", "correlated", now, "30m", {"BBB": 0.5, "CCC": -0.5}),
        AnalyticsFigure("AAA", "trade_flow", now, "30m", {"imbalance": 0.5, "buy_volume": 3.0, "sell_volume": 1.0}),
        AnalyticsFigure("AAA", "trend", now - 10 * MINUTE, "30m", {"slope": 1e-4, "t_statistic": 3.0}),
        AnalyticsFigure("AAA", "forecast_ewma", now, "5m", forecast),
    ]


@pytest.fixture(scope="module")
def bridge(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over a market that moves, with alerts and events, a rule that never fires and a silence."""
    logs = tmp_path_factory.mktemp("logs")
    with (
        Tape(env, SYMBOLS) as tape,
        service("tickstream-alerting", env=env, log=logs / "alerting") as alerting,
        service(
            "tickstream-ws-bridge", env=env | {"WS_BRIDGE_ALERTING_URL": alerting.url}, log=logs / "bridge"
        ) as running,
    ):
        alerting.await_ready()
        for made, what in (("rules", RULE), ("silences", SILENCE)):
            assert urllib3.request("POST", f"{alerting.url}/api/v1/{made}", json=what, timeout=60.0).status == 201
        start = max(tape.log.bars)
        market = Market(env)
        market.publish(
            [
                AlertEvent("a1", "r1", "AAA", "firing", "critical", start, 101.0, 100.0, "AAA is above 100"),
                AlertEvent("a2", "r2", "BBB", "resolved", "info", start, 109.0, 110.0, "BBB is above 110"),
                MarketEvent("halt", start, symbol="CCC"),
                *figures(start),
            ]
        )
        running.await_ready()
        yield running


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


def opened(page: Page, bridge: Running, size: tuple[int, int], language: str = "en") -> None:
    """The page, with data in it."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{bridge.url}/offline.html")
    page.evaluate("(language) => localStorage.setItem('tickstream.language', language)", language)
    page.goto(f"{bridge.url}/?symbol=AAA&interval=1s&list=Mine*AAA*BBB&view=chart")
    expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
    expect(page.get_by_test_id("alerts").locator("li")).to_have_count(2, timeout=_WAIT)
    assert page.evaluate("document.documentElement.lang") == language


def key(name: str) -> Step:
    return lambda page: page.keyboard.press(name)


def click(name: str) -> Step:
    return lambda page: page.get_by_test_id(name).click()


def edit_lists(page: Page) -> None:
    """Keep the list that came with the link, if it isn't kept, and show what can be done with it."""
    if page.get_by_test_id("keep-list").is_visible():
        page.get_by_test_id("keep-list").click()
    page.get_by_test_id("edit-lists").click()
    expect(page.get_by_test_id("list-Mine")).to_be_visible()


def acknowledge(page: Page) -> None:
    page.locator("li[data-state=firing] .dealings button").first.click()
    expect(page.get_by_test_id("acknowledge-dialog")).to_be_visible()


def deal(place: int, dialog: str) -> Step:
    """Press one of the buttons of the alert that fires, from the last."""

    def step(page: Page) -> None:
        page.locator("li[data-state=firing] .dealings button").nth(-place).click()
        expect(page.get_by_test_id(dialog)).to_be_visible()

    return step


def write_an_expression(page: Page) -> None:
    """Of the kind that has a field of several lines, with its schedule, and something wrong with it."""
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog.locator("#rule-kind option")).not_to_have_count(1, timeout=_WAIT)
    dialog.locator("#rule-kind").select_option("expression")
    dialog.get_by_test_id("rule-schedule").locator("summary").click()
    dialog.locator("#rule-when").fill("close > 3 and rsy_14 < 30")
    page.get_by_test_id("rule-test").click()
    expect(dialog.locator("#rule-when-fault mark")).to_be_visible(timeout=_WAIT)


def see_versions(page: Page) -> None:
    page.get_by_test_id("rules").locator("li button").nth(1).click()
    expect(page.get_by_test_id("versions-dialog").locator("[data-version]")).to_have_count(1, timeout=_WAIT)


def see_silences(page: Page) -> None:
    page.get_by_test_id("alert-page-silences").click()
    expect(page.get_by_test_id("silences").locator("li")).to_have_count(1, timeout=_WAIT)


VIEWS: dict[str, tuple[Step, ...]] = {
    "chart": (),
    "tour": (key("g"),),
    "bars as a table": (key("Escape"), key("t")),
    "indicators": (key("t"), key("i")),
    "compare": (key("Escape"), key("c")),
    "save": (key("Escape"), key("e")),
    "settings": (key("Escape"), click("open-settings")),
    "help": (key("Escape"), key("?")),
    "new rule": (key("Escape"), key("a")),
    "a rule with a fault": (write_an_expression,),
    "acknowledge": (key("Escape"), acknowledge),
    "silence": (key("Escape"), deal(2, "silence-dialog")),
    "details": (key("Escape"), deal(1, "story-dialog")),
    "rules": (key("Escape"), click("alert-page-rules")),
    "versions of a rule": (see_versions,),
    "silences": (key("Escape"), see_silences),
    "filters": (click("alert-page-alerts"), click("alerts-filters-open"), click("activity-filters-open")),
    "paused": (key("p"),),
    "market as a table": (key("p"), key("m"), click("show-table")),
    "market as cards": (click("show-cards"),),
    "watchlists": (edit_lists,),
    "analytics": (key("Escape"), key("y")),
    "analytics explained": (click("explain"),),
    "system": (key("s"),),
}
PHONE_VIEWS: dict[str, tuple[Step, ...]] = {
    "chart": (),
    "list": (click("tab-market"),),
    "analytics": (click("tab-analytics"),),
    "analytics explained": (click("explain"),),
    "alerts": (click("tab-alerts"),),
    "silence": (deal(2, "silence-dialog"),),
    "details": (key("Escape"), deal(1, "story-dialog")),
    "rules": (key("Escape"), click("alert-page-rules")),
    "versions of a rule": (see_versions,),
    "silences": (key("Escape"), see_silences),
    "new rule": (click("new-rule"),),
    "a rule with a fault": (write_an_expression,),
    "system": (key("Escape"), click("tab-system")),
    "settings": (click("open-settings"),),
}
_TURNS = [(_DESKTOP, "en", VIEWS), (_DESKTOP, "de", VIEWS), (_PHONE, "en", PHONE_VIEWS), (_PHONE, "de", PHONE_VIEWS)]


@pytest.mark.parametrize(
    ("size", "language", "views"), _TURNS, ids=["English", "German", "English, phone", "German, phone"]
)
def test_axe_finds_no_violation_in_any_view_theme_and_palette(
    bridge: Running, page: Page, size: tuple[int, int], language: str, views: dict[str, tuple[Step, ...]]
) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    opened(page, bridge, size, language)
    axe = Axe(page)
    found: dict[str, list[str]] = {}
    for view, steps in views.items():
        for step in steps:
            step(page)
        for theme, palette in product(_THEMES, _PALETTES if language == "en" else _PALETTES[:1]):
            page.emulate_media(color_scheme=theme)
            page.evaluate("(palette) => { document.documentElement.dataset.palette = palette; }", palette)
            # Themes and palettes are other colours, and all else is the same.
            rules = [] if (theme, palette) == (_THEMES[0], _PALETTES[0]) else ["color-contrast"]
            found[f"{view}, {theme}, {palette}"] = axe.violations(*rules)
    assert {where: what for where, what in found.items() if what} == {}
    assert {"target-size", "color-contrast", "aria-required-children", "label"} <= axe.passed


@pytest.mark.parametrize("size", [_NARROW, _ZOOMED], ids=["320 px wide", "200 % zoom"])
def test_nothing_is_cut_off_or_scrolls_sideways(bridge: Running, page: Page, size: tuple[int, int]) -> None:
    opened(page, bridge, size)
    for name in ("market", "chart", "analytics", "alerts", "system"):
        if page.get_by_test_id(f"tab-{name}").is_visible():
            page.get_by_test_id(f"tab-{name}").click()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        wide = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, h2, .legend dd, .legend dt')]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
                .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert wide == [], name
        high = page.evaluate(
            """() => [...document.querySelectorAll('.panel')]
                .filter((one) => one.checkVisibility() && getComputedStyle(one).overflowY === 'visible')
                .filter((one) => one.scrollHeight > one.clientHeight + 1)
                .map((one) => one.className)"""
        )
        assert high == [], name


class Keys:
    """A keyboard and nothing else; after each key the focus must be in sight."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def press(self, *names: str) -> None:
        for name in names:
            self._page.keyboard.press(name)
            assert self._page.evaluate(_UNSEEN_FOCUS) is None, name

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def reach(self, name: str, way: str = "Tab") -> None:
        """Go to the element with this test id, from where the focus is."""
        for _ in range(120):
            if self._page.evaluate("document.activeElement.dataset.testid") == name:
                return
            self.press(way)
        raise AssertionError(f"{name} can't be reached by {way}")


def test_every_main_feature_is_reached_and_worked_by_keyboard_with_the_focus_in_sight(
    bridge: Running, page: Page
) -> None:
    opened(page, bridge, _DESKTOP)
    chart, keys = page.get_by_test_id("chart"), Keys(page)
    keys.press("ArrowDown")
    expect(chart).to_have_attribute("data-symbol", "BBB", timeout=_WAIT)
    _find_and_sort_symbols(page, keys)
    _work_the_chart(page, keys)
    _make_and_filter_alerts(page, keys)
    _choose_the_look(page, keys)
    _take_the_tour(page, keys)
    keys.reach("analytics-switch", "Shift+Tab")
    keys.press("Enter")
    keys.reach("explain")
    keys.press("Enter")
    keys.reach("analytics-symbol")
    keys.reach("system-switch", "Shift+Tab")
    keys.press("Enter")
    expect(page.locator(".system")).to_be_visible()
    keys.press("s")
    expect(chart).to_be_visible()


def _find_and_sort_symbols(page: Page, keys: Keys) -> None:
    keys.press("/")
    keys.type("aa")
    expect(page.get_by_test_id("card-BBB")).to_be_hidden()
    for _ in "aa":
        keys.press("Backspace")
    keys.press("Escape", "m")
    keys.reach("show-table")
    keys.press("Enter")
    keys.reach("card-BBB")
    keys.press("*")
    expect(page.get_by_test_id("card-BBB").get_by_role("button")).to_have_attribute("aria-pressed", "true")
    keys.press("*", "ArrowUp", "Enter")
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "AAA", timeout=_WAIT)


def _work_the_chart(page: Page, keys: Keys) -> None:
    chart = page.get_by_test_id("chart")
    expect(chart).to_have_attribute("data-phase", "ready", timeout=_WAIT)
    keys.reach("timeframe-1m")
    keys.press("Enter")
    expect(chart).to_have_attribute("data-interval", "1m", timeout=_WAIT)
    keys.press("1")
    expect(chart).to_have_attribute("data-interval", "1s", timeout=_WAIT)
    keys.reach("studies-open")
    keys.press("Enter")
    keys.type("rsi")
    keys.press("Enter", "Escape")
    keys.press("c")
    keys.type("bbb")
    keys.press("Enter")
    expect(page.get_by_test_id("legend").locator("[data-name=rival]")).to_be_visible(timeout=_WAIT)
    keys.reach("stage")
    width = int(chart.get_attribute("data-visible") or 0)
    keys.press("ArrowLeft", "Shift+ArrowLeft", "Home", "End", *"+" * 10)
    until(lambda: int(chart.get_attribute("data-visible") or 0) < width, "plus doesn't zoom")
    keys.reach("table-toggle", "Shift+Tab")
    keys.press("Enter")
    expect(page.locator(".bars-table")).to_be_visible()
    keys.press("t", "e", "Escape", "p")
    expect(page.locator("#app")).to_have_attribute("data-paused", "")
    keys.press("p")


def _make_and_filter_alerts(page: Page, keys: Keys) -> None:
    keys.reach("new-rule")
    keys.press("Enter")
    expect(page.get_by_test_id("rule-dialog")).to_be_visible()
    keys.press("Tab", "Tab", "Escape")
    expect(page.get_by_test_id("rule-dialog")).to_be_hidden()
    keys.reach("alerts-filters-open")
    keys.press("Enter", "Tab", "ArrowDown", "ArrowDown")
    expect(page.get_by_test_id("alerts").locator("li")).to_have_count(1)
    keys.press("ArrowUp", "ArrowUp")
    expect(page.get_by_test_id("alerts").locator("li")).to_have_count(2)
    keys.reach("save-activity")


def _choose_the_look(page: Page, keys: Keys) -> None:
    keys.reach("open-settings", "Shift+Tab")
    keys.press("Enter")
    dialog = page.get_by_test_id("settings")
    while not dialog.get_by_label("Light").evaluate("(one) => one.name === document.activeElement.name"):
        keys.press("Tab")
    keys.press("ArrowRight", "ArrowRight")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    keys.press("ArrowLeft", "ArrowLeft", "Escape")
    expect(page.locator("html")).to_have_attribute("data-theme", "system")


def _take_the_tour(page: Page, keys: Keys) -> None:
    keys.reach("open-help")
    keys.press("Enter")
    keys.reach("take-tour")
    keys.press("Enter")
    for step in range(1, 5):
        expect(page.get_by_test_id("tour")).to_contain_text(f"{step} of 4")
        expect(page.get_by_test_id("tour-next")).to_be_focused()
        page.keyboard.press("Enter")
    expect(page.get_by_test_id("tour")).to_be_hidden()


def test_nothing_moves_for_those_who_want_no_motion(bridge: Running, page: Page) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    opened(page, bridge, _DESKTOP)
    page.evaluate(_RECORD_MOTION)
    for steps in VIEWS.values():
        for step in steps:
            step(page)
        _wait_for_news(page)
    assert page.evaluate("[...moving]") == []
    page.emulate_media(reduced_motion="no-preference")
    page.keyboard.press("s")
    # Playwright's own waiting evaluates a text in the page, which the page's policy forbids.
    until(lambda: page.evaluate("moving.has('a flash')"), "no price flashes")


def _wait_for_news(page: Page) -> None:
    """Until a price on screen, or out of sight, is another."""
    page.evaluate("() => { window.pricesThen = document.querySelector('.price')?.textContent; }")
    came = (
        "document.querySelector('#app').hasAttribute('data-paused')"
        " || ['system', 'analytics'].includes(document.querySelector('#app').dataset.tab)"
        " || document.querySelector('.price')?.textContent !== window.pricesThen"
    )
    until(lambda: page.evaluate(came), "no other price")


def test_what_is_old_stays_legible(env: dict[str, str], page: Page, tmp_path: Path, bridge: Running) -> None:
    assert bridge.ready()
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as other:
        other.await_ready()
        opened(page, other, _DESKTOP)
        other.end(signal.SIGKILL)
        expect(page.locator("#app")).to_have_attribute("data-stale", "", timeout=_WAIT)
        axe = Axe(page)
        for theme in _THEMES:
            page.emulate_media(color_scheme=theme)
            assert axe.violations() == [], theme
