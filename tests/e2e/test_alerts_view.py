"""Alerts in the page: a rule from the chart, its alert announced, acknowledged for all, found again by the filters."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.programs import Running, must, service, until
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.alerting.spec import KINDS

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT = 90_000


@pytest.fixture(scope="module")
def bridge(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over a market that moves, with alerting behind it."""
    logs = tmp_path_factory.mktemp("logs")
    with (
        isolated(servers) as env,
        Tape(env, ("AAA", "BBB")),
        service("tickstream-alerting", env=env, log=logs / "alerting") as alerting,
    ):
        alerting.await_ready()
        settings = env | {"WS_BRIDGE_ALERTING_URL": alerting.url}
        with service("tickstream-ws-bridge", env=settings, log=logs / "bridge") as running:
            running.await_ready()
            yield running


@pytest.fixture
def page(bridge: Running) -> Iterator[Page]:
    with chromium_page() as page:
        page.goto(f"{bridge.url}/?symbol=AAA&interval=1s")
        expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        yield page


def test_a_rule_made_on_the_chart_fires_and_is_acknowledged_for_everyone(bridge: Running, page: Page) -> None:
    _make_rule(page)
    alert = page.get_by_test_id("alerts").locator("li[data-state=firing]").first
    expect(alert).to_contain_text("beyond everything", timeout=_WAIT)
    expect(page.get_by_test_id("alert-voice")).to_have_text(re.compile("AAA"), timeout=_WAIT)
    _acknowledge(page)
    browser = page.context.browser
    assert browser is not None
    other = browser.new_page()
    other.goto(bridge.url)
    expect(other.get_by_test_id("alerts").locator("li").first).to_contain_text("Ada", timeout=_WAIT)
    other.close()
    _filter(page)


def test_a_rule_begins_at_the_price_under_the_pointer(page: Page) -> None:
    page.keyboard.press("p")
    page.get_by_test_id("table-toggle").click()
    prices = [float(cell) for cell in page.locator(".bars-table td:is(:nth-child(3), :nth-child(4))").all_inner_texts()]
    page.get_by_test_id("table-toggle").click()
    levels = [_level_at(page, height) for height in (0.4, 0.3, 0.2, 0.1)]
    steps = [upper - lower for lower, upper in pairwise(levels)]
    assert min(steps) > 0
    assert steps == pytest.approx([steps[0]] * 3, abs=0.0201)
    assert levels[-1] > sum(prices) / len(prices) > levels[-1] - steps[0] * 10
    _right_click(page, 0.98)
    expect(page.get_by_test_id("rule-dialog")).to_be_hidden()
    _right_click(page, 0.1)
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog.locator("#rule-symbols")).to_have_value("AAA")
    dialog.locator("#rule-name").fill("by the pointer")
    dialog.locator("#rule-name").press("Enter")
    expect(dialog).to_be_hidden(timeout=_WAIT)
    page.get_by_test_id("alert-page-rules").click()
    rule = page.get_by_test_id("rules").locator("li").filter(has_text="by the pointer")
    now = float(page.get_by_test_id("price-AAA").get_attribute("data-value") or 0)
    side = "below" if levels[-1] < now else "above"
    expect(rule).to_contain_text(f"price {side} {levels[-1]:g}", timeout=_WAIT)


def _right_click(page: Page, height: float) -> None:
    """On the chart, so far down."""
    box = page.get_by_test_id("stage").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] * height, button="right")


def _level_at(page: Page, height: float) -> float:
    """The price that a rule begins with there."""
    _right_click(page, height)
    level = float(page.get_by_test_id("rule-dialog").locator("#rule-level").input_value())
    page.keyboard.press("Escape")
    return level


@pytest.mark.parametrize("key", ["a", "Shift+F10"])
def test_by_keyboard_a_rule_begins_at_the_bar_that_is_chosen(page: Page, key: str) -> None:
    page.keyboard.press("p")
    page.get_by_test_id("stage").focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    close = page.get_by_test_id("legend").locator("[data-name=C] dd").inner_text()
    page.keyboard.press(key)
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("#rule-level")).to_have_value(close)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_test_id("stage")).to_be_focused()


def test_a_key_that_may_only_read_is_offered_no_more(servers: Servers, tmp_path: Path) -> None:
    with (
        isolated(servers) as env,
        Tape(env, ("AAA",)),
        service("tickstream-alerting", env=env, log=tmp_path / "alerting") as alerting,
    ):
        alerting.await_ready()
        key = json.loads(must("tickstream", "keys", "create", "wall", "--write", "--json", env=env))
        settings = env | {"WS_BRIDGE_ALERTING_URL": alerting.url, "WS_BRIDGE_AUTH": "key"}
        with service("tickstream-ws-bridge", env=settings, log=tmp_path / "log") as bridge, chromium_page() as page:
            bridge.await_ready()
            page.add_init_script(f"sessionStorage.setItem('tickstream.apiKey', '{key['key']}')")
            _open(page, bridge)
            _make_rule(page)
            alert = page.get_by_test_id("alerts").locator("li[data-state=firing]").first
            expect(alert.get_by_role("button", name=re.compile("Acknowledge"))).to_be_visible(timeout=_WAIT)
            alert.get_by_role("button", name=re.compile("Acknowledge")).click()
            must("tickstream", "keys", "change", key["id"], "--read-only", env=env)
            until(lambda: not _may_write(bridge, key["key"]), bridge.log)
            _refused(page)
            _try_only(page)
            _open(page, bridge)
            expect(page.get_by_test_id("alerts").locator("li[data-state=firing]")).to_have_count(1, timeout=_WAIT)
            for offered in ("Acknowledge", "Silence: "):
                expect(page.get_by_role("button", name=re.compile(offered))).to_have_count(0)
            page.get_by_test_id("alert-page-rules").click()
            page.get_by_role("button", name=re.compile("Versions of")).click()
            expect(page.get_by_test_id("versions-dialog").locator("[data-version]")).to_have_count(1, timeout=_WAIT)
            expect(page.get_by_role("button", name=re.compile("Restore"))).to_have_count(0)


def _may_write(bridge: Running, key: str) -> bool:
    request = urllib.request.Request(f"{bridge.url}/api/v1/access", headers={"X-API-Key": key})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bool(json.load(answer)["write"])


def _open(page: Page, bridge: Running) -> None:
    page.goto(f"{bridge.url}/?symbol=AAA&interval=1s")
    expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)


def _refused(page: Page) -> None:
    """What was offered before the leave was taken is refused, in words."""
    dialog = page.get_by_test_id("acknowledge-dialog")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog.get_by_role("alert")).to_have_text("This API key may only read.", timeout=_WAIT)
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("alerts").get_by_role("button", name=re.compile("Acknowledge"))).to_have_count(
        0, timeout=_WAIT
    )


def _try_only(page: Page) -> None:
    """A rule can be tried by whoever reads, but neither saved nor, by Enter, sent."""
    page.keyboard.press("a")
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog.get_by_test_id("rule-read-only")).to_be_visible()
    expect(dialog.locator("#rule-kind option")).to_have_count(len(KINDS), timeout=_WAIT)
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    dialog.locator("#rule-mode").select_option("level")
    dialog.locator("#rule-level").fill("0.01")
    page.get_by_test_id("rule-test").click()
    expect(page.get_by_test_id("rule-findings").locator("li")).to_have_count(1, timeout=_WAIT)
    dialog.get_by_role("button", name="Cancel").click()


def _make_rule(page: Page) -> None:
    """By keyboard; what is wrong with it is said beside its field."""
    page.keyboard.press("a")
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("#rule-kind option")).to_have_count(len(KINDS), timeout=_WAIT)
    dialog.locator("#rule-name").fill("beyond everything")
    dialog.locator("#rule-mode").select_option("level")
    dialog.locator("#rule-direction").select_option("above")
    dialog.locator("#rule-level").fill("-1")
    dialog.locator("#rule-level").press("Enter")
    expect(dialog.locator("#rule-level-fault")).not_to_be_empty(timeout=_WAIT)
    dialog.locator("#rule-level").fill("0.01")
    page.get_by_test_id("rule-test").click()
    expect(page.get_by_test_id("rule-findings").locator("li")).to_have_count(1, timeout=_WAIT)
    dialog.locator("#rule-level").press("Enter")
    expect(dialog).to_be_hidden(timeout=_WAIT)


def _acknowledge(page: Page) -> None:
    page.get_by_test_id("alerts").get_by_role("button", name=re.compile("Acknowledge")).first.click()
    dialog = page.get_by_test_id("acknowledge-dialog")
    dialog.locator("input[name=name]").fill("Ada")
    dialog.locator("input[name=comment]").fill("on it")
    dialog.locator("input[name=comment]").press("Enter")
    expect(page.get_by_test_id("alerts").locator("li").first).to_contain_text("Ada", timeout=_WAIT)
    expect(page.get_by_test_id("alerts").locator("li").first).to_contain_text("on it")


def _filter(page: Page) -> None:
    page.get_by_test_id("alerts-filters-open").click()
    page.get_by_role("search", name="Search alerts").get_by_label("Severity").select_option("critical")
    expect(page.get_by_test_id("alerts").locator("li")).to_have_count(0, timeout=_WAIT)
    page.get_by_role("button", name="Clear the filter").click()
    page.get_by_role("searchbox", name="Search alerts").fill("beyond")
    expect(page.get_by_test_id("alerts").locator("li")).not_to_have_count(0, timeout=_WAIT)
    page.get_by_test_id("alert-page-rules").click()
    expect(page.get_by_test_id("rules").locator("li")).to_have_count(1)
