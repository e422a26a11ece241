"""What the operator decides."""

from __future__ import annotations

from dataclasses import dataclass, field

from tickstream.core.intervals import Interval
from tickstream.processor.domain import catalogue
from tickstream.processor.domain.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator decides; times in nanoseconds.

    Attributes:
        intervals: of the bars, shortest first.
        indicated: the places of those that have indicators.
        shown: the places of those whose forming bars are shown.
        grace: how long after its end a window waits.
        patience: how far a source may lie behind before it is not waited for.
        quiet_limit: how long after its last trade a symbol gets quiet bars.
        retention: how late a trade may be and still change closed bars.
        include_suspicious: whether suspicious prints count.
        catalogue: the indicators.
    """

    intervals: tuple[Interval, ...]
    indicated: frozenset[int]
    shown: frozenset[int]
    grace: int
    patience: int
    quiet_limit: int
    retention: int
    include_suspicious: bool
    catalogue: Catalogue = field(default_factory=catalogue.usual)
