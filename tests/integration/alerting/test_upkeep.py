"""Files that change while the service runs, what is deleted in time, and feeds that go down."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import psycopg
import pytest
import urllib3

from tests.integration.alerting.conftest import Market, select
from tests.support.inbox import http_inbox
from tests.support.programs import Running, must, service, until
from tests.support.topics import publish
from tickstream.core.codec import Codecs
from tickstream.core.model import MarketEvent, Tick

pytestmark = pytest.mark.integration

NOTIFY = """
receivers: [{{name: desk, webhook: {{url: "{url}"}}}}]
route: {{receivers: desk, group_by: [rule, symbol], group_wait: 1s, group_interval: 1s}}
"""
OTHER = "  - {name: any, kind: price_level, parameters: {direction: above, level: 1}}\n"


def figure(running: Running, start: str) -> float:
    page = urllib3.request("GET", running.url + "/metrics", timeout=60.0).data.decode()
    return next(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(start))


def test_a_changed_file_of_receivers_or_rules_counts_and_a_broken_one_does_not(market: Market, tmp_path: Path) -> None:
    path = tmp_path / "notify.yaml"
    with http_inbox() as first, http_inbox() as second:
        path.write_text(NOTIFY.format(url=first.url))
        env = market.env | {"ALERTING_NOTIFY_FILE": str(path)}
        with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
            running.await_ready()
            market.publish(market.ticks[:10_000])
            until(lambda: bool(first.requests), running.log)

            in_force = f'alerting_file_in_force{{path="{path}"}}'
            path.write_text(NOTIFY.format(url=second.url) + "nonsense: 1\n")
            until(lambda: figure(running, in_force) == 0, running.log)
            assert running.ready()
            path.write_text(NOTIFY.format(url=second.url))
            until(lambda: figure(running, in_force) == 1, running.log)
            market.publish(market.ticks[10_000:])
            until(lambda: bool(second.requests), running.log)

            market.rules_file.write_text(market.rules_file.read_text() + OTHER)
            until(lambda: figure(running, "alerting_rules_enabled ") == 4, running.log)
            assert running.child.poll() is None
            said = running.log().count("file_read")
            running.child.send_signal(signal.SIGHUP)
            until(lambda: running.log().count("file_read") >= said + 2, running.log)
            assert running.end() == 0


def test_an_instance_that_stands_by_says_what_is_wrong_with_its_file_too(market: Market, tmp_path: Path) -> None:
    path = tmp_path / "notify.yaml"
    in_force = f'alerting_file_in_force{{path="{path}"}}'
    with http_inbox() as inbox:
        right = NOTIFY.format(url=inbox.url)
        path.write_text(right)
        env = market.env | {"ALERTING_NOTIFY_FILE": str(path)}
        with (
            service("tickstream-alerting", env=env, log=tmp_path / "one") as one,
            service("tickstream-alerting", env=env, log=tmp_path / "two") as two,
        ):
            one.await_ready()
            two.await_ready()
            path.write_text(right + "nonsense: 1\n")
            until(lambda: figure(one, in_force) == figure(two, in_force) == 0, two.log)
            path.write_text(right)
            until(lambda: figure(one, in_force) == figure(two, in_force) == 1, two.log)


def test_what_ended_long_ago_is_deleted_and_nothing_that_is_open(market: Market, tmp_path: Path) -> None:
    market.publish(market.ticks)
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    with psycopg.connect(market.env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE alerts SET updated_at = now() - interval '9 days' WHERE symbol < 'S06'")
        connection.execute(
            "UPDATE alert_transitions SET published_at = NULL WHERE alert_id = (SELECT alert_id FROM alerts"
            " WHERE symbol < 'S06' AND state = 'resolved' ORDER BY alert_id LIMIT 1)"
        )
        connection.execute(
            "INSERT INTO notifications (id, receiver, stream, body, status, next_try, created_at, ended_at)"
            " SELECT gen_random_uuid(), 'desk', 's', '{}', status, now(), now(), now() - interval '9 days'"
            " FROM unnest('{sent,dead,waiting}'::text[]) AS status"
        )
        connection.execute(
            "INSERT INTO silences (match, starts_at, ends_at, created_by)"
            " SELECT '{\"rule\": \"a\"}', now() - interval '20 days', now() + since, 'x'"
            " FROM unnest('{-9 days,9 days}'::interval[]) AS since"
        )
    old = "SELECT count(*) AS n FROM alerts WHERE symbol < 'S06' AND state = 'resolved'"
    kept = "SELECT alert_id FROM alerts WHERE symbol >= 'S06' OR state <> 'resolved' ORDER BY alert_id"
    before = select(market.env, kept)
    assert select(market.env, old)[0]["n"] > 20
    with service(
        "tickstream-alerting", env=market.env | {"ALERTING_RETENTION_DAYS": "7"}, log=tmp_path / "log"
    ) as found:
        # The one that is yet to be published goes once it is.
        until(lambda: select(market.env, old)[0]["n"] <= 1, found.log)
        until(
            lambda: [row["status"] for row in select(market.env, "SELECT status FROM notifications")] == ["waiting"],
            found.log,
        )
        until(lambda: len(select(market.env, "SELECT 1 FROM silences")) == 1, found.log)
        assert found.end() == 0
    assert select(market.env, kept) == before
    assert (
        select(
            market.env,
            "SELECT 1 FROM alert_transitions t WHERE NOT EXISTS (SELECT FROM alerts a WHERE a.alert_id = t.alert_id)",
        )
        == []
    )


def test_alerts_on_ticks_are_unknown_while_their_feed_is_down_also_after_a_kill(market: Market, tmp_path: Path) -> None:
    market.rules_file.write_text("rules:\n" + OTHER)
    ticks = market.ticks[:600]
    last = ticks[-1].ts_event
    events = Codecs().of(MarketEvent)

    def tell(event: MarketEvent) -> None:
        publish(market.env, "market_events", [("", events.encode(event))])

    def states() -> list[str]:
        rows = select(market.env, "SELECT state FROM alerts ORDER BY symbol")
        return sorted({row["state"] for row in rows}) if len(rows) == 12 else []

    with service("tickstream-alerting", env=market.env, log=tmp_path / "log") as running:
        running.await_ready()
        market.publish(ticks)
        until(lambda: states() == ["firing"], running.log)
        tell(MarketEvent("feed_down", last + 5, source="walk"))
        until(lambda: states() == ["unknown"], running.log)
        running.end(signal.SIGKILL)
    tell(MarketEvent("feed_up", last + 10**9, source="walk"))
    later = [Tick(each.symbol, each.price, 1.0, last + 2 * 10**9, 0, 10**6, "walk") for each in ticks[:200]]
    market.publish(later)
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    assert states() == ["firing"]
    lives = select(market.env, "SELECT ts_event FROM alert_transitions WHERE state = 'unknown'")
    assert [row["ts_event"] for row in lives] == [last + 5] * 12

    printed = must("tickstream", "alerts", "test", str(market.rules_file), "--json", env=market.env)
    tried = sorted((row["symbol"], row["state"], row["ts_event_ms"]) for row in map(json.loads, printed.splitlines()))
    transitions = "SELECT symbol, t.state, t.ts_event FROM alert_transitions t JOIN alerts USING (alert_id)"
    said = [(row["symbol"], row["state"], row["ts_event"] // 10**6) for row in select(market.env, transitions)]
    assert tried == sorted(said)

    live = market.stored()
    with psycopg.connect(market.env["DATABASE_URL"]) as connection:
        connection.execute("TRUNCATE alerts CASCADE")
        connection.execute("TRUNCATE alerting_positions, alerting_memory, alerting_states")
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    assert market.stored() == live


def test_a_declared_halt_lets_the_pause_be_told_before_the_reopening(market: Market, tmp_path: Path) -> None:
    pause = "{name: pause, kind: luld, for_seconds: 15, parameters: {tier_1: [S00], within_percent: 0}}"
    market.rules_file.write_text(f"rules:\n  - {pause}\n")
    opening, second = 1_381_239_000 * 10**9, 10**9
    told = "SELECT t.state, t.ts_event, summary FROM alert_transitions t ORDER BY t.ts_event"

    def trade(at: int, price: float) -> Tick:
        return Tick("S00", price, 1.0, opening + at * second, 0, at + 1, "walk")

    def tell(kind: str, at: int) -> None:
        event = MarketEvent(kind, opening + at * second, symbol="S00")
        publish(market.env, "market_events", [("S00", Codecs().of(MarketEvent).encode(event))])

    def states() -> list[tuple[str, int]]:
        return [(row["state"], (row["ts_event"] - opening) // second) for row in select(market.env, told)]

    with service("tickstream-alerting", env=market.env, log=tmp_path / "log") as running:
        running.await_ready()
        market.publish([trade(0, 100.0), trade(10, 105.0)])
        until(lambda: states() == [("pending", 10)], running.log)
        tell("halt", 26)
        until(lambda: states() == [("pending", 10), ("firing", 25)], running.log)
        running.end(signal.SIGKILL)
    tell("resume", 700)
    market.publish([trade(500, 80.0), trade(701, 98.0), trade(702, 93.1)])
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    assert [state for state, _ in states()[2:]] == ["resolved", "pending"]
    assert "reference 98" in select(market.env, told)[-1]["summary"]

    printed = must("tickstream", "alerts", "test", str(market.rules_file), "--json", env=market.env)
    tried = sorted((row["state"], row["ts_event_ms"] * 10**6) for row in map(json.loads, printed.splitlines()))
    assert tried == sorted((row["state"], row["ts_event"]) for row in select(market.env, told))
