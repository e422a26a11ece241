"""The dashboard that is served stays small."""

from __future__ import annotations

import gzip
from importlib.resources import files

LIMIT = 250_000


def test_the_javascript_is_under_its_limit_gzipped() -> None:
    assets = (files("tickstream.ws_bridge") / "static" / "assets").iterdir()
    scripts = [asset.read_bytes() for asset in assets if asset.name.endswith(".js")]
    assert scripts
    assert sum(len(gzip.compress(script)) for script in scripts) < LIMIT
