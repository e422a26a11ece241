"""The whole market at a glance: five hundred symbols, in any order, in lists of one's own, and links to all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import chromium_page
from tests.support.market import Market, bar, tick
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tickstream.core.model import Record

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT: Final = 60_000
_COUNT: Final = 500
_BUSY: Final = "S123"
_COUNT_FLASHES: Final = """() => {
    const { animate } = Element.prototype;
    window.flashes = 0;
    Element.prototype.animate = function (...how) { window.flashes += 1; return animate.apply(this, how); };
}"""
_MEMORY: Final = "tickstream.market"


def name_of(place: int) -> str:
    return f"S{place:03}"


def price_of(place: int) -> float:
    """Each symbol has a price of its own, in another order than that of the names."""
    return 10 + (place * 7) % _COUNT


@pytest.fixture(scope="module")
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


@pytest.fixture(scope="module")
def market(env: dict[str, str]) -> Market:
    """A market that stands still; one symbol of it was traded more than the others."""
    records: list[Record] = [tick(name_of(place), 1, price_of(place)) for place in range(_COUNT)]
    records += [bar(_BUSY, number) for number in range(5)]
    market = Market(env)
    market.publish(records)
    return market


@pytest.fixture(scope="module")
def bridge(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("bridge") / "log"
    with service("tickstream-ws-bridge", env=env, log=log) as running:
        running.await_ready()
        yield running


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with chromium_page() as page:
        page.set_default_timeout(_WAIT)
        yield page


@pytest.fixture
def page(bridge: Running, browser_page: Page) -> Page:
    """The whole market, as someone sees it who was never here."""
    browser_page.set_viewport_size({"width": 1440, "height": 900})
    browser_page.goto(f"{bridge.url}/healthz")
    browser_page.evaluate("localStorage.clear()")
    opened(browser_page, f"{bridge.url}/?view=market")
    return browser_page


def opened(page: Page, url: str) -> None:
    page.goto(url)
    expect(rows(page).first).to_be_visible(timeout=_WAIT)


def rows(page: Page) -> Locator:
    return page.locator("[role=row][data-symbol]")


def first_names(page: Page, count: int) -> list[str | None]:
    return [rows(page).nth(place).get_attribute("data-symbol") for place in range(count)]


def expect_first(page: Page, *names: str) -> None:
    for place, name in enumerate(names):
        expect(rows(page).nth(place)).to_have_attribute("data-symbol", name, timeout=_WAIT)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def make_list(page: Page, name: str, symbols: str) -> None:
    page.get_by_test_id("edit-lists").click()
    page.get_by_label("New watchlist").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_label(f"Add symbols to “{name}”")).to_be_focused()
    page.keyboard.type(symbols)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id(f"list-{name}").locator("li")).to_have_count(len(symbols.split(",")))
    page.get_by_role("dialog").get_by_role("button", name="Close").click()


def test_five_hundred_symbols_are_there_while_the_document_holds_a_screenful(page: Page) -> None:
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-rowcount", str(_COUNT + 1), timeout=_WAIT)
    assert rows(page).count() < 60
    first = rows(page).first
    expect(first).to_have_attribute("aria-rowindex", "2")
    page.get_by_test_id("card-S000").focus()
    page.keyboard.press("End")
    last = page.get_by_test_id("card-S499")
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()
    expect(last).to_have_attribute("aria-rowindex", str(_COUNT + 1))
    assert rows(page).count() < 60
    page.keyboard.press("PageUp")
    expect(last).not_to_be_focused()
    page.keyboard.press("Home")
    expect(page.get_by_test_id("card-S000")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("card-S001")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(page.get_by_test_id("chart")).to_have_attribute("data-symbol", "S001")


def test_scrolling_shows_every_row_where_it_belongs(page: Page) -> None:
    page.locator(".market-scroller").evaluate("one => { one.scrollTop = one.scrollHeight / 2 }")
    middle = page.get_by_test_id("card-S250")
    expect(middle).to_be_in_viewport(timeout=_WAIT)
    expect(page.get_by_test_id("price-S250")).to_have_attribute("data-value", f"{price_of(250):g}")
    above, below = (page.get_by_test_id(f"card-S{place}").bounding_box() for place in (250, 251))
    assert above is not None
    assert below is not None
    assert below["y"] == pytest.approx(above["y"] + above["height"], abs=1)


def test_titles_sort_with_the_mouse_and_with_the_keyboard(page: Page) -> None:
    by_price = sorted(range(_COUNT), key=price_of)
    title = page.get_by_test_id("sort-price")
    title.click()
    expect_first(page, name_of(by_price[-1]), name_of(by_price[-2]))
    expect(page.get_by_role("columnheader", name="Last", exact=True)).to_have_attribute("aria-sort", "descending")
    title.press("Enter")
    expect_first(page, name_of(by_price[0]), name_of(by_price[1]))
    assert query(page)["sort"] == ["price"]


def test_the_filter_finds_and_says_so_when_it_does_not(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("49")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "16", timeout=_WAIT)
    assert {name for name in first_names(page, 3) if name and "49" in name}
    page.keyboard.type("xyz")
    expect(page.get_by_text("No symbol matches.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(_COUNT + 1))
    page.get_by_test_id("kind").select_option("idle")
    expect(page.get_by_test_id("card-S000")).to_have_count(0)


def test_pins_stay_on_top_and_come_back(page: Page) -> None:
    page.get_by_role("button", name="Pin S007 to the top").click()
    expect_first(page, "S007", "S000")
    page.get_by_test_id("card-S001").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("*")
    expect_first(page, "S002", "S007", "S000")
    page.reload()
    expect_first(page, "S002", "S007", "S000")
    page.get_by_role("button", name="Pin S002 to the top").click()
    expect_first(page, "S007", "S000")


def test_watchlists_are_made_renamed_kept_and_deleted(page: Page) -> None:
    make_list(page, "Mine", "s010, s020, s030")
    expect_first(page, "S010", "S020", "S030")
    page.reload()
    expect_first(page, "S010", "S020", "S030")
    page.get_by_test_id("edit-lists").click()
    page.get_by_role("button", name="Remove S020 from “Mine”").click()
    name = page.get_by_label("Name of “Mine”")
    name.fill("Yours")
    name.press("Enter")
    expect(page.get_by_test_id("list")).to_have_value("Yours")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(rows(page)).to_have_count(2)
    page.get_by_test_id("edit-lists").click()
    page.get_by_role("button", name="Delete “Yours”").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(_COUNT + 1))


def test_a_memory_that_is_broken_or_full_leaves_the_page_whole(page: Page) -> None:
    for kept in ("{", '{"lists": [{"name": 7}], "pinned": {}, "sort": "up", "layout": 3}'):
        page.evaluate("([key, kept]) => localStorage.setItem(key, kept)", [_MEMORY, kept])
        page.reload()
        expect_first(page, "S000", "S001")
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') } }"
    )
    page.get_by_role("button", name="Pin S005 to the top").click()
    expect_first(page, "S005", "S000")


def test_a_link_shows_another_what_one_sees(page: Page) -> None:
    make_list(page, "Mine", "s010,s020")
    page.get_by_test_id("sort-price").click()
    expect_first(page, *sorted(("S010", "S020"), key=lambda name: -price_of(int(name[1:]))))
    page.get_by_test_id("card-S020").focus()
    page.keyboard.press("*")
    page.wait_for_url("**sort=-price**")
    link = page.url
    page.evaluate("localStorage.clear()")
    opened(page, link)
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "3")
    expect(page.locator("#app")).to_have_attribute("data-tab", "market")
    assert "Mine" in (page.get_by_test_id("list").text_content() or "")
    page.get_by_test_id("keep-list").click()
    expect(page.get_by_test_id("list")).to_have_value("Mine")
    page.get_by_test_id("list").select_option("")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(_COUNT + 1))


def test_cards_fill_the_width_and_are_walked_through_both_ways(page: Page) -> None:
    page.get_by_test_id("show-cards").click()
    first, second = page.get_by_test_id("card-S000"), page.get_by_test_id("card-S001")
    boxes = first.bounding_box(), second.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    first.focus()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    columns = round(1440 / boxes[0]["width"])
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id(f"card-{name_of(1 + columns)}")).to_be_focused()
    page.reload()
    expect(page.locator(".market-scroller")).to_have_attribute("data-shape", "cards")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_page_opens_on_what_is_traded_most_unless_told_otherwise(bridge: Running, page: Page) -> None:
    opened(page, bridge.url)
    chart = page.get_by_test_id("chart")
    expect(chart).to_have_attribute("data-symbol", _BUSY, timeout=_WAIT)
    page.get_by_test_id(f"card-{_BUSY}").focus()
    page.keyboard.press("ArrowDown")
    expect(chart).to_have_attribute("data-symbol", "S124")
    opened(page, bridge.url)
    expect(chart).to_have_attribute("data-symbol", "S124", timeout=_WAIT)
    opened(page, f"{bridge.url}/?symbol=S300&interval=5m")
    expect(chart).to_have_attribute("data-symbol", "S300")
    expect(chart).to_have_attribute("data-interval", "5m")


def test_the_tour_goes_step_by_step_and_does_not_return(page: Page) -> None:
    tour = page.get_by_test_id("tour")
    expect(tour).to_contain_text("1 of 4", timeout=_WAIT)
    page.get_by_test_id("tour-next").press("Enter")
    expect(tour).to_contain_text("2 of 4")
    expect(page.get_by_test_id("chart")).to_be_visible()
    page.reload()
    expect(tour).to_contain_text("1 of 4", timeout=_WAIT)
    page.get_by_test_id("tour-next").focus()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    page.reload()
    expect(rows(page).first).to_be_visible(timeout=_WAIT)
    expect(tour).to_be_hidden()


def test_the_tour_is_taken_again_from_the_help_or_by_a_key(page: Page) -> None:
    tour, following = page.get_by_test_id("tour"), page.get_by_test_id("tour-next")
    page.get_by_test_id("tour-skip").click(timeout=_WAIT)
    expect(tour).to_be_hidden()
    page.keyboard.press("?")
    page.get_by_test_id("take-tour").press("Enter")
    expect(tour).to_contain_text("1 of 4")
    expect(page.get_by_test_id("chart")).to_be_visible()
    expect(following).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Enter")
    expect(tour).to_be_hidden()
    page.keyboard.press("g")
    expect(tour).to_contain_text("1 of 4")
    expect(following).to_be_focused()
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    page.reload()
    expect(rows(page).first).to_be_visible(timeout=_WAIT)
    expect(tour).to_be_hidden()


@pytest.mark.parametrize(("motion", "flashes"), [("no-preference", True), ("reduce", False)])
def test_a_change_flashes_but_not_for_those_who_want_no_motion(
    page: Page, market: Market, motion: Literal["no-preference", "reduce"], flashes: bool
) -> None:
    page.emulate_media(reduced_motion=motion)
    page.reload()
    price = page.get_by_test_id("price-S000")
    expect(price).to_be_visible(timeout=_WAIT)
    page.evaluate(_COUNT_FLASHES)
    before = float(price.get_attribute("data-value") or 0)
    market.publish([tick("S000", 2, before + 1)])
    expect(price).to_have_attribute("data-value", f"{before + 1:g}", timeout=_WAIT)
    assert (page.evaluate("window.flashes") > 0) is flashes
