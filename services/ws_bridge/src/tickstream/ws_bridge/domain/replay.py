"""What clients missed while they were away: one reading of a topic for all who wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tickstream.ws_bridge.domain.buffer import Buffer
from tickstream.ws_bridge.domain.entry import Entry, Route, Waiting
from tickstream.ws_bridge.domain.interest import next_version
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.domain.protocol import Subscribe
from tickstream.ws_bridge.domain.subscriptions import Subscription, routes_of

Obstacle = Literal["beyond_retention", "beyond_bound", "wrong_epoch", "timed_out", "unavailable", "unread"]
"""Why what was missed can't be had."""


@dataclass(slots=True, eq=False)
class Absence:
    """What a subscription missed, from where its client was to where it reads live.

    Attributes:
        request: what the client asked for.
        symbols: those of them that are known.
        since: the first offsets that the client hasn't had, of the partitions that its token speaks of.
        until: the first that it gets live, of those of them that are read.
        missed: what lies between, with the subscription's mode and filter.
        obstacle: why it can't be had; None: it can.
    """

    subscription: Subscription
    request: Subscribe
    symbols: tuple[str, ...]
    since: Offsets
    until: Offsets
    missed: Buffer = field(init=False)
    obstacle: Obstacle | None = None

    def __post_init__(self) -> None:
        self.missed = Buffer(latest=self.subscription.mode == "latest")

    def ranges(self) -> dict[int, tuple[int, int]]:
        """First and next offset of the partitions that have to be read."""
        return {
            partition: (self.since[partition], until)
            for partition, until in self.until.items()
            if self.since[partition] < until
        }

    def records(self) -> int:
        """How many records of the topic lie between, at the most."""
        return sum(until - since for since, until in self.ranges().values())


class Replay:
    """Gives every absence what it missed, reading each record once.

    Args:
        absences: of one channel.
        max_records: that one of them may have missed, after conflation.
        max_bytes: of these.
    """

    def __init__(self, absences: Sequence[Absence], max_records: int, max_bytes: int) -> None:
        self._absences = absences
        self._max_records = max_records
        self._max_bytes = max_bytes
        self.version = next_version()
        self._named: dict[Route, list[Absence]] = {}
        self._everything: dict[tuple[str, str], list[Absence]] = {}
        for absence in absences:
            one = absence.subscription
            if one.everything:
                self._everything.setdefault((one.channel, one.interval), []).append(absence)
            else:
                for route in routes_of(one, one.symbols):
                    self._named.setdefault(route, []).append(absence)

    def partitions(self) -> list[int]:
        """Those that the absences speak of."""
        return sorted({partition for absence in self._absences for partition in absence.since})

    def begin(self, kept: Mapping[int, tuple[int, int]]) -> None:
        """Take into account what the topic still has; absences of which something is gone have an obstacle.

        Args:
            kept: first and next offset of each of the `partitions`.
        """
        for absence in self._absences:
            for partition, (since, _until) in absence.ranges().items():
                if since < kept[partition][0]:
                    absence.obstacle = "beyond_retention"
            # A topic that ends before where the client was has lost what it had.
            if any(offset > kept[partition][1] for partition, offset in absence.since.items()):
                absence.obstacle = "beyond_retention"

    def ranges(self) -> dict[int, tuple[int, int]]:
        """First and next offset of the partitions that have to be read for those without an obstacle."""
        whole: dict[int, tuple[int, int]] = {}
        for absence in self._absences:
            if absence.obstacle is None:
                for partition, (since, until) in absence.ranges().items():
                    first, last = whole.get(partition, (since, until))
                    whole[partition] = (min(since, first), max(until, last))
        return whole

    def wanted(self, route: Route) -> bool:
        """Whether anyone missed records of this route."""
        return route in self._named or route[:2] in self._everything

    def offer(self, entry: Waiting) -> None:
        """Give the entry, or what they missed of it, to all who missed it."""
        partition = entry.partition
        for readers in (self._named.get(entry.route), self._everything.get(entry.route[:2])):
            for absence in readers or ():
                missed = entry.between(absence.since.get(partition, 0), absence.until.get(partition, 0))
                if missed is not None and absence.subscription.reads(entry.route[2]):
                    absence.missed.offer(missed)

    def leave_out(self, entry: Entry) -> None:
        """Tell all who missed the entry that it can't be had."""
        for readers in (self._named.get(entry.route), self._everything.get(entry.route[:2])):
            for absence in readers or ():
                partition = entry.partition
                missed = entry.between(absence.since.get(partition, 0), absence.until.get(partition, 0))
                if missed is not None and absence.subscription.reads(entry.route[2]):
                    absence.missed.leave_out([missed])

    def bound(self) -> None:
        """Give up those that missed too much; to be called now and then, and at the end."""
        for absence in self._absences:
            load = absence.missed.weigh()
            if absence.obstacle is None and (load.records > self._max_records or load.bytes > self._max_bytes):
                absence.obstacle = "beyond_bound"
            if absence.obstacle is not None:
                absence.missed.clear()

    def fail(self, obstacle: Obstacle) -> None:
        """The reading ended early, for all of them."""
        for absence in self._absences:
            if absence.obstacle is None:
                absence.obstacle = obstacle
                absence.missed.clear()
