"""The system view: what the services say of themselves, and how the stream reaches the page."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser import chromium_page
from tests.support.market import Market
from tests.support.programs import service
from tests.support.servers import Servers, isolated
from tests.support.tape import Tape
from tickstream.core.model import SystemMetrics

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

_WAIT = 60_000


def report(name: str, age: float, cpu: float, **metrics: float) -> SystemMetrics:
    """A whole report of some seconds ago."""
    figures = {"process_cpu_seconds_total": cpu, "process_resident_memory_bytes": 64e6, **metrics}
    return SystemMetrics(name, "one", time.time_ns() - int(age * 1e9), figures)


def test_services_are_shown_with_their_state_and_silent_ones_marked(servers: Servers, tmp_path: Path) -> None:
    with (
        isolated(servers) as env,
        Tape(env, ("AAA", "BBB")),
        service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge,
        chromium_page() as page,
    ):
        bridge.await_ready()
        market = Market(env)
        market.publish([report("analytics", 30, 1.0)])
        market.publish([report("sink", 4, 1.0, tickstream_sink_points_total=100, tickstream_sink_lag_records=7)])
        page.goto(f"{bridge.url}/?view=system")
        rows = page.get_by_test_id("services")
        sink = rows.locator("tr[data-service=sink]")
        expect(sink).to_contain_text("reports", timeout=_WAIT)
        market.publish([report("sink", 0, 1.4, tickstream_sink_points_total=500, tickstream_sink_lag_records=9)])
        expect(sink.locator("td").nth(1)).to_have_text(re.compile(r"^\d+$"), timeout=_WAIT)
        expect(sink.locator("td").nth(2)).to_have_text("9")
        expect(sink.locator("td").nth(4)).to_have_text("64 MB")
        expect(rows.locator("tr[data-service=analytics]")).to_contain_text("silent", timeout=_WAIT)
        rate = page.locator(".figure[data-name=rate] dd")
        expect(rate).to_have_text(re.compile(r"^[1-9]\d*$"), timeout=_WAIT)
        page.keyboard.press("s")
        expect(page.get_by_test_id("chart")).to_be_visible()
        assert "view=system" not in page.url
