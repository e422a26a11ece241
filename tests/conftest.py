"""What every test may use."""

from __future__ import annotations

pytest_plugins = ["tests.support.leftovers", "tests.support.workers", "tests.support.servers"]
