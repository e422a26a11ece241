from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.integration.alerting.conftest import Market, select
from tests.support.programs import must, service, until
from tests.support.servers import Servers
from tests.support.topics import publish, read_messages, read_rows
from tickstream.core.codec import Codecs
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration


def test_every_transition_is_stored_and_published_and_a_second_run_adds_nothing(market: Market) -> None:
    market.publish(market.ticks)
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    expected = market.expected()
    assert len(expected) > 300
    assert market.stored() == expected
    assert market.published() == expected
    alerts = select(market.env, "SELECT state, began, fired, resolved, revision FROM alerts")
    assert len(alerts) == len({life[0] for life in expected})

    market.publish(market.ticks[:5000])
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    assert market.stored() == expected
    assert len(read_rows(market.env, "alerts")) == len(expected)


def test_kill_nine_repeats_and_loses_nothing(market: Market, tmp_path: Path) -> None:
    pieces = [market.ticks[start : start + 10_000] for start in range(0, len(market.ticks), 10_000)]
    for piece in pieces:
        before = select(market.env, "SELECT 1 FROM alert_transitions") if piece is not pieces[0] else []
        with service("tickstream-alerting", env=market.env, log=tmp_path / "log") as running:
            running.await_ready()
            market.publish(piece)
            until(lambda: len(select(market.env, "SELECT 1 FROM alert_transitions")) > len(before), running.log)  # noqa: B023 - called at once
            running.end(signal.SIGKILL)
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    expected = market.expected()
    assert market.stored() == expected
    assert market.published() == expected
    assert select(market.env, "SELECT 1 FROM alert_transitions WHERE published_at IS NULL") == []


def test_two_instances_share_the_work_and_one_takes_over(market: Market, tmp_path: Path) -> None:
    with (
        service("tickstream-alerting", env=market.env, log=tmp_path / "a") as first,
        service("tickstream-alerting", env=market.env, log=tmp_path / "b") as second,
    ):
        first.await_ready()
        second.await_ready()
        market.publish(market.ticks[:15_000])
        until(lambda: select(market.env, "SELECT 1 FROM alerts LIMIT 1"), first.log)
        first.end(signal.SIGKILL)
        market.publish(market.ticks[15_000:])
        expected = market.expected()
        until(lambda: market.stored() == expected, lambda: f"{first.log()}\n{second.log()}")
        until(lambda: market.published() == expected, second.log)


def test_while_postgresql_is_away_it_waits_and_says_so(market: Market, servers: Servers, tmp_path: Path) -> None:
    with service("tickstream-alerting", env=market.env, log=tmp_path / "log") as running:
        running.await_ready()
        market.publish(market.ticks[:10_000])
        servers.stop("postgres")
        try:
            market.publish(market.ticks[10_000:])
            until(lambda: not running.ready(), "still ready without PostgreSQL")
        finally:
            servers.start("postgres")
        expected = market.expected()
        until(lambda: market.stored() == expected, running.log)
        until(running.ready, running.log)
        assert running.end() == 0
    assert market.published() == expected


def test_what_can_not_be_read_is_left_to_the_processor_and_the_rest_flows_on(market: Market) -> None:
    good = Codecs().of(Tick)
    market.publish(market.ticks[:1000])
    publish(
        market.env,
        "stock_ticks",
        [("S00", b"\x00\x00"), ("S00", b"rubbish"), ("S00", good.encode(market.ticks[0])[:20])],
    )
    market.publish(market.ticks[1000:])
    must("tickstream-alerting", "--until-caught-up", env=market.env)
    assert market.stored() == market.expected()
    assert read_messages(market.env, "stock_ticks.dlq") == []
