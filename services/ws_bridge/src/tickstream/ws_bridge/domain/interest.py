"""Who wants which records, as those ask who decode them."""

from __future__ import annotations

from itertools import count
from typing import Protocol

from tickstream.ws_bridge.domain.entry import Route

_VERSIONS = count(1)


class Interest(Protocol):
    """What is wanted; may be asked in any thread."""

    version: int
    """Another one as soon as an answer is another one; no two interests ever have the same."""

    def wanted(self, route: Route) -> bool:
        """Whether anyone may want a route's records."""


def next_version() -> int:
    """A version that no interest had yet."""
    return next(_VERSIONS)
