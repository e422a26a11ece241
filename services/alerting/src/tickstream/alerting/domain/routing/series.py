"""Rules that fire again and again for the same symbol."""

from __future__ import annotations

from dataclasses import dataclass, field

from tickstream.alerting.domain.routing.plan import Flapping


@dataclass(slots=True)
class Series:
    """The last times at which a rule fired for a symbol.

    Attributes:
        announced: the alert with which flapping began, of which people are told.
    """

    fired: list[int] = field(default_factory=list)
    announced: str = ""

    def flaps_until(self, flapping: Flapping, now: int) -> int:
        """Until when it flaps if it doesn't fire again; 0 when it doesn't."""
        if len(self.fired) < flapping.firings:
            return 0
        until = self.fired[-flapping.firings] + flapping.within_ns
        return until if now < until else 0

    def fire(self, flapping: Flapping, alert_id: str, now: int) -> None:
        """It fires once more."""
        before = self.flaps_until(flapping, now)
        self.fired = [*self.fired, now][-flapping.firings :]
        if not before and self.flaps_until(flapping, now):
            self.announced = alert_id
