"""Ports for what a test starts, such that nobody else gets them by chance while it is stopped.

Each worker of a run has a range of its own, below the ports that systems hand out to clients'
connections, and gives no port of it twice.
"""

from __future__ import annotations

import os
import random
from typing import Final

from tickstream.cli.stack.ports import is_free

_FIRST: Final = 20_000
_COUNT: Final = 11_000
_GIVEN: Final[set[int]] = set()


def spare_port() -> int:
    """A free port, and the next one is nobody's either: Kafka's controller takes it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    each = _COUNT // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first = _FIRST + worker * each
    while True:
        # Left to chance for the sake of other runs at the same time.
        port = random.randrange(first, first + each - 1)  # noqa: S311 - not a secret
        if {port, port + 1}.isdisjoint(_GIVEN) and is_free(port) and is_free(port + 1):
            _GIVEN.update((port, port + 1))
            return port
