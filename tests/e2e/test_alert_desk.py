"""Rules of every kind by the form; silences; what became of an alert; versions of a rule and the way back to one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

import pytest
import urllib3
from playwright.sync_api import Locator, Page, expect

from tests.support.axe import Axe
from tests.support.browser import chromium_page
from tests.support.inbox import HttpInbox, http_inbox
from tests.support.programs import Running, service, until
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.alerting.spec import KINDS

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT = 90_000
_ROUTING = """
receivers:
  - name: desk
    webhook: {{url: "{url}"}}
route: {{receivers: desk, group_by: [rule, symbol], group_wait: 1s, group_interval: 1s}}
"""
_NEEDED: Mapping[str, Mapping[str, Any]] = {
    "price_level": {"direction": "above", "level": 9_000},
    "percent_move": {"percent": 50, "window_seconds": 60},
    "volume_spike": {"factor": 5_000},
    "circuit_breaker": {"level": 2},
    "luld": {"tier_1": ["SPY", "A*"]},
    "expression": {"when": "close > 9000 until close < 8000 on 1s"},
}
"""What each kind has to be told; all else has a default."""
_EVERYTHING: Mapping[str, Any] = {
    "name": "with everything",
    "kind": "volatility_regime",
    "symbols": ["AAA", "B*"],
    "severity": "critical",
    "labels": {"team": "core"},
    "for_seconds": 60,
    "keep_firing_for_seconds": 30,
    "cooldown_seconds": 5,
    "schedule": {"calendar": "XNYS", "sessions": ["regular"], "days": ["mon", "fri"], "times": ["09:45-11:30"]},
    "parameters": {"regime": "low", "factor": 3, "long_bars": 300, "sessions": ["regular"]},
}


class Api:
    """The alerting service, as the page reaches it."""

    def __init__(self, bridge: Running) -> None:
        self._url = f"{bridge.url}/api/v1/"

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = urllib3.request(method, self._url + path, json=body, retries=False, timeout=60.0)
        assert answer.status < 400, answer.data
        return answer.json() if answer.data else None

    def rules(self) -> dict[str, Any]:
        return {rule["name"]: rule for rule in self("GET", "rules")["items"]}

    def make(self, name: str, **changed: Any) -> Any:
        level = {"direction": "above", "level": 0.01}
        return self("POST", "rules", {"name": name, "kind": "price_level", "parameters": level} | changed)


@pytest.fixture(scope="module")
def inbox() -> Iterator[HttpInbox]:
    with http_inbox() as found:
        yield found


@pytest.fixture(scope="module")
def bridge(servers: Servers, inbox: HttpInbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge over a market that moves, with alerting behind it that tells a desk."""
    folder = tmp_path_factory.mktemp("desk")
    routing = folder / "notify.yaml"
    routing.write_text(_ROUTING.format(url=inbox.url))
    with isolated(servers) as env, Tape(env, ("AAA", "BBB")):
        told = env | {"ALERTING_NOTIFY_FILE": str(routing)}
        with service("tickstream-alerting", env=told, log=folder / "alerting") as alerting:
            alerting.await_ready()
            settings = env | {"WS_BRIDGE_ALERTING_URL": alerting.url}
            with service("tickstream-ws-bridge", env=settings, log=folder / "bridge") as running:
                running.await_ready()
                yield running


@pytest.fixture
def api(bridge: Running) -> Iterator[Api]:
    """What a test makes ends with it."""
    found = Api(bridge)
    yield found
    for rule in found.rules().values():
        found("DELETE", f"rules/{rule['id']}")
    for silence in found("GET", "silences")["items"]:
        found("DELETE", f"silences/{silence['id']}")


@pytest.fixture
def page(bridge: Running) -> Iterator[Page]:
    with chromium_page() as page:
        page.goto(f"{bridge.url}/?symbol=AAA&interval=1s")
        expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        yield page


def _form(page: Page) -> Locator:
    """A new rule's form, with all kinds in it."""
    page.get_by_test_id("new-rule").click()
    dialog = page.get_by_test_id("rule-dialog")
    expect(dialog.locator("#rule-kind option")).to_have_count(len(KINDS), timeout=_WAIT)
    return dialog


def _save(dialog: Locator) -> None:
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden(timeout=_WAIT)


def _open(page: Page, name: str) -> Locator:
    page.get_by_test_id("alert-page-rules").click()
    page.get_by_role("button", name=f"Change rule {name}", exact=True).click(timeout=_WAIT)
    return page.get_by_test_id("rule-dialog")


def _alert(page: Page, rule: str) -> Locator:
    """The rule's alert that fires."""
    page.get_by_test_id("alert-page-alerts").click()
    items = page.get_by_test_id("alerts").locator("li[data-state=firing]").filter(has_text=rule)
    expect(items.first).to_be_visible(timeout=_WAIT)
    return items.first


def _write(dialog: Locator, name: str, value: Any) -> None:
    field = dialog.locator(f"#rule-{name}")
    if field.evaluate("(one) => one.tagName") == "SELECT":
        field.select_option(str(value))
    else:
        field.fill(", ".join(value) if isinstance(value, list) else str(value))


def test_the_form_makes_rules_of_every_kind_with_the_services_defaults(page: Page, api: Api) -> None:
    for kind in KINDS:
        dialog = _form(page)
        dialog.locator("#rule-kind").select_option(kind)
        expect(dialog.locator("#rule-kind")).to_be_focused()
        dialog.locator("#rule-name").fill(f"by the form: {kind}")
        for name, value in _NEEDED.get(kind, {}).items():
            _write(dialog, name, value)
        if kind == "price_level":
            dialog.locator("#rule-mode").select_option("level")
        _save(dialog)
        api("POST", "rules", {"name": f"by the API: {kind}", "kind": kind, "parameters": _NEEDED.get(kind, {})})
    rules = api.rules()
    for kind in KINDS:
        made, wanted = (rules[f"by {way}: {kind}"] for way in ("the form", "the API"))
        assert (made["kind"], made["parameters"]) == (kind, wanted["parameters"])


def test_a_rule_that_is_changed_keeps_what_the_form_doesnt_show(page: Page, api: Api) -> None:
    made = api("POST", "rules", _EVERYTHING)
    dialog = _open(page, "with everything")
    expect(dialog.locator("#rule-regime")).to_have_value("low")
    expect(dialog.get_by_test_id("rule-schedule")).to_have_attribute("open", "")
    expect(dialog.locator("#rule-schedule-times")).to_have_value("09:45-11:30")
    dialog.locator("#rule-severity").select_option("info")
    _save(dialog)
    changing = ("version", "updated_at", "severity")
    now = api.rules()["with everything"]
    assert {k: v for k, v in now.items() if k not in changing} == {k: v for k, v in made.items() if k not in changing}
    assert now["severity"] == "info"
    dialog = _open(page, "with everything")
    for box in dialog.locator("#rule-schedule-sessions input, #rule-schedule-days input").all():
        box.set_checked(False)
    dialog.locator("#rule-schedule-times").fill("")
    dialog.locator("#rule-keep_firing_for_seconds").fill("90")
    dialog.locator("#rule-enabled").uncheck()
    _save(dialog)
    now = api.rules()["with everything"]
    assert (now["schedule"], now["keep_firing_for_seconds"], now["enabled"]) == (None, 90, False)


def test_what_is_wrong_is_said_at_its_field_and_in_an_expression_at_its_place(page: Page) -> None:
    dialog = _form(page)
    dialog.locator("#rule-kind").select_option("expression")
    when = dialog.locator("#rule-when")
    when.fill("close > 3\nand rsy_14 < 30 on 1s")
    dialog.locator("#rule-cooldown_seconds").fill("-1")
    dialog.get_by_role("button", name="Save").click()
    fault = dialog.locator("#rule-when-fault")
    expect(fault).to_contain_text("Line 2, column 5: there is no value 'rsy_14'; did you mean rsi_14?", timeout=_WAIT)
    expect(fault.locator("mark")).to_have_text("rsy_14")
    expect(dialog.locator("#rule-cooldown_seconds-fault")).not_to_be_empty()
    expect(when).to_be_focused()
    assert when.evaluate("(one) => one.value.slice(one.selectionStart, one.selectionEnd)") == "rsy_14"
    when.fill("rsi_14 >= 0 on 1s")
    dialog.locator("#rule-cooldown_seconds").fill("0")
    page.get_by_test_id("rule-test").click()
    expect(page.get_by_test_id("rule-findings").locator("li")).to_have_count(1, timeout=_WAIT)
    expect(fault).to_be_empty()
    dialog.locator("#rule-kind").select_option("price_spike")
    dialog.locator("#rule-hysteresis").fill("9")
    dialog.locator("#rule-schedule-calendar").evaluate("(one) => { one.value = 'NOWHERE'; }")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("#rule-schedule-calendar-fault")).not_to_be_empty(timeout=_WAIT)
    dialog.locator("#rule-schedule-calendar").fill("XNYS")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("#rule-hysteresis-fault")).to_contain_text("must be below z", timeout=_WAIT)


def test_an_alert_is_silenced_by_keyboard_and_the_silence_ended_early(page: Page, api: Api) -> None:
    api.make("too loud", symbols=["AAA"])
    alert = _alert(page, "too loud")
    alert.get_by_role("button", name=re.compile("^Silence: ")).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_test_id("silence-dialog")
    expect(dialog.locator("#silence-rule")).to_have_value("too loud")
    expect(dialog.locator("#silence-symbol")).to_have_value("AAA")
    expect(dialog.locator("#silence-seconds")).to_be_focused()
    dialog.locator("#silence-seconds").select_option("900")
    dialog.locator("#silence-labels").fill("1x=core")
    dialog.locator("#silence-by").fill("Ada")
    dialog.locator("#silence-comment").fill("known, being mended")
    page.keyboard.press("Enter")
    expect(dialog.locator("#silence-labels-fault")).not_to_be_empty(timeout=_WAIT)
    dialog.locator("#silence-labels").fill("")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden(timeout=_WAIT)
    [made] = api("GET", "silences")["items"]
    assert (made["match"], made["by"]) == ({"rule": ["too loud"], "symbol": ["AAA"]}, "Ada")
    assert made["ends_ms"] - made["starts_ms"] == 900_000
    page.get_by_test_id("alert-page-silences").click()
    item = page.get_by_test_id("silences").locator("li")
    expect(item).to_contain_text("rule = too loud, symbol = AAA", timeout=_WAIT)
    expect(item).to_contain_text("known, being mended")
    expect(item).to_contain_text("by Ada")
    item.get_by_role("button", name=re.compile("^End the silence")).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("silences").locator("li")).to_have_count(0, timeout=_WAIT)
    assert page.evaluate("document.activeElement !== document.body")
    assert [one["id"] for one in api("GET", "silences?state=expired")["items"]] == [made["id"]]


def test_an_alert_says_who_was_told_and_why_others_werent(page: Page, api: Api, inbox: HttpInbox) -> None:
    api("POST", "silences", {"match": {"rule": "for nobody"}, "for_seconds": 600, "by": "Bo", "comment": "being moved"})
    api.make("for a desk", symbols=["AAA"])
    api.make("for nobody", symbols=["BBB"])

    def decided(rule: str) -> set[tuple[str, str]]:
        """What was decided about the rule's alerts, and what became of the notifications."""
        found = api("GET", f"alerts?rule={quote(rule)}&state=firing")["items"]
        told = [one for alert in found for one in api("GET", f"alerts/{alert['alert_id']}")["decisions"]]
        return {(one["outcome"], (one["notification"] or {}).get("status", "")) for one in told}

    until(lambda: ("notified", "sent") in decided("for a desk"), "nobody was told")
    assert "for a desk" in {alert["rule"] for body in inbox.once_each() for alert in body["firing"]}
    _alert(page, "for a desk").get_by_role("button", name=re.compile("^Details")).click()
    dialog = page.get_by_test_id("story-dialog")
    expect(dialog).to_contain_text("By the rule “for a desk”, version 1.", timeout=_WAIT)
    told = dialog.locator("li[data-outcome=notified]")
    expect(told).to_contain_text("desk: told (sent)")
    expect(told).to_contain_text("it fires")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    until(lambda: ("silenced", "") in decided("for nobody"), "not silenced")
    _alert(page, "for nobody").get_by_role("button", name=re.compile("^Details")).click()
    expect(dialog.locator("li[data-outcome=silenced]")).to_contain_text("desk: silenced", timeout=_WAIT)
    expect(dialog.locator("li[data-outcome=silenced]")).to_contain_text("by Bo until")
    expect(dialog.locator("li[data-outcome=silenced]")).to_contain_text("being moved")
    axe = Axe(page)
    themes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for theme in themes:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        assert axe.violations() == [], theme


def test_a_rule_becomes_again_what_it_was(page: Page, api: Api) -> None:
    made = api.make("restless", severity="info")
    spoken = {"name": "restless", "kind": "price_level", "parameters": {"direction": "below", "level": 5}}
    api("PUT", f"rules/{made['id']}", spoken)
    page.get_by_test_id("alert-page-rules").click()
    page.get_by_role("button", name="Versions of the rule restless").click(timeout=_WAIT)
    dialog = page.get_by_test_id("versions-dialog")
    newest = dialog.locator("[data-version='2']")
    expect(newest).to_contain_text("changed by the API", timeout=_WAIT)
    expect(newest).to_contain_text("Severity: info → warning")
    expect(newest).to_contain_text("Price: 0.01 → 5")
    dialog.get_by_role("button", name="Restore version 1").click()
    expect(dialog.locator("[data-version='3']")).to_contain_text("in force", timeout=_WAIT)
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    back = api.rules()["restless"]
    assert (back["version"], back["severity"], back["parameters"]) == (3, "info", made["parameters"])
