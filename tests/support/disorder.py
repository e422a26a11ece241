"""A recording in which everything goes wrong that a feed can do, and a way to publish it bit by bit."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from tests.support.topics import kafka_of
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Publisher
from tickstream.core.model import MarketEvent, Progress, Tick
from tickstream.core.partition import partition_for

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
OPEN: Final = 1_381_239_000 * SECOND
"""Tuesday 2013-10-08, 09:30 in New York."""
RETENTION: Final = 600
PARTITIONS: Final = 3
SETTINGS: Final = {
    "PROCESSOR_ROLES": "bars",
    "KAFKA_TOPIC_PARTITIONS": str(PARTITIONS),
    "PROCESSOR_INTERVALS": "1s,1m,5m,40t",
    "PROCESSOR_INDICATOR_INTERVALS": "1m,5m",
    "PROCESSOR_RETENTION": str(RETENTION),
    "PROCESSOR_FORMING_SECONDS": "0.2",
}
"""What the processor is told for it."""

_BEGIN: Final = OPEN - MINUTE
_END: Final = OPEN + 20 * MINUTE
_MARK_EVERY: Final = 45 * SECOND


@dataclass(frozen=True, slots=True)
class Stream:
    """One source's trades of one symbol: seconds between them on average, and when there are none."""

    source: str
    symbol: str
    every: float
    idle: tuple[int, int] = (0, 0)

    def delay(self, chance: random.Random) -> int:
        """How late a trade arrives: mostly not at all, from source one rarely even beyond the retention."""
        kind = chance.random()
        if kind < 0.92 or self.source == "three":
            return 0
        if kind < 0.97 or self.source != "one":
            return chance.randrange(3 * SECOND)
        if kind < 0.995:
            return chance.randrange(5 * MINUTE)
        return (RETENTION + chance.randrange(120)) * SECOND


@dataclass(frozen=True, slots=True)
class Rejected:
    """Bytes that are no trade."""

    symbol: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """A source has published everything before an event time."""

    source: str
    reached: int
    final: bool = False


Entry = Tick | Mark | Rejected

STREAMS: Final = (
    Stream("one", "AIG", 0.5),
    Stream("one", "BAC", 1.0, idle=(OPEN + 4 * MINUTE, OPEN + 11 * MINUTE)),
    Stream("two", "SPY", 0.5, idle=(OPEN + 6 * MINUTE, OPEN + 8 * MINUTE)),
    Stream("two", "AIG", 1.5),
    Stream("four", "C", 2.0, idle=(OPEN + 13 * MINUTE, OPEN + 17 * MINUTE)),
    Stream("four", "XOM", 200.0),
    Stream("three", "IBM", 3.0, idle=(OPEN + 9 * MINUTE, _END)),
)
_MARKING: Final = ("three", "four")
"""The sources that tell how far they have come; the others share a symbol, see docs/semantics.md."""

EVENTS: Final = (
    MarketEvent("halt", OPEN + 5 * MINUTE, "BAC", None),
    MarketEvent("resume", OPEN + 9 * MINUTE, "BAC", None),
    MarketEvent("feed_down", OPEN + 12 * MINUTE, None, "three"),
    MarketEvent("feed_up", OPEN + 15 * MINUTE, None, "three"),
)
"""Known from the start."""


def recording(seed: int = 1) -> list[Entry]:
    """Trades out of order, late within and beyond the retention, twice or never; bytes that are no trade; marks."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    arriving = sorted((arrival for stream in STREAMS for arrival in _arrivals(stream, chance)), key=itemgetter(0))
    entries: list[Entry] = []
    marked = _BEGIN
    ahead = _earliest_after(arriving)
    for place, (at, tick) in enumerate(arriving):
        if at >= marked + _MARK_EVERY:
            marked = at
            entries += [Mark(source, min(ahead[place].get(source, at), at)) for source in _MARKING]
        entries.append(tick)
        if chance.random() < 0.02:
            entries.append(tick)
        if chance.random() < 0.004:
            entries.append(Rejected(tick.symbol, b"\x00%d" % place))
    sources = sorted({stream.source for stream in STREAMS})
    return entries + [Mark(source, _END + 10 * MINUTE, final=True) for source in sources]


def _arrivals(stream: Stream, chance: random.Random) -> Iterator[tuple[int, Tick]]:
    """(when it arrives, trade) in event time; some arrive late, some never."""
    at, seq, price = _BEGIN + chance.randrange(SECOND), 0, 100.0
    while at < _END:
        if not stream.idle[0] <= at < stream.idle[1]:
            seq += 1
            price = max(1.0, round(price + chance.gauss(0, 0.03), 2))
            volume = chance.choice((0.0, 1.0, 100.0, 0.1, 300.0))
            flags = int(chance.random() < 0.02)
            tick = Tick(stream.symbol, price, volume, at, at, seq, stream.source, flags=flags)
            if chance.random() > 0.003:
                yield at + stream.delay(chance), tick
        at += max(1, round(chance.expovariate(1 / stream.every) * SECOND))


def _earliest_after(arriving: Sequence[tuple[int, Tick]]) -> list[dict[str, int]]:
    """For each place the earliest event time that each source still has to come."""
    found: list[dict[str, int]] = []
    earliest: dict[str, int] = {}
    for _, tick in reversed(arriving):
        earliest = {**earliest, tick.source: min(tick.ts_event, earliest.get(tick.source, tick.ts_event))}
        found.append(earliest)
    return found[::-1]


class Feed:
    """Publishes a recording, as a source would that knows the offsets of what it has published.

    Args:
        env: names the cluster.
        entries: the recording.
    """

    def __init__(self, env: Mapping[str, str], entries: Sequence[Entry]) -> None:
        self._kafka = kafka_of(env)
        self._kafka.ensure_topics()
        self._entries = entries
        self._publisher = Publisher(self._kafka.producer("feed", linger_ms=1))
        self._offsets = [0] * PARTITIONS
        self.published = 0
        codecs = Codecs()
        self._trades, self._marks, events = codecs.of(Tick), codecs.of(Progress), codecs.of(MarketEvent)
        for event in EVENTS:
            key = (event.symbol or event.source or "").encode()
            self._publisher.publish(self._kafka.topic("market_events"), key, events.encode(event))
        self._publisher.flush()

    @property
    def left(self) -> int:
        """How many entries are still to come."""
        return len(self._entries) - self.published

    def publish(self, count: int | None = None) -> None:
        """Publish the next entries, or all that are left, and wait until they have arrived."""
        end = len(self._entries) if count is None else min(self.published + count, len(self._entries))
        for entry in self._entries[self.published : end]:
            if isinstance(entry, Mark):
                # A mark must not come before what it speaks of.
                self._publisher.flush()
                self._mark(entry)
            else:
                self._trade(entry)
        self._publisher.flush()
        self.published = end

    def _trade(self, entry: Tick | Rejected) -> None:
        value = entry.value if isinstance(entry, Rejected) else self._trades.encode(entry)
        partition = partition_for(entry.symbol, PARTITIONS)
        self._publisher.publish(self._kafka.topic("stock_ticks"), entry.symbol.encode(), value, partition=partition)
        self._offsets[partition] += 1

    def _mark(self, mark: Mark) -> None:
        for partition, offset in enumerate(self._offsets):
            value = self._marks.encode(Progress(mark.source, mark.reached, offset, mark.final))
            self._publisher.publish(self._kafka.topic("progress"), mark.source.encode(), value, partition=partition)
