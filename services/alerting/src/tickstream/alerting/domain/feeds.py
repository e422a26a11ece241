"""Which sources of trades are down, and which symbols halted.

A symbol is lost when all sources that it had trades of within a day are down. That it is halted
says nothing of the kind: its trades would be seen if there were any. So time passes for it, up to
where it was said to be halted, or to go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tickstream.core.model import MarketEvent
from tickstream.core.outages import EVER, FOREVER, Outages, Stretch, matters

_RECENT: Final = 86_400_000_000_000
_MOST: Final = 256


class Feeds:
    """What `feed_down`, `feed_up`, `halt` and `resume` have told, in whatever order they came."""

    def __init__(self) -> None:
        self._outages = Outages()
        self._downs: dict[str, list[int]] = {}
        self._newest = 0

    def take(self, event: MarketEvent) -> bool:
        """Note an event; says whether it is about a feed or a symbol's trading."""
        if not matters(event):
            return False
        self._outages.take(event)
        if event.type == "feed_down" and event.source:
            downs = {*self._downs.get(event.source, ()), event.ts_event}
            self._downs[event.source] = sorted(downs)[-_MOST:]
            self._newest = max(self._newest, event.ts_event)
        return True

    def went_down(self, since: int, until: int = FOREVER) -> list[int]:
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

    def halts(self, symbol: str) -> Sequence[Stretch]:
        """When a symbol's trading was said to be halted."""
        return self._outages.halted.get(symbol, ())

    def halted_until(self, symbol: str) -> int:
        """The latest time at which a symbol's trading was said to be halted, or to go on; 0 when it never was."""
        known = (ts for stretch in self.halts(symbol) for ts in stretch if EVER < ts < FOREVER)
        return max(known, default=0)
