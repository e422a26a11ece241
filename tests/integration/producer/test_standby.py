"""Several simulators of one group: one publishes, the others wait for its end."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.programs import must, service, until
from tests.support.topics import Row, read_rows

pytestmark = pytest.mark.integration

SIMULATE = ("--source", "simulate", "--calendar", "24/7", "--rate", "200")


def sources(env: dict[str, str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in read_rows(env, "stock_ticks"):
        found[row["source"]].append(row)
    return found


def breaks(rows: list[Row]) -> list[str]:
    """Where a symbol's numbers don't follow each other."""
    last: dict[str, int] = defaultdict(int)
    found = []
    for place, row in enumerate(rows):
        symbol, seq = row["symbol"], row["seq"]
        if seq != last[symbol] + 1:
            found.append(f"{row['source']} {symbol}: {seq} after {last[symbol]}, row {place} of {len(rows)}")
        last[symbol] = seq
    return found


def test_the_next_one_takes_over_when_the_publisher_is_killed(env: dict[str, str], tmp_path: Path) -> None:
    with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "one") as one:
        until(lambda: '"simulating"' in one.log(), one.log)
        with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "two") as two:
            until(lambda: '"standing_by"' in two.log() and two.ready(), two.log)
            until(lambda: sources(env), one.log)
            assert '"simulating"' not in two.log()
            one.end(signal.SIGKILL)
            until(lambda: '"simulating"' in two.log(), two.log)
            until(lambda: len(sources(env)) == 2, two.log)
            assert two.end() == 0
    first, second = sources(env).values()
    assert breaks(first) == breaks(second) == []
    assert max(row["ts_ingest"] for row in first) < min(row["ts_ingest"] for row in second)
    final = {mark["source"] for mark in read_rows(env, "progress") if mark["final"]}
    assert final == set(sources(env))


def test_the_next_one_takes_over_at_once_when_the_publisher_ends(env: dict[str, str], tmp_path: Path) -> None:
    with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "one") as one:
        until(lambda: '"simulating"' in one.log(), one.log)
        with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "two") as two:
            until(lambda: '"standing_by"' in two.log(), two.log)
            assert one.end() == 0
            until(lambda: '"simulating"' in two.log(), two.log)
            assert "taken_over" not in two.log()
            assert two.end() == 0


def test_a_publisher_that_was_frozen_for_long_stops_and_stands_by(env: dict[str, str], tmp_path: Path) -> None:
    with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "one") as one:
        until(lambda: '"simulating"' in one.log(), one.log)
        with service("tickstream-producer", *SIMULATE, env=env, log=tmp_path / "two") as two:
            until(lambda: '"standing_by"' in two.log(), two.log)
            os.kill(one.child.pid, signal.SIGSTOP)
            try:
                until(lambda: '"simulating"' in two.log(), two.log)
                until(lambda: len(sources(env)) == 2, two.log)
            finally:
                os.kill(one.child.pid, signal.SIGCONT)
            until(lambda: one.log().count('"standing_by"') == 2, one.log)
            assert two.end() == 0
            assert one.end() == 0
    assert [found for rows in sources(env).values() for found in breaks(rows)] == []


def test_the_same_seed_and_start_give_the_same_trades_in_different_runs(env: dict[str, str]) -> None:
    arguments = ("--seed", "7", "--sim-start", "2024-07-03T12:00Z", "--speed", "max", "--count", "3000")
    for _run in range(2):
        must("tickstream-producer", "--source", "simulate", *arguments, env=env)
    one, other = (
        [(row["symbol"], row["seq"], row["ts_event"], row["price"], row["volume"]) for row in rows]
        for rows in sources(env).values()
    )
    assert len(one) == 3000
    assert sorted(one) == sorted(other)
    events = [row["type"] for row in read_rows(env, "market_events")]
    assert events.count("session_open") == 2
