"""Whether this node still hears and speaks: records of its own that go the way of everyone's.

A canary is published to Kafka, read back between the market's records, handed to the hub, and has returned when a
flush that began after that has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from tickstream.ws_bridge.domain.positions import Offsets


@dataclass(frozen=True, slots=True)
class _Flight:
    offset: int
    since: float


class Canary:
    """Follows one canary of each partition from Kafka to the end of a flush.

    What Kafka hasn't taken doesn't count: that says nothing of the way back.

    Attributes:
        limit: seconds from Kafka to the end of a flush; longer is an ailment.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._flights: dict[int, _Flight] = {}
        self._heard: dict[int, int] = {}
        self._heard_at: dict[int, float] = {}
        self._boarded: dict[int, int] = {}
        self._returned: dict[int, int] = {}

    def published(self, partition: int, offset: int, now: float) -> None:
        """Kafka has taken a canary; `now` is in seconds, on a clock that never goes back, as everywhere here."""
        if offset >= self._returned.get(partition, 0):
            self._flights.setdefault(partition, _Flight(offset, now))

    def heard(self, reached: Offsets, now: float) -> None:
        """The hub was given what lies before these offsets."""
        self._heard.update(reached)
        self._heard_at.update(dict.fromkeys(reached, now))

    def flush_began(self) -> None:
        """What was heard until now goes with this flush."""
        self._boarded = dict(self._heard)

    def flush_ended(self) -> None:
        """What went with the flush has returned."""
        self._returned = self._boarded
        for partition, offset in self._returned.items():
            flight = self._flights.get(partition)
            if flight is not None and flight.offset < offset:
                del self._flights[partition]

    def age(self, now: float) -> float:
        """Seconds that the one that is longest under way has been so; 0 when all have returned."""
        return max((now - flight.since for flight in self._flights.values()), default=0.0)

    def deaf(self, now: float, seconds: float) -> bool:
        """Whether nothing at all has come for so long from where something should have: it isn't just late."""
        return any(
            now - max(flight.since, self._heard_at.get(partition, flight.since)) > seconds
            for partition, flight in self._flights.items()
            if flight.offset >= self._heard.get(partition, 0)
        )

    def ailment(self, now: float) -> str | None:
        """Why records don't come through; None: they do."""
        age = self.age(now)
        if age <= self.limit:
            return None
        partition, flight = min(self._flights.items(), key=lambda one: one[1].since)
        heard = flight.offset < self._heard.get(partition, 0)
        place = f"partition {partition} of system_metrics"
        return f"what Kafka took in {place} {age:.1f} s ago {'was not sent on' if heard else 'has not come'}"
