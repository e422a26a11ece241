"""Alerts on their way to people: once each, whatever dies, and with the reason for everything."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from standardwebhooks import Webhook as Verifier

from tests.integration.alerting.conftest import Market, select
from tests.support.inbox import HttpInbox, http_inbox, mail_inbox
from tests.support.programs import Running, must, run, service, until

pytestmark = pytest.mark.integration

SECRET = "whsec_" + base64.b64encode(b"a secret of the test, not of use").decode()
ROUTING = """
receivers:
  - name: desk
    webhook: {{url: "{url}", secret: {{env: DESK_SECRET}}}}
    give_up_after: {give_up_after}
  - name: mail
    email: {{to: desk@example.org, from: alerts@example.org, host: 127.0.0.1, port: {mail}, security: none}}
route:
  receivers: desk
  group_by: [rule, symbol]
  group_wait: 1s
  group_interval: 1s
  routes:
    - {{match: {{rule: low}}, receivers: [desk, mail]}}
"""

Told = dict[str, list[str]]


@pytest.fixture
def inbox() -> Iterator[HttpInbox]:
    with http_inbox() as found:
        yield found


def notifying(market: Market, tmp_path: Path, url: str, mail: int = 25, give_up_after: str = "1h") -> dict[str, str]:
    path = tmp_path / "notify.yaml"
    path.write_text(ROUTING.format(url=url, mail=mail, give_up_after=give_up_after))
    return market.env | {"ALERTING_NOTIFY_FILE": str(path), "DESK_SECRET": SECRET}


def told(inbox: HttpInbox) -> Told:
    """By alert, what a receiver has heard of it that drops repetitions, said again left out."""
    heard: Told = {}
    for body in inbox.once_each():
        for alert in (*body["firing"], *body["resolved"]):
            state = "resolved" if alert in body["resolved"] else "firing"
            said = heard.setdefault(alert["alert_id"], [])
            if said[-1:] != [state]:
                said.append(state)
    return heard


def decided(env: dict[str, str]) -> Told:
    """By alert, what the audit says that the desk was told."""
    rows = select(
        env,
        "SELECT alert_id, state FROM alert_why WHERE receiver = 'desk' AND outcome = 'notified' AND status = 'sent'"
        " ORDER BY position",
    )
    found: Told = {}
    for row in rows:
        said = found.setdefault(str(row["alert_id"]), [])
        said.append("resolved" if row["state"] == "resolved" else "firing")
    return found


def made(env: dict[str, str]) -> set[str]:
    """The desk's notifications."""
    return {str(row["id"]) for row in select(env, "SELECT id FROM notifications WHERE receiver = 'desk'")}


def all_settled(env: dict[str, str]) -> bool:
    """Whether every transition is decided about, everyone told, and no group has anything new."""
    open_ = select(
        env,
        "SELECT (SELECT count(*) FROM alert_transitions WHERE routed_at IS NULL)"
        " + (SELECT count(*) FROM notifications WHERE status = 'waiting' AND receiver = 'desk')"
        " + (SELECT count(*) FROM routing_state m JOIN routing_state a ON a.part = 'alert'"
        "    AND a.name = split_part(m.name, E'\\n', 2) WHERE m.part = 'member' AND m.name LIKE '%/desk/%'"
        "    AND (m.value->>'told')::bool <> (a.value->>'active')::bool) AS left_over",
    )
    return open_[0]["left_over"] == 0 and bool(select(env, "SELECT 1 FROM alert_transitions LIMIT 1"))


def settle(market: Market, env: dict[str, str], running: Running) -> None:
    expected = market.expected()
    until(lambda: market.stored() == expected, running.log)
    until(lambda: all_settled(env), running.log)


def states(market: Market) -> Told:
    found: Told = {}
    for alert_id, _, state, _, _ in market.expected():
        found.setdefault(alert_id, []).append(state)
    return found


def test_everyone_is_told_and_every_decision_has_its_reason(market: Market, tmp_path: Path, inbox: HttpInbox) -> None:
    with mail_inbox() as mails:
        env = notifying(market, tmp_path, inbox.url, mails.port)
        with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
            running.await_ready()
            market.publish(market.ticks)
            settle(market, env, running)
            assert running.end() == 0
            assert SECRET not in running.log()
    for request in inbox.requests:
        Verifier(SECRET).verify(request.content, dict(request.headers))
    assert told(inbox) == decided(env)
    for alert_id, seen in states(market).items():
        assert ("firing" in told(inbox).get(alert_id, [])) <= ("firing" in seen)
        if seen[-1] == "firing":
            assert told(inbox)[alert_id] == ["firing"]
    assert len(inbox.once_each()) == len(inbox.requests)
    mailed = select(env, "SELECT id FROM notifications WHERE receiver = 'mail' AND status = 'sent'")
    assert {mail["Message-ID"] for mail in mails.mails} == {f"<{row['id']}@example.org>" for row in mailed}
    undecided = select(
        env,
        "SELECT 1 FROM alert_transitions t WHERE NOT EXISTS"
        " (SELECT FROM notification_decisions d WHERE d.alert_id = t.alert_id AND d.revision = t.revision)",
    )
    assert undecided == []


def test_kill_nine_between_decision_and_sending_tells_everyone_once(
    market: Market, tmp_path: Path, inbox: HttpInbox
) -> None:
    env = notifying(market, tmp_path, inbox.url)
    pieces = [market.ticks[start : start + 7_500] for start in range(0, len(market.ticks), 7_500)]
    for piece in pieces[:3]:
        with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
            running.await_ready()
            before = made(env)
            market.publish(piece)
            until(lambda: made(env) > before, running.log)  # noqa: B023 - called at once
            running.end(signal.SIGKILL)
    market.publish(pieces[3])
    with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
        settle(market, env, running)
        assert running.end() == 0
    assert told(inbox) == decided(env)
    assert market.stored() == market.expected()
    assert {body["id"] for body in inbox.once_each()} == made(env)
    assert len(made(env)) > 10


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(market: Market, tmp_path: Path) -> None:
    with http_inbox() as first:
        first.answers = [(500, {})]
        env = notifying(market, tmp_path, first.url)
        with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
            running.await_ready()
            market.publish(market.ticks[:10_000])
            until(lambda: len(first.requests) >= 3, running.log)
            first.answers = [(204, {})]
            again = "SELECT attempts, history FROM notifications WHERE status = 'sent' AND attempts > 1"
            until(lambda: bool(select(env, again)), running.log)
            assert running.end() == 0
    tried = select(env, again)
    assert tried
    for row in tried:
        assert [each["outcome"] for each in row["history"]] == ["failed"] * (row["attempts"] - 1) + ["sent"]
        assert "answered 500" in row["history"][0]["error"]


def test_what_can_not_be_delivered_is_kept_as_dead_and_the_audit_says_why(
    market: Market, tmp_path: Path, inbox: HttpInbox
) -> None:
    inbox.answers = [(410, {})]
    env = notifying(market, tmp_path, inbox.url)
    with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
        running.await_ready()
        market.publish(market.ticks[:10_000])
        until(lambda: bool(select(env, "SELECT 1 FROM alert_why WHERE outcome = 'failed' LIMIT 1")), running.log)
        [row] = select(env, "SELECT * FROM alert_why WHERE outcome = 'failed' ORDER BY position LIMIT 1")
        shown = urllib3.request("GET", f"{running.url}/api/v1/alerts/{row['alert_id']}", timeout=60.0).json()
        assert running.end() == 0
    assert (row["status"], row["attempts"]) == ("dead", 1)
    assert [each["outcome"] for each in shown["decisions"]][-1] == "failed"
    said = must("tickstream", "alerts", "why", str(row["alert_id"]), env=env)
    assert "answered 410" in " ".join(said.split())
    lines = must("tickstream", "alerts", "why", str(row["alert_id"]), "--json", env=env).splitlines()
    rows = select(env, "SELECT outcome FROM alert_why WHERE alert_id = %s ORDER BY position", row["alert_id"])
    assert [json.loads(line)["outcome"] for line in lines] == [each["outcome"] for each in rows]
    assert run("tickstream", "alerts", "why", "seven", env=env).returncode == 2
    assert run("tickstream", "alerts", "why", "00000000-0000-0000-0000-000000000000", env=env).returncode == 1


def test_a_silence_made_over_http_keeps_a_rule_quiet(market: Market, tmp_path: Path, inbox: HttpInbox) -> None:
    env = notifying(market, tmp_path, inbox.url)
    with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
        running.await_ready()
        status, made = ask(running, "POST", {"match": {"rule": ["high", "low"]}, "for_seconds": 600, "by": "Ada"})
        assert (status, made["state"], made["by"]) == (201, "active", "Ada")
        assert ask(running, "GET")[1]["items"] == [made]
        assert ask(running, "GET", at=f"/{made['id']}") == (200, made)
        market.publish(market.ticks)
        until(lambda: bool(select(env, "SELECT 1 FROM alert_why WHERE outcome = 'silenced' LIMIT 1")), running.log)
        until(lambda: bool(inbox.requests), running.log)
        assert {alert["rule"] for body in inbox.once_each() for alert in body["firing"]} == {"move"}
        [row] = select(env, "SELECT reason FROM alert_why WHERE outcome = 'silenced' LIMIT 1")
        assert f"silence {made['id']} by Ada" in row["reason"]
        status, ended = ask(running, "DELETE", at=f"/{made['id']}")
        assert (status, ended["state"]) == (200, "expired")
        assert ask(running, "GET", at="?state=active,pending")[1]["items"] == []
        settle(market, env, running)
    assert {alert["rule"] for body in inbox.once_each() for alert in body["firing"]} > {"move"}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"match": {}, "for_seconds": 60}, "#/match"),
        ({"match": {"rule": "a"}}, "#"),
        ({"match": {"rule": "a"}, "for_seconds": -1}, "#/for_seconds"),
        ({"match": {"rule": "a"}, "ends_ms": 1}, "#/ends_ms"),
        ({"match": {"rule": "a"}, "for_seconds": 60, "by": "x" * 201}, "#/by"),
    ],
)
def test_a_silence_that_is_none_is_refused(silencing: Running, given: dict[str, Any], pointer: str) -> None:
    status, problem = ask(silencing, "POST", given)
    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, [pointer])


def test_there_is_no_silence_of_an_unknown_id_or_state(silencing: Running) -> None:
    nobody = "/00000000-0000-0000-0000-000000000000"
    assert ask(silencing, "GET", at=nobody)[0] == ask(silencing, "DELETE", at=nobody)[0] == 404
    assert ask(silencing, "GET", at="?state=loud")[0] == 400


@pytest.fixture(scope="module")
def silencing(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    from tests.support.servers import isolated  # noqa: PLC0415 (a fixture of another scope)

    log = tmp_path_factory.mktemp("silencing") / "log"
    with isolated(servers) as env, service("tickstream-alerting", env=env, log=log) as running:
        running.await_ready()
        yield running


def test_without_a_configuration_nobody_is_told_and_what_was_before_stays_untold(
    market: Market, tmp_path: Path, inbox: HttpInbox
) -> None:
    market.publish(market.ticks[:20_000])
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    before = len(market.stored())
    assert select(market.env, "SELECT 1 FROM notifications") == []
    env = notifying(market, tmp_path, inbox.url)
    with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
        running.await_ready()
        market.publish(market.ticks[20_000:])
        settle(market, env, running)
    decisions = select(env, "SELECT DISTINCT alert_id, revision FROM notification_decisions")
    assert len(decisions) == len(market.stored()) - before


def ask(running: Running, method: str, body: Any = None, at: str = "") -> tuple[int, Any]:
    answer = urllib3.request(method, f"{running.url}/api/v1/silences{at}", json=body, retries=False, timeout=60.0)
    return answer.status, answer.json()
