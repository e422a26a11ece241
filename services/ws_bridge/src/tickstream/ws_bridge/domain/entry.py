"""Records on their way to the clients, encoded once and shared by all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from tickstream.core.access import CHANNELS as CHANNELS  # noqa: PLC0414 - what the bridge calls channels is here
from tickstream.core.access import Channel as Channel  # noqa: PLC0414 - as above
from tickstream.core.model import AlertEvent, AnalyticsFigure, Bar, IndicatorSet, MarketEvent, Record, Tick

WITH_INTERVAL: Final = frozenset({"bars", "indicators"})
"""The channels whose subscriptions name an interval."""

NO_SYMBOL: Final = ""
"""Stands for the symbol of a market event that concerns all of them."""

Route = tuple[str, str, str]
"""Channel, interval ("" where there is none), symbol: what decides who gets a record."""


@dataclass(slots=True, eq=False)
class Entry:
    """A record as the clients get it.

    Attributes:
        count: of the records.
        intake: 0: it came by itself.
        route: what decides who gets it.
        key: under conflation a later entry of the same key replaces this one; None: never replaced.
        body: the record in JSON.
        partition: of its topic.
        offset: in that partition.
        ts_ingest: when Tickstream first had it, in nanoseconds; 0 when the record doesn't say.
        packed: the record in MessagePack, once someone reads it so.
    """

    route: Route
    key: Hashable | None
    body: bytes
    partition: int = 0
    offset: int = 0
    ts_ingest: int = 0
    packed: bytes | None = None
    count: ClassVar[int] = 1
    intake: ClassVar[int] = 0

    def newest(self) -> Entry:
        """The last record of it."""
        return self

    def conflated(self) -> tuple[Entry, None]:
        """What conflation leaves of it, and what it leaves out."""
        return self, None

    def between(self, first: int, end: int) -> Entry | None:
        """What of it lies from one offset until before another."""
        return self if first <= self.offset < end else None


class Run:
    """Trades of one symbol that came from one partition together, in order; their JSON is joined once for all readers.

    Attributes:
        route: what decides who gets them.
        key: a later run of the same key replaces this one under conflation.
        bodies: of each, its JSON.
        body: the JSON of all, with commas between.
        count: how many there are.
        partition: of their topic.
        offsets: of each, in the partition; ascending.
        offset: of the first.
        ts_ingest: of the newest.
        packed: all of them in MessagePack, once someone reads them so.
        intake: runs of the same number were taken in together, and their offsets overlap.
    """

    __slots__ = (
        "bodies",
        "body",
        "count",
        "intake",
        "key",
        "offset",
        "offsets",
        "packed",
        "partition",
        "route",
        "ts_ingest",
    )

    def __init__(
        self,
        route: Route,
        bodies: Sequence[bytes],
        partition: int,
        offsets: Sequence[int],
        ts_ingest: int,
        intake: int,
    ) -> None:
        self.route = self.key = route
        self.bodies = bodies
        self.body = b",".join(bodies)
        self.count = len(bodies)
        self.partition = partition
        self.offsets = offsets
        self.offset = offsets[0]
        self.ts_ingest = ts_ingest
        self.packed: bytes | None = None
        self.intake = intake

    def newest(self) -> Run:
        """The last of them, by itself."""
        return self if self.count == 1 else self._part(-1, None)

    def conflated(self) -> tuple[Run, Run | None]:
        """What conflation leaves of them, and what it leaves out."""
        return self.newest(), None if self.count == 1 else self._part(0, -1)

    def between(self, first: int, end: int) -> Run | None:
        """Those from one offset until before another."""
        if first <= self.offsets[0] and self.offsets[-1] < end:
            return self
        low, high = bisect_left(self.offsets, first), bisect_left(self.offsets, end)
        return self._part(low, high) if low < high else None

    def _part(self, first: int, end: int | None) -> Run:
        bodies, offsets = self.bodies[first:end], self.offsets[first:end]
        return Run(self.route, bodies, self.partition, offsets, self.ts_ingest, self.intake)


Waiting = Entry | Run
"""What a buffer holds."""


def entry_of(record: Record, body: bytes, partition: int, offset: int) -> Entry:
    """The entry of a record whose JSON is `body`.

    Raises:
        ValueError: no channel carries such records.
    """
    match record:
        case Tick(symbol=symbol):
            route = ("ticks", "", symbol)
            return Entry(route, route, body, partition, offset, record.ts_ingest)
        case Bar(symbol=symbol, interval=interval):
            route = ("bars", interval, symbol)
            return Entry(route, route if record.state == "partial" else None, body, partition, offset)
        case IndicatorSet(symbol=symbol, interval=interval):
            route = ("indicators", interval, symbol)
            return Entry(route, route if record.state == "partial" else None, body, partition, offset)
        case AnalyticsFigure(scope=scope):
            return Entry(("analytics", "", scope), (scope, record.name, record.window), body, partition, offset)
        case AlertEvent(symbol=symbol):
            return Entry(("alerts", "", symbol), None, body, partition, offset)
        case MarketEvent(symbol=symbol_or_none):
            return Entry(("market_events", "", symbol_or_none or NO_SYMBOL), None, body, partition, offset)
        case _:
            raise ValueError(f"no channel carries {type(record).__name__}")
