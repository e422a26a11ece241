"""What was configured: who is told of which alerts, how often, and what makes others keep quiet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tickstream.alerting.domain.routing.matching import Labels, Match


@dataclass(frozen=True, slots=True)
class Cap:
    """The most notifications that a receiver gets within a time; a summary tells of the others."""

    notifications: int
    per_ns: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """Who is told, too, when an alert hasn't been acknowledged for so long after it was told."""

    after_ns: int
    receiver: str


@dataclass(frozen=True, slots=True)
class Timing:
    """How a route waits.

    Attributes:
        group_wait_ns: for company, before a group is told for the first time.
        group_interval_ns: at least, between two notifications of a group.
        repeat_interval_ns: before a group that goes on firing is told of again.
    """

    group_wait_ns: int
    group_interval_ns: int
    repeat_interval_ns: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts go: to the first of `routes` that takes them, and else to `receivers`.

    Attributes:
        match: the alerts that it takes.
        receivers: each told by itself.
        group_by: labels; alerts that have them in common are told together.
        goes_on: an alert that it took is offered to the routes after it, too.
        path: the matches from the root to here, which tell it from other routes.
    """

    match: Match
    receivers: tuple[str, ...]
    group_by: tuple[str, ...]
    timing: Timing
    escalation: Escalation | None = None
    goes_on: bool = False
    routes: tuple[Route, ...] = ()
    path: tuple[Match, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same route in a changed configuration."""
        said = repr((self.path, self.match, self.group_by, self.receivers))
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def taking(self, labels: Labels) -> list[Route]:
        """The routes that an alert ends at."""
        if not self.match.fits(labels):
            return []
        found: list[Route] = []
        for route in self.routes:
            more = route.taking(labels)
            found += more
            if more and not route.goes_on:
                break
        return found or [self]


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert that fits `source` fires, those that fit `target` keep quiet, when they agree in `equal`."""

    source: Match
    target: Match
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flapping:
    """A rule flaps for a symbol when it has fired so many times within that time."""

    firings: int
    within_ns: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole configuration.

    Attributes:
        caps: of those receivers that have one, by their names.
    """

    root: Route
    caps: Mapping[str, Cap] = field(default_factory=dict)
    inhibitions: tuple[Inhibition, ...] = ()
    flapping: Flapping | None = None

    def all_routes(self) -> list[Route]:
        """Every route, the root first."""
        found = [self.root]
        for route in found:
            found += route.routes
        return found
