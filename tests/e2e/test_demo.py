"""The demo as its user meets it: one command, a page that moves, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page
from tests.support.programs import program, until
from tests.support.servers import unnamed_servers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAIT = 60_000  # milliseconds that the page gets for anything


class Demo:
    """A running demo, in a place of its own."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path, state: Path, env: dict[str, str]) -> None:
        self.child = child
        self.state = state
        self.env = env
        self._log = log

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def dashboard(self) -> str:
        """The dashboard's address, once the demo says that everything is up."""
        until(lambda: "Ctrl-C stops" in self.said() or self.child.poll() is not None, self.said, limit=300)
        found = re.search(r"dashboard +(http://\S+)", self.said())
        assert found, self.said()
        return found[1]

    def left(self) -> list[str]:
        """The processes of this demo that still run."""
        return [
            " ".join(process.info["cmdline"] or [])
            for process in psutil.process_iter(["cmdline", "environ", "cwd", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and process.pid != os.getpid()
            and (
                (process.info["environ"] or {}).get("TICKSTREAM_STATE_DIR") == str(self.state)
                or str(process.info["cwd"] or "").startswith(str(self.state))
            )
        ]


@contextmanager
def demo(state: Path, *arguments: str) -> Iterator[Demo]:
    env = unnamed_servers(os.environ) | {"TICKSTREAM_STATE_DIR": str(state)}
    log = state.parent / "demo.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [program("tickstream"), "demo", "--headless", *arguments], env=env, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Demo(child, log, state, env)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
            child.wait(120)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium_page() as page:
        yield page


def test_one_command_gives_a_page_that_moves_and_ctrl_c_ends_all_of_it(tmp_path: Path, page: Page) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    with demo(tmp_path / "state") as running:
        page.goto(running.dashboard())
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live", timeout=WAIT)
        for symbol in ("AIG", "BAC", "SPY"):
            expect(page.get_by_test_id(f"price-{symbol}")).to_have_attribute(
                "data-value", re.compile(r"\d"), timeout=WAIT
            )
        price = page.get_by_test_id("price-SPY")
        first = price.get_attribute("data-value")
        expect(price).not_to_have_attribute("data-value", first or "", timeout=WAIT)
        page.get_by_test_id("timeframe-1m").click()
        chart = page.get_by_test_id("chart")
        until(lambda: int(chart.get_attribute("data-bars") or 0) >= 2, "the chart shows no bars")
        assert follow(running, "stock_ticks", "--symbol", "SPY", "-n", "3") == 3
        assert follow(running, "indicators", "--from", "beginning", "-n", "3") == 3
        expect(page.get_by_test_id("alerts").locator("li[data-state]").first).to_be_visible(timeout=WAIT * 3)
        running.child.send_signal(signal.SIGINT)
        assert running.child.wait(120) == 0
    until(lambda: not running.left(), lambda: f"left behind: {running.left()}", limit=20)
    assert not [problem for problem in problems if "WebSocket" not in problem and "ERR_" not in problem]


def follow(running: Demo, topic: str, *arguments: str) -> int:
    """How many JSON lines a tail in a second terminal prints."""
    command = [program("tickstream"), "tail", topic, "--format", "json", *arguments]
    done = subprocess.run(command, env=running.env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return len([json.loads(line) for line in done.stdout.splitlines()])


def test_after_kill_9_nothing_stays_and_a_second_start_is_fresh(tmp_path: Path, page: Page) -> None:
    with demo(tmp_path / "state") as first:
        first.dashboard()
        first.child.kill()
        first.child.wait()
    with demo(tmp_path / "state") as second:
        page.goto(second.dashboard())
        expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live", timeout=WAIT)
        price = page.get_by_test_id("price-SPY")
        expect(price).to_have_attribute("data-value", re.compile(r"\d"), timeout=WAIT)
        before = price.get_attribute("data-value")
        expect(price).not_to_have_attribute("data-value", before or "", timeout=WAIT)
        second.child.send_signal(signal.SIGTERM)
        assert second.child.wait(120) == 0
    until(lambda: not second.left(), lambda: f"left behind: {second.left()}", limit=20)


def test_a_second_demo_at_the_same_time_is_refused(tmp_path: Path) -> None:
    with demo(tmp_path / "state") as first:
        until(lambda: (tmp_path / "state").exists() and "kafka" in first.said(), first.said)
        again = subprocess.run(
            [program("tickstream"), "demo", "--headless"],
            env=first.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert again.returncode == 1
        assert "runs already" in again.stderr
