"""What is watched on its way from Kafka to the clients."""

from __future__ import annotations

from dataclasses import dataclass

from tickstream.ws_bridge.domain.canary import Canary
from tickstream.ws_bridge.domain.lateness import Lateness


@dataclass(frozen=True, slots=True)
class Journey:
    """Whether records come through, and whether they do in time."""

    canary: Canary
    lateness: Lateness

    def flush_began(self) -> None:
        """What has come until now goes with this flush."""
        self.canary.flush_began()
        self.lateness.flush_began()

    def flush_ended(self, now_ns: int) -> None:
        """What went with the flush has left."""
        self.canary.flush_ended()
        self.lateness.flush_ended(now_ns)
