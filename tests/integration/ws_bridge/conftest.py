from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.market import Market, bar, tick
from tests.support.programs import Running, service
from tests.support.servers import Servers, isolated
from tickstream.core.model import Record

SYMBOLS = ("AIG", "BAC", "SPY")


@pytest.fixture(scope="module")
def env(servers: Servers) -> Iterator[dict[str, str]]:
    with isolated(servers) as found:
        yield found


@pytest.fixture(scope="module")
def market(env: dict[str, str]) -> Market:
    """Topics with a trade and some bars of each symbol."""
    made = Market(env)
    first: list[Record] = [tick(symbol, 1, 50.0) for symbol in SYMBOLS]
    first += [bar(symbol, number, close=float(number)) for symbol in SYMBOLS for number in range(10)]
    first += [bar(symbol, 10, "partial") for symbol in SYMBOLS]
    made.publish(first)
    return made


@pytest.fixture(scope="module")
def bridge(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge with patience of a few seconds only."""
    static = tmp_path_factory.mktemp("static")
    write_pages(static)
    own = {
        "WS_BRIDGE_STATIC_DIR": str(static),
        "WS_BRIDGE_SLOW_STEP_SECONDS": "1",
        "WS_BRIDGE_SLOW_LIMIT_SECONDS": "2",
        "WS_BRIDGE_CONNECT_SECONDS": "2",
        "WS_BRIDGE_MAX_SYMBOLS": "50",
        "WS_BRIDGE_MAX_SUBSCRIPTIONS": "5",
    }
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path_factory.mktemp("log") / "bridge.log") as running:
        running.await_ready()
        yield running


def write_pages(folder: Path) -> None:
    """What a built dashboard looks like."""
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Tickstream</title>")
    (folder / "assets" / "index-B1nd3rQz.js").write_text("console.log('tick');\n" * 100)
    (folder / "assets" / "icon.png").write_bytes(b"\x89PNG")
    (folder.parent / "secret.txt").write_text("not to be seen")


def metric(bridge: Running, name: str) -> float:
    """One of the bridge's figures, labels included in its name; 0 when it isn't there yet."""
    with urllib.request.urlopen(f"{bridge.url}/metrics", timeout=10) as page:
        for line in page.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
    return 0.0
