"""Makes the pictures of docs/dashboard.md from a running dashboard.

    tickstream demo                                                        # in another terminal, some minutes ahead
    uv run --with pillow python -m tools.screenshots http://localhost:8080

Writes `docs/screenshots/VIEW-WIDTH-THEME.png`: every view at each width in dark, the widest in light too.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser import chromium_page

_FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
_SIZES: Final = ((1440, 900), (820, 1180), (390, 844))
_COLOURS: Final = 128
_MOST_BYTES: Final = 150_000
_WAIT: Final = 60_000


VIEWS: Final[dict[str, Callable[[Page], object]]] = {
    "chart": lambda _page: None,
    "market": lambda page: page.get_by_test_id("show-table").click(),
    "alerts": lambda page: page.get_by_test_id("alerts-filters-open").click(),
    "analytics": lambda page: expect(page.get_by_test_id("market-figures-minute")).not_to_be_empty(timeout=_WAIT),
    "system": lambda page: expect(page.locator(".services tbody tr").first).to_be_visible(timeout=_WAIT),
}


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the dashboard is")
    parser.add_argument("--folder", type=Path, default=_FOLDER)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with chromium_page() as page:
        page.goto(given.url)
        page.evaluate("localStorage.setItem('tickstream.tour', 'seen')")
        for size in _SIZES:
            themes: tuple[Literal["dark", "light"], ...] = ("dark", "light") if size == _SIZES[0] else ("dark",)
            for theme in themes:
                for view, turn in VIEWS.items():
                    picture = _picture(page, f"{given.url}/?symbol=SPY&interval=1m&view={view}", size, theme, turn)
                    _write(given.folder / f"{view}-{size[0]}-{theme}.png", picture)


def _picture(
    page: Page, link: str, size: tuple[int, int], theme: Literal["dark", "light"], turn: Callable[[Page], object]
) -> bytes:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(link)
    expect(page.get_by_test_id("chart")).to_have_attribute("data-phase", "ready", timeout=_WAIT)
    expect(page.locator("#app")).to_have_attribute("data-connection", "live", timeout=_WAIT)
    turn(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(2_500)
    return page.screenshot()


def _write(path: Path, picture: bytes) -> None:
    """With few colours, which is what a screen of lines and letters has."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    if path.stat().st_size > _MOST_BYTES:
        raise SystemExit(f"{path.name} has {path.stat().st_size} bytes, more than {_MOST_BYTES}")


if __name__ == "__main__":
    main()
