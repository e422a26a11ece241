"""The same chart feed drawn by TradingView's lightweight-charts, in a page of its own beside the dashboard's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.support.node import installed

_PAGES: Final = Path(__file__).parent / "reference"
_VENDORED: Final = (
    "lightweight-charts/dist/lightweight-charts.standalone.production.js",
    "socket.io-client/dist/socket.io.min.js",
)


@dataclass(frozen=True)
class Load:
    """What a page takes of the browser's main thread, as shares of the time."""

    busy: float
    script: float


def write_pages(folder: Path) -> None:
    """Make the reference's page, with nothing that is loaded from elsewhere."""
    shutil.copytree(_PAGES, folder, dirs_exist_ok=True)
    for name in _VENDORED:
        shutil.copy(installed() / "node_modules" / name, folder)


@contextmanager
def load_of(page: Page) -> Iterator[list[Load]]:
    """Measure the main thread during the block; the list has the result after it."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found: list[Load] = []

    def now() -> dict[str, float]:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in metrics}

    before = now()
    yield found
    after = now()
    took = after["Timestamp"] - before["Timestamp"]
    found.append(
        Load(
            (after["TaskDuration"] - before["TaskDuration"]) / took,
            (after["ScriptDuration"] - before["ScriptDuration"]) / took,
        )
    )
    session.detach()
