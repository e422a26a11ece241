"""Silences: alerts that nobody wants to hear of for a while."""

from __future__ import annotations

from dataclasses import dataclass

from tickstream.alerting.domain.routing.matching import Labels, Match


@dataclass(frozen=True, slots=True)
class Silence:
    """Who doesn't want to hear of what, until when, and why; times are nanoseconds since the epoch."""

    id: str
    match: Match
    starts: int
    ends: int
    by: str
    comment: str

    def covers(self, labels: Labels, now: int) -> bool:
        """Whether it keeps an alert with these labels quiet now."""
        return self.starts <= now < self.ends and self.match.fits(labels)
