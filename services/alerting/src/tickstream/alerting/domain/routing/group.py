"""Alerts that are told together, to one receiver."""

from __future__ import annotations

from dataclasses import dataclass, field

from tickstream.alerting.domain.routing.plan import Timing


@dataclass(slots=True)
class Member:
    """An alert of a group.

    Attributes:
        told: the receiver was told that it fires, and not yet that it ended.
        told_at: since when.
        settled: whether it escalates has been decided.
        said: the last reason written down for not telling.
    """

    told: bool = False
    told_at: int = 0
    settled: bool = False
    said: str = ""


@dataclass(slots=True)
class Group:
    """Its timers; moments are nanoseconds since the epoch, 0 for never.

    Attributes:
        route: the key of the route that it belongs to.
        labels: what its alerts have in common.
        due: when it is looked at next.
        looked: when it was looked at last.
        sent: when the receiver was last told of it.
        number: of notifications so far.
    """

    route: str
    receiver: str
    labels: dict[str, str]
    due: int
    looked: int = 0
    sent: int = 0
    number: int = 0
    members: dict[str, Member] = field(default_factory=dict)

    def hasten(self, earliest: int, timing: Timing) -> int:
        """Something is new: the group is due then, or once its interval allows, and it says when."""
        if self.looked:
            self.due = min(self.due, max(earliest, self.looked + timing.group_interval_ns))
        return self.due
