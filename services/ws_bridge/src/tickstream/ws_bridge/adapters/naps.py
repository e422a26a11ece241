"""Trades aren't read while no client of this node wants them."""

from __future__ import annotations

import asyncio
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.feed import Feed
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.protocol import RefusalError
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_WAKING_SECONDS: Final = 15.0


class Naps:
    """Lets the feed rest from the trades, and wakes it for whoever asks for some.

    Who does waits until the feed has come to where the topic ended then: snapshots are as good as those of a node that
    has just started, or better.

    Args:
        hub: knows who reads.
        feed: rests and goes on; `awake` is to be called when it has caught up.
        patience: seconds without a reader until then.
        clock: for them.
        metrics: show it.
    """

    def __init__(
        self,
        hub: Hub,
        feed: Feed,
        patience: float,
        clock: Clock,
        metrics: BridgeMetrics,
    ) -> None:
        self._hub = hub
        self._feed = feed
        self._patience = patience
        self._clock = clock
        self._metrics = metrics
        self._read_at = clock.monotonic()
        self._called = False
        self._reading = asyncio.Event()
        self._reading.set()

    @property
    def resting(self) -> bool:
        """Whether there are trades that were not read because nobody wanted them."""
        return not self._reading.is_set()

    def look(self) -> None:
        """Begin to rest if nobody has read trades for long enough."""
        now = self._clock.monotonic()
        if self.resting:
            return
        if any(one.channel == "ticks" for one in self._hub.subscriptions.all.values()):
            self._read_at = now
        elif now - self._read_at >= self._patience:
            _LOG.info("resting", seconds=self._patience)
            self._reading.clear()
            self._metrics.resting.set(1)
            self._feed.rest()

    async def end(self) -> None:
        """Wait until trades are read.

        Raises:
            RefusalError: that takes too long.
        """
        if not self._called:
            self._called = True
            self._feed.wake()
        try:
            async with asyncio.timeout(_WAKING_SECONDS):
                await self._reading.wait()
        except TimeoutError:
            raise RefusalError("internal", "the trades are still being read; try again in a moment") from None

    def awake(self) -> None:
        """The feed has caught up."""
        self._read_at = self._clock.monotonic()
        self._called = False
        self._reading.set()
        self._metrics.resting.set(0)
