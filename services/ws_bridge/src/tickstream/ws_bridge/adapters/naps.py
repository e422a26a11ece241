"""Partitions of the trades aren't read while no client of this node needs them."""

from __future__ import annotations

import asyncio
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.feed import Feed
from tickstream.ws_bridge.domain.choice import Choice
from tickstream.ws_bridge.domain.homes import Partitions
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.protocol import RefusalError, Subscribe
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_WAKING_SECONDS: Final = 15.0


class Naps:
    """Lets partitions of the trades rest, and wakes them for whoever asks for symbols that may be there.

    Who does waits until the feed has come to where they ended then: snapshots are as good as those of a node that
    has just started, or better.

    Args:
        hub: knows who reads what, and where that is.
        feed: lets partitions rest and goes on with them; `awake` is to be called when it has caught up.
        patience: seconds without a reader until then.
        clock: for them.
        metrics: show it.
    """

    def __init__(self, hub: Hub, feed: Feed, patience: float, clock: Clock, metrics: BridgeMetrics) -> None:
        self._hub = hub
        self._feed = feed
        self._choice = Choice(hub.homes, patience)
        self._clock = clock
        self._metrics = metrics
        self._came = asyncio.Event()
        self._rested: set[int] = set()

    def lacks(self, request: Subscribe) -> bool:
        """Whether not all is read that a client asks for."""
        return bool(self._lacking(request))

    def look(self) -> None:
        """Let those rest that nobody has needed for long enough, and wake those that somebody needs."""
        wanted = self._hub.subscriptions.symbols("ticks")
        idle, woken = self._choice.look(self._clock.monotonic(), wanted)
        if idle:
            _LOG.info("resting", partitions=sorted(idle))
            self._feed.rest(idle)
        if woken:
            self._feed.wake(woken)
        self._show()

    async def end(self, request: Subscribe) -> None:
        """Wait until all is read that a client asks for.

        Raises:
            RefusalError: that takes too long.
        """
        try:
            async with asyncio.timeout(_WAKING_SECONDS):
                while lacking := self._lacking(request):
                    if woken := self._choice.ask(lacking):
                        self._feed.wake(woken)
                    await self._came.wait()
        except TimeoutError:
            raise RefusalError("internal", "the trades are still being read; try again in a moment") from None

    def rested(self, partitions: Partitions) -> None:
        """The feed reads none of these any more."""
        self._rested |= partitions
        self._show()

    def woken(self, partitions: Partitions) -> None:
        """The feed reads these again."""
        self._rested -= partitions
        self._show()

    def awake(self, partitions: Partitions) -> None:
        """The feed has caught up with these."""
        self._choice.awake(partitions, self._clock.monotonic())
        self._came.set()
        self._came = asyncio.Event()
        self._show()

    def _lacking(self, request: Subscribe) -> Partitions:
        if request.channel != "ticks":
            return frozenset()
        symbols = None if request.everything else [one for one in request.symbols if request.scope.has(one)]
        return self._choice.lacking(symbols)

    def _show(self) -> None:
        self._metrics.partitions_read.set(len(self._choice.read))
        self._metrics.resting.set(bool(self._rested) and self._rested == self._hub.homes.all)
