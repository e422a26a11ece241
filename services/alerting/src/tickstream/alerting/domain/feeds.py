"""Which sources of trades are down, and of which symbols nothing is seen any more for that.

A symbol is lost when all sources that it had trades of within a day are down. That it is halted
says nothing of the kind: its trades would be seen if there were any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tickstream.core.model import MarketEvent
from tickstream.core.outages import Outages

EVER: Final = 2**63 - 1
_RECENT: Final = 86_400_000_000_000
_MOST: Final = 256


class Feeds:
    """What `feed_down` and `feed_up` have told, in whatever order they came."""

    def __init__(self) -> None:
        self._outages = Outages()
        self._downs: dict[str, list[int]] = {}
        self._newest = 0

    def take(self, event: MarketEvent) -> bool:
        """Note an event; says whether it is about a feed."""
        if event.type not in ("feed_down", "feed_up") or not event.source:
            return False
        self._outages.take(event)
        if event.type == "feed_down":
            downs = {*self._downs.get(event.source, ()), event.ts_event}
            self._downs[event.source] = sorted(downs)[-_MOST:]
            self._newest = max(self._newest, event.ts_event)
        return True

    def went_down(self, since: int, until: int = EVER) -> list[int]:
        """When any source was said to go down within [since, until), in order: after the trades of that moment."""
        if self._newest < since:
            return []
        return sorted({ts for downs in self._downs.values() for ts in downs if since <= ts < until})

    def are_down(self, sources: Mapping[str, int], at: int) -> bool:
        """Whether nothing comes of a symbol at a time.

        Args:
            sources: the symbol's, with the event time of the last trade of each.
            at: event time.
        """
        recent = [source for source, latest in sources.items() if latest > at - _RECENT]
        return any(begin <= at < end for begin, end in self._outages.down(recent))
