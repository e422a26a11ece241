"""Notices of the system and sounds, by consent, in a browser that has both."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.market import Market
from tests.support.programs import Running, service, until
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.core.model import AlertEvent

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT = 60_000

# Writes down what the page does with the browser's own notices and sounds, and lets the browser do it.
# While it is `asleep` nobody sees the page: it gets no frames.
_RECORDER = """(() => {
    Object.assign(window, {asked: [], notices: [], notes: 0, asleep: false});
    const bound = (target, name) => {
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
    };
    window.Notification = new Proxy(window.Notification, {
        construct(target, given) {
            const notice = new target(...given);
            const shown = {title: notice.title, body: notice.body, tag: notice.tag, happened: ''};
            notice.addEventListener('show', () => { shown.happened = 'shown'; });
            notice.addEventListener('error', () => { shown.happened = 'refused'; });
            notices.push(shown);
            return notice;
        },
        get(target, name) {
            if (name !== 'requestPermission') return bound(target, name);
            return () => {
                asked.push(navigator.userActivation.isActive);
                return target.requestPermission();
            };
        },
    });
    window.AudioContext = class extends window.AudioContext {
        createOscillator() {
            window.notes += 1;
            return super.createOscillator();
        }
    };
    const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (callback) => window.asleep ? 0 : frame(callback);
    for (const [name, value] of [['visibilityState', 'hidden'], ['hidden', true]]) {
        const own = Object.getOwnPropertyDescriptor(Document.prototype, name).get;
        Object.defineProperty(document, name, {get: () => window.asleep ? value : own.call(document)});
    }
})()"""


@pytest.fixture(scope="module")
def market(servers: Servers) -> Iterator[tuple[Market, dict[str, str]]]:
    with isolated(servers) as env, Tape(env, ("AAA",)):
        yield Market(env), env


@pytest.fixture(scope="module")
def bridge(market: tuple[Market, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("bridge") / "log"
    with service("tickstream-ws-bridge", env=market[1], log=log) as running:
        running.await_ready()
        yield running


class Alerts:
    """Alerts that fire in the market, one after the other."""

    numbers = count(1)

    def __init__(self, market: Market, page: Page) -> None:
        self._market = market
        self._page = page

    def fire(self, revisions: int = 1) -> str:
        """One more, some times over, once the page has told of it; gives what it is about."""
        number = next(self.numbers)
        summary = f"number {number} is reached"
        now = time.time_ns()
        self._market.publish(
            [
                AlertEvent(f"a{number}", "r1", "AAA", "firing", "critical", now, 1.0, 1.0, summary, revision=revision)
                for revision in range(revisions)
            ]
        )
        expect(self._page.get_by_test_id("alert-voice")).to_have_text(re.compile(summary), timeout=_WAIT)
        return summary

    def notices(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._page.evaluate("notices")
        return found

    def notes(self) -> int:
        return int(self._page.evaluate("notes"))


@contextmanager
def watched(bridge: Running, permissions: Sequence[str]) -> Iterator[Page]:
    """A page of a user who grants the site what is named, and nothing else."""
    with chromium_page() as first:
        browser = first.context.browser
        assert browser is not None
        context = browser.new_context(viewport={"width": 1440, "height": 900}, permissions=list(permissions))
        context.add_init_script(_RECORDER)
        page = context.new_page()
        page.goto(f"{bridge.url}/?symbol=AAA&interval=1s")
        await_live(page)
        yield page
        context.close()


def await_live(page: Page) -> None:
    expect(page.locator("#app")).to_have_attribute("data-connection", "live", timeout=_WAIT)


def choose(page: Page, *names: str) -> None:
    """Turn these choices of the settings over."""
    page.get_by_test_id("open-settings").click()
    for name in names:
        page.get_by_test_id(name).click()
    page.keyboard.press("Escape")


def test_notices_and_sounds_come_once_an_alert_and_by_consent_only(
    bridge: Running, market: tuple[Market, dict[str, str]]
) -> None:
    with watched(bridge, ["notifications"]) as page:
        alerts = Alerts(market[0], page)
        alerts.fire()
        assert (page.evaluate("asked"), alerts.notices(), alerts.notes()) == ([], [], 0)

        choose(page, "notify")
        assert page.evaluate("asked") == [True]
        summary = alerts.fire(revisions=3)
        assert [(one["title"], one["body"]) for one in alerts.notices()] == [
            ("Tickstream", f"critical alert: {summary}")
        ]
        until(lambda: page.evaluate("notices[0].happened === 'shown'"), "the notice isn't shown")
        assert alerts.notes() == 0

        choose(page, "notify", "sound")
        sample = alerts.notes()
        assert sample > 0
        alerts.fire()
        assert (len(alerts.notices()), alerts.notes()) == (1, 2 * sample)

        choose(page, "notify", "sound")
        page.reload()
        await_live(page)
        summary = alerts.fire()
        assert page.evaluate("asked") == []
        assert [one["body"] for one in alerts.notices()] == [f"critical alert: {summary}"]
        assert alerts.notes() == 0


def test_a_page_out_of_sight_notifies_too(bridge: Running, market: tuple[Market, dict[str, str]]) -> None:
    with watched(bridge, ["notifications"]) as page:
        alerts = Alerts(market[0], page)
        choose(page, "notify")
        alerts.fire()
        page.evaluate("asleep = true")
        summary = alerts.fire()
        page.evaluate("asleep = false")
        alerts.fire()
        bodies = [one["body"] for one in alerts.notices()]
        assert len(bodies) == 3
        assert bodies[1] == f"critical alert: {summary}"


def test_a_browser_that_refuses_is_said_in_plain_words(bridge: Running, market: tuple[Market, dict[str, str]]) -> None:
    with watched(bridge, []) as page:
        alerts = Alerts(market[0], page)
        page.get_by_test_id("open-settings").click()
        page.get_by_test_id("notify").click()
        settings = page.get_by_test_id("settings")
        expect(settings).to_contain_text("The browser doesn't allow notifications for this page.")
        expect(page.get_by_test_id("notify")).not_to_be_checked()
        page.keyboard.press("Escape")
        alerts.fire()
        assert alerts.notices() == []
        page.evaluate("localStorage.setItem('tickstream.language', 'de')")
        page.reload()
        page.get_by_test_id("open-settings").click()
        page.get_by_test_id("notify").click()
        expect(settings).to_contain_text("Der Browser erlaubt dieser Seite keine Benachrichtigungen.")
