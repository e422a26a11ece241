"""A whole day, sixteen hours of it, goes by on the chart within minutes: nothing is missing, and memory has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.programs import Running, service, until
from tests.support.servers import Servers, isolated
from tests.support.topics import read_rows

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(900)]

DAY = Path(__file__).parents[1] / "data" / "lean"
_WAIT = 120_000
_MEGABYTE = 1e6
_MOST_BYTES_A_BAR = 2_000
"""A bar with its indicators takes less than half of that."""


@pytest.fixture
def platform(servers: Servers, tmp_path: Path) -> Iterator[tuple[Running, dict[str, str]]]:
    """A bridge and a processor that wait for the day."""
    with isolated(servers) as shared:
        env = shared | {"PROCESSOR_ROLES": "bars", "TIMESERIES": "off"}
        with (
            service("tickstream-ws-bridge", env=env, log=tmp_path / "bridge.log") as bridge,
            service("tickstream-processor", env=env, log=tmp_path / "processor.log") as processor,
        ):
            bridge.await_ready()
            processor.await_ready()
            yield bridge, env


def heap(page: Page) -> float:
    """Bytes of objects that something still refers to."""
    browser = page.context.new_cdp_session(page)
    browser.send("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = browser.send("Runtime.getHeapUsage")
    browser.detach()
    return float(usage["usedSize"])


def test_a_day_goes_by_whole_and_memory_is_bounded(platform: tuple[Running, dict[str, str]], tmp_path: Path) -> None:
    bridge, env = platform
    replay = ("--source", "replay", "--path", str(DAY), "--speed", "720", "--symbols", "BAC")
    with chromium_page() as page, service("tickstream-producer", *replay, env=env, log=tmp_path / "log") as producer:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        # Nobody knows the symbol before its first trade: the page opens with whatever comes first.
        page.goto(f"{bridge.url}/?interval=1s")
        chart = page.get_by_test_id("chart")
        expect(chart).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        before = heap(page)
        until(lambda: producer.child.poll() is not None, "the day doesn't end", limit=600)
        assert producer.child.returncode == 0, producer.log()[-2000:]

        def expected() -> int:
            rows = read_rows(env, "bars")
            return len({row["start"] for row in rows if (row["symbol"], row["interval"]) == ("BAC", "1s")})

        def shown() -> int:
            return int(chart.get_attribute("data-bars") or 0)

        until(lambda: shown() == expected() > 10_000, lambda: f"{shown()} of {expected()} bars", limit=300)
        after = heap(page)
        assert after - before < shown() * _MOST_BYTES_A_BAR
        page.keyboard.press("f")
        expect(chart).to_have_attribute("data-visible", str(shown()))
        assert int(chart.get_attribute("data-places") or 0) <= 1440 / 2
        # Another series leaves nothing of this one behind.
        page.keyboard.press("6")
        expect(chart).to_have_attribute("data-interval", "1d")
        expect(chart).to_have_attribute("data-phase", "ready", timeout=_WAIT)
        until(lambda: heap(page) - before < 0.3 * (after - before) + 5 * _MEGABYTE, lambda: f"{heap(page):.0f} bytes")
        assert errors == []
