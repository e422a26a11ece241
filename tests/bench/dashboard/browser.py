"""A Chromium, and what is measured in its pages."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import QUIET, chromium

_SIZE: Final = {"width": 1440, "height": 900}
_WAIT_MS: Final = 60_000
_SLOW_FRAME_MS: Final = 20.0
_MEGABYTE: Final = 1e6

_WATCH_OPENING: Final = """
const look = () => {
    const chart = document.querySelector('[data-testid=chart]');
    const price = document.querySelector('[data-testid^=price-][data-value]');
    if (chart?.dataset.phase !== 'ready' || price === null) { requestAnimationFrame(look); return; }
    // Painted, and free for a click: the task after the next frame.
    requestAnimationFrame(() => setTimeout(() => {
        document.documentElement.dataset.interactiveAt = performance.now();
    }));
};
requestAnimationFrame(look);
"""
_FIRST_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_INTERACTIVE: Final = "document.documentElement.dataset.interactiveAt"
_SCRIPTS: Final = (
    "performance.getEntriesByType('resource').map(({name}) => name).filter((name) => name.endsWith('.js'))"
)
_FRAMES: Final = """(seconds) => new Promise((resolve) => {
    const times = [];
    const end = performance.now() + seconds * 1000;
    const next = (at) => { times.push(at); if (at < end) requestAnimationFrame(next); else resolve(times); };
    requestAnimationFrame(next);
})"""
_SCROLL: Final = """() => {
    const list = document.querySelector('.market-scroller');
    let way = 12;
    const step = () => {
        const before = list.scrollTop;
        list.scrollTop += way;
        if (list.scrollTop === before) way = -way;
        requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
}"""


@dataclass(frozen=True)
class Opening:
    """Milliseconds from the request of the page to what its reader has; bytes of its JavaScript, gzipped."""

    first_paint_ms: float
    interactive_ms: float
    script_bytes: int


@dataclass(frozen=True)
class Frames:
    """How long frames took; `in_time` is the share that took less than 20 ms."""

    in_time: float
    p95_ms: float
    p99_ms: float
    worst_ms: float


@contextmanager
def browser() -> Iterator[Browser]:
    """A fresh one, which measures memory exactly."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=[*QUIET, "--enable-precise-memory-info"])
        try:
            yield found
        finally:
            found.close()


@contextmanager
def page_of(found: Browser, url: str) -> Iterator[Page]:
    """The page at this address, with an empty cache and memory, once it can be used."""
    context = found.new_context(viewport={"width": _SIZE["width"], "height": _SIZE["height"]})
    try:
        page = context.new_page()
        page.add_init_script(_WATCH_OPENING)
        page.goto(url)
        page.locator("html[data-interactive-at]").wait_for(state="attached", timeout=_WAIT_MS)
        yield page
    finally:
        context.close()


def opening(found: Browser, url: str) -> Opening:
    """Open the page once."""
    with page_of(found, url) as page:
        scripts = page.evaluate(_SCRIPTS)
        size = sum(len(gzip.compress(page.request.get(script).body(), 9)) for script in scripts)
        return Opening(page.evaluate(_FIRST_PAINT), float(page.evaluate(_INTERACTIVE)), size)


def frames(page: Page, seconds: float) -> Frames:
    """Count the frames of so long."""
    times = page.evaluate(_FRAMES, seconds)
    took = np.diff(np.asarray(times))
    p95, p99 = np.percentile(took, [95, 99])
    return Frames(float(np.mean(took < _SLOW_FRAME_MS)), float(p95), float(p99), float(took.max()))


def trades_a_second(page: Page) -> float:
    """As the dashboard counts what arrives."""
    shown = page.locator(".status-bar dd").first.text_content() or "0"
    return float(shown.replace(",", ""))


def keep_scrolling(page: Page) -> None:
    """Scroll the list up and down from now on, 12 px a frame."""
    page.evaluate(_SCROLL)


def heap(page: Page) -> float:
    """Megabytes of objects that something still refers to."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(usage["usedSize"]) / _MEGABYTE


def heap_growth(page: Page, minutes: float) -> list[float]:
    """The heap at the beginning, and each minute of so many."""
    sizes = [heap(page)]
    until = time.monotonic() + minutes * 60
    while (left := until - time.monotonic()) > 0:
        page.wait_for_timeout(min(60.0, left) * 1000)
        sizes.append(heap(page))
    return sizes
