"""Watches whether records come through, tells clients when they don't, and says whether the node can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.clients import Clients
from tickstream.ws_bridge.adapters.feed import Feed
from tickstream.ws_bridge.domain.canary import Canary
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_LOOK_SECONDS: Final = 0.1
_DEAF_SECONDS: Final = 8.0
"""After which another consumer is tried, though Kafka answers."""


class Health:
    """What keeps the node from its work.

    Args:
        feed: says whether Kafka answers, and reads with another consumer when it does and nothing comes.
        canary: says whether records come through.
        clients: are told.
        kafka: what reasons call the cluster.
        loaded: set once the topics have been read for the first snapshot.
        clock: for the canary's age.
        metrics: show it.
    """

    def __init__(
        self,
        feed: Feed,
        canary: Canary,
        clients: Clients,
        kafka: str,
        loaded: asyncio.Event,
        clock: Clock,
        metrics: BridgeMetrics,
    ) -> None:
        self._feed = feed
        self._canary = canary
        self._clients = clients
        self._kafka = kafka
        self._loaded = loaded
        self._clock = clock
        self._metrics = metrics
        self._fed = False
        self._healed = 0.0

    def reasons(self) -> Mapping[str, str]:
        """Why the node isn't ready, by part; empty when it is."""
        reasons = {}
        if self._clients.closing:
            reasons["bridge"] = "is shutting down"
        ailment = self._canary.ailment(self._clock.monotonic())
        if not self._feed.up:
            reasons["kafka"] = f"{self._kafka} doesn't answer"
        elif not self._loaded.is_set():
            reasons["topics"] = "are still being read for the first snapshot"
        elif ailment is not None:
            reasons["canary"] = ailment
        return reasons

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look(self._clock.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self, now: float) -> None:
        """Tell the clients what has changed since the last look, and try to hear again."""
        self._metrics.canary_age.set(self._canary.age(now))
        ailment = self._canary.ailment(now) if self._loaded.is_set() else None
        fed = self._feed.up and ailment is None
        if fed != self._fed:
            self._fed = fed
            self._tell(ailment)
        if self._feed.up and now - self._healed >= _DEAF_SECONDS and self._canary.deaf(now, _DEAF_SECONDS):
            self._healed = now
            _LOG.warning("reading_anew", reason=ailment)
            self._feed.begin_anew()

    def _tell(self, ailment: str | None) -> None:
        if self._fed:
            self._clients.tell_of_feed(None)
            return
        what = "Kafka doesn't answer" if ailment is None else "records don't come through"
        _LOG.warning("feed_down", reason=ailment or what)
        self._clients.tell_of_feed(f"{what}; what you have is getting old")
