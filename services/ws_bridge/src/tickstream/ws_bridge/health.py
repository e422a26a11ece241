"""Watches whether records come through, tells clients when they don't, and says whether the node can do its work."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.clients import Clients
from tickstream.ws_bridge.adapters.feed import Feed
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.journey import Journey
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)
_LOOK_SECONDS: Final = 0.1
_DEAF_SECONDS: Final = 8.0
"""After which another consumer is tried, though Kafka answers."""


class Health:
    """What keeps the node from its work.

    Args:
        feed: says whether Kafka answers, and reads with another consumer when it does and nothing comes.
        journey: says whether records come through, and in time.
        hub: is told when there is more to do than can be done.
        clients: are told.
        kafka: what reasons call the cluster.
        loaded: set once the topics have been read for the first snapshot.
        clock: for the canary's age.
        metrics: show it.
    """

    def __init__(
        self,
        feed: Feed,
        journey: Journey,
        hub: Hub,
        clients: Clients,
        kafka: str,
        loaded: asyncio.Event,
        clock: Clock,
        metrics: BridgeMetrics,
    ) -> None:
        self._feed = feed
        self._canary = journey.canary
        self._lateness = journey.lateness
        self._hub = hub
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
        if self._lateness.lagging:
            reasons["lag"] = f"records are sent {self._lateness.lag:.1f} s late"
        return reasons

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look(self._clock.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self, now: float) -> None:
        """Tell the clients what has changed since the last look, and try to hear again."""
        age = self._canary.age(now)
        self._metrics.canary_age.set(age)
        ailment = self._ailment(now)
        fed = self._feed.up and ailment is None
        if fed != self._fed:
            self._fed = fed
            self._tell(ailment)
        if self._feed.up and now - self._healed >= _DEAF_SECONDS and self._canary.deaf(now, _DEAF_SECONDS):
            self._healed = now
            _LOG.warning("reading_anew", reason=ailment)
            self._feed.begin_anew()
        self._look_at_lag(now, age)

    def _ailment(self, now: float) -> str | None:
        """Why nothing comes; what comes late is a lag, and told as such."""
        deaf = self._loaded.is_set() and self._canary.deaf(now, self._canary.limit)
        return self._canary.ailment(now) if deaf else None

    def _look_at_lag(self, now: float, canary_age: float) -> None:
        """Tell the clients that records come late, or that they don't any more."""
        if not (self._fed and self._loaded.is_set()):
            self._lateness.forget()
            return
        told = self._lateness.judge(now, self._clock.now_ns(), canary_age)
        self._metrics.lag.set(self._lateness.lag)
        if told is not None:
            self._hub.overloaded = self._lateness.lagging
            _LOG.warning(told, seconds=round(self._lateness.lag, 3))
            self._clients.tell_of_lag(told, self._lateness.lag)

    def _tell(self, ailment: str | None) -> None:
        if self._fed:
            self._clients.tell_of_feed(None)
            return
        what = "Kafka doesn't answer" if ailment is None else "records don't come through"
        _LOG.warning("feed_down", reason=ailment or what)
        self._clients.tell_of_feed(f"{what}; what you have is getting old")
