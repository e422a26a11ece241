"""Very many alerts at once: everything falls, everything recovers, and again."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import orjson
import psutil
import pytest

from tests.integration.alerting.conftest import START, Market, select
from tests.support.inbox import HttpInbox, http_inbox
from tests.support.programs import service, until
from tests.support.topics import read_rows
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration

ALERTS = int(os.environ.get("TICKSTREAM_TEST_STORM", "2000"))
"""In each wave, within a minute of the market; 50000 take minutes of ours."""
WAVES = int(os.environ.get("TICKSTREAM_TEST_STORM_WAVES", "3"))
RULES = 100
SECOND = 10**9
NOTIFY = """
receivers: [{{name: desk, webhook: {{url: "{url}"}}}}]
route: {{receivers: desk, group_by: [symbol], group_wait: 1s, group_interval: 1s}}
"""
DEADLINE = 120 + ALERTS / 50
MOST_GROWTH = 1.25


@pytest.fixture
def storm(market: Market, tmp_path: Path) -> Market:
    rules = [
        {"name": f"{at}", "kind": "price_level", "parameters": {"direction": "below", "level": 90 - at / 100}}
        for at in range(RULES)
    ]
    market.rules_file.write_bytes(orjson.dumps({"rules": rules}))
    return market


def trades(wave: int, start: int, prices: list[float]) -> list[Tick]:
    """All symbols at each price in turn, three seconds apart."""
    found = []
    for step, price in enumerate(prices):
        ts = START + wave * 3600 * SECOND + (start + 3 * step) * SECOND
        seq = wave * 100 + start + step + 1
        found += [Tick(f"S{at:04}", price, 1.0, ts, ts, seq, "storm") for at in range(ALERTS // RULES)]
    return found


def count(market: Market, state: str) -> int:
    found = select(market.env, "SELECT count(*) AS n FROM alert_transitions WHERE state = %s", state)
    return int(found[0]["n"])


class Told:
    """By alert, what has reached the receiver, said again left out."""

    def __init__(self, inbox: HttpInbox) -> None:
        self._inbox = inbox
        self._read = 0
        self.said: dict[str, list[str]] = {}

    def last(self) -> Counter[str]:
        """How many alerts it has heard of, by what it has heard last."""
        with self._inbox.lock:
            new = self._inbox.requests[self._read :]
        self._read += len(new)
        for request in new:
            body = request.body
            assert body["unlisted"] == 0
            for state in ("firing", "resolved"):
                for alert in body[state]:
                    said = self.said.setdefault(alert["alert_id"], [])
                    if said[-1:] != [state]:
                        said.append(state)
        return Counter(said[-1] for said in self.said.values())


@pytest.mark.timeout(7200)
def test_a_storm_of_alerts_loses_nothing_repeats_nothing_and_leaves_nothing_behind(
    storm: Market, tmp_path: Path
) -> None:
    path = tmp_path / "notify.yaml"
    memory: list[int] = []
    with http_inbox() as inbox:
        told = Told(inbox)
        path.write_text(NOTIFY.format(url=inbox.url))
        env = storm.env | {"ALERTING_NOTIFY_FILE": str(path)}
        with service("tickstream-alerting", env=env, log=tmp_path / "log") as running:
            running.await_ready()
            for wave in range(WAVES):
                fired = ALERTS * (wave + 1)
                storm.publish(trades(wave, 0, [100.0, 96.0, 90.0, 89.9, 89.5, 89.2, 89.0, 88.0]))
                until(lambda: count(storm, "firing") == fired, running.log, DEADLINE)  # noqa: B023 - called at once
                until(lambda: told.last().total() == fired, running.log, DEADLINE)  # noqa: B023 - called at once
                storm.publish(trades(wave, 30, [89.0, 89.6, 95.0, 101.0]))
                until(lambda: count(storm, "resolved") == fired, running.log, DEADLINE)  # noqa: B023 - called at once
                until(lambda: told.last()["firing"] == 0, running.log, DEADLINE)
                memory.append(psutil.Process(running.child.pid).memory_info().rss)
            remembered = "SELECT count(*) AS n FROM routing_state WHERE part = 'alert'"
            until(lambda: select(env, remembered)[0]["n"] == 0, running.log)
            assert running.end() == 0

    stored = storm.stored()
    assert len(stored) == len({life[:2] for life in stored}) == 2 * WAVES * ALERTS
    rows = read_rows(env, "alerts")
    assert sorted((row["alert_id"], row["revision"]) for row in rows) == sorted(life[:2] for life in stored)
    assert told.said.keys() == {life[0] for life in stored}
    assert {tuple(said) for said in told.said.values()} == {("firing", "resolved")}
    assert select(env, "SELECT 1 FROM alert_transitions WHERE published_at IS NULL OR routed_at IS NULL") == []
    said = f"resident after each wave: {[each // 2**20 for each in memory]} MiB\n"
    sys.stdout.write(said)
    assert memory[-1] < memory[0] * MOST_GROWTH, said
