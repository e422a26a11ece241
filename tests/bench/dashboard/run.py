"""The dashboard measured in Chromium: how soon it is there, how even its frames are, what it keeps in memory.

Trades come from Kafka through the processor and the bridge, all on this machine. Needs KAFKA_BOOTSTRAP_SERVERS.

Usage: python -m tests.bench.dashboard.run [--minutes N] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser
from rich.console import Console
from rich.table import Table

from tests.bench.bridge.trades import Trades
from tests.bench.dashboard.browser import (
    browser,
    frames,
    heap,
    heap_growth,
    keep_scrolling,
    opening,
    page_of,
    trades_a_second,
)
from tests.bench.dashboard.reference import load_of, write_pages
from tests.support.programs import service
from tickstream.cli.bench.table import write_json
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings, load

_OPENINGS: Final = 7
_WARM_SECONDS: Final = 45.0
"""A broker that has just started compiles as it runs, and so does the page."""
_FRAME_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Figure:
    """One measured value beside its limit; a limit of 0 is none."""

    what: str
    value: float
    unit: str
    limit: float = 0.0
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value < self.limit


@contextmanager
def platform(symbols: int, rate: int, *others: Path) -> Iterator[list[str]]:
    """The dashboard's address, over so many trades a second of so many symbols in turn; then those of other pages."""
    env = {**os.environ, "KAFKA_TOPIC_PREFIX": f"bench-{secrets.token_hex(4)}.", "LOG_LEVEL": "ERROR"}
    for name in ("DATABASE_URL", "TIMESERIES"):
        env.pop(name, None)
    kafka = Kafka(load(KafkaSettings, "BENCH", [], env))
    kafka.ensure_topics()
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
        own = [env, *(env | {"WS_BRIDGE_STATIC_DIR": str(other)} for other in others)]
        bridges = [stack.enter_context(service("tickstream-ws-bridge", env=one, log=log)) for one in own]
        roles = env | {"PROCESSOR_ROLES": "bars"}
        stack.enter_context(service("tickstream-processor", "--calendar", "24/7", env=roles, log=log))
        stack.enter_context(Trades(kafka, symbols, rate))
        for bridge in bridges:
            bridge.await_ready()
        time.sleep(_WARM_SECONDS)
        yield [bridge.url for bridge in bridges]


def openings(found: Browser, url: str) -> Iterator[Figure]:
    """How soon the page is there."""
    seen = [opening(found, url) for _ in range(_OPENINGS)]
    yield Figure("first paint, median", median(one.first_paint_ms for one in seen), "ms", 1_000)
    yield Figure("first paint, slowest", max(one.first_paint_ms for one in seen), "ms", 1_000)
    yield Figure("interactive, median", median(one.interactive_ms for one in seen), "ms", 2_000)
    yield Figure("interactive, slowest", max(one.interactive_ms for one in seen), "ms", 2_000)
    yield Figure("JavaScript, gzipped", seen[0].script_bytes / 1e3, "KB", 250)


def evenness(found: Browser, url: str, what: str, *, scrolled: bool = False) -> Iterator[Figure]:
    """How even the frames of a view are."""
    with page_of(found, url) as page:
        page.wait_for_timeout(5_000)
        if scrolled:
            keep_scrolling(page)
        seen = frames(page, _FRAME_SECONDS)
        trades = trades_a_second(page)
    yield Figure(f"{what}: frames under 20 ms", 100 * seen.in_time, "%", 95, at_least=True)
    yield Figure(f"{what}: frame, p95", seen.p95_ms, "ms")
    yield Figure(f"{what}: frame, p99", seen.p99_ms, "ms")
    yield Figure(f"{what}: slowest frame", seen.worst_ms, "ms")
    yield Figure(f"{what}: trades arrived", trades, "/s")


def memory(found: Browser, url: str, minutes: float) -> Iterator[Figure]:
    """What the page keeps, once it has been open for a minute."""
    with page_of(found, url) as page:
        page.wait_for_timeout(60_000)
        sizes = heap_growth(page, minutes)
    yield Figure("heap at the beginning", sizes[0], "MB")
    yield Figure(f"heap growth in {minutes:g} min", sizes[-1] - sizes[0], "MB", 5)


def beside(found: Browser) -> Iterator[Figure]:
    """One symbol's chart with volume, VWAP, bands and RSI: the dashboard's, and that of lightweight-charts."""
    with tempfile.TemporaryDirectory() as folder:
        write_pages(Path(folder))
        with platform(1, 20, Path(folder)) as urls:
            for url, what in zip(urls, ("dashboard, one symbol", "lightweight-charts"), strict=True):
                with page_of(found, f"{url}/?symbol=S000&interval=1m") as page:
                    page.wait_for_timeout(5_000)
                    with load_of(page) as load:
                        seen = frames(page, _FRAME_SECONDS)
                    yield Figure(f"{what}: frames under 20 ms", 100 * seen.in_time, "%")
                    yield Figure(f"{what}: frame, p95", seen.p95_ms, "ms")
                    yield Figure(f"{what}: frame, p99", seen.p99_ms, "ms")
                    yield Figure(f"{what}: main thread busy", 100 * load[0].busy, "%")
                    yield Figure(f"{what}: of it in scripts", 100 * load[0].script, "%")
                    yield Figure(f"{what}: heap", heap(page), "MB")


def figures(minutes: float) -> Iterator[Figure]:
    """Everything, in order."""
    with browser() as found:
        with platform(60, 60 * 20) as (url,):
            yield from openings(found, url)
            yield from evenness(found, f"{url}/?interval=1s", "60 symbols, chart of 1s")
            yield from evenness(found, f"{url}/?view=market", "60 symbols, market")
            if minutes > 0:
                yield from memory(found, f"{url}/?interval=1m", minutes)
        with platform(500, 2_000) as (url,):
            yield from evenness(found, f"{url}/?view=market", "500 symbols, scrolled", scrolled=True)
        yield from beside(found)


def show(found: list[Figure]) -> None:
    """Print them beside their limits."""
    table = Table("what", "measured", "limit", "", box=None)
    for one in found:
        sign = "at least" if one.at_least else "under"
        limit, verdict = (
            (f"{sign} {one.limit:g} {one.unit}", "holds" if one.holds else "MISSED") if one.limit else ("", "")
        )
        table.add_row(one.what, f"{one.value:,.1f} {one.unit}", limit, verdict)
    Console(width=None if os.isatty(1) else 120).print(table)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.dashboard.run")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args(arguments)
    found = []
    for figure in figures(chosen.minutes):
        sys.stderr.write(f"{figure.what}: {figure.value:,.1f} {figure.unit}\n")
        found.append(figure)
    show(found)
    if chosen.json is not None:
        write_json(chosen.json, [asdict(one) for one in found])


if __name__ == "__main__":
    main(sys.argv[1:])
