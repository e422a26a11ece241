"""What analytics does with a batch of bars, trades and indicators.

Order of effects:

1. closed one-minute bars go into the market, trades and indicators to the cache's newest,
2. figures that are due are published, and have arrived,
3. the checkpoints are written,
4. the runner commits the offsets: for bars that is only for the lag's sake, a restart begins at
   the checkpoints.

A crash between 2 and 3 publishes the same figures again, identical to the last byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter

from tickstream.analytics.adapters.cache import Cache
from tickstream.analytics.adapters.checkpoints import Checkpoint, Checkpoints
from tickstream.analytics.domain.market import INTERVAL, MARKET, Market
from tickstream.analytics.domain.prices import LastTrade, last_trades
from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.errors import RetryableError, TickstreamError
from tickstream.core.kafka import OFFSET_BEGINNING, DeadLetters, Kafka, Message, Publisher
from tickstream.core.logging import logger
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick
from tickstream.core.runner import Partition
from tickstream.core.sessions import CONTINUOUS, Sessions
from tickstream.core.topics import ANALYTICS, BARS, INDICATORS, STOCK_TICKS

_LOG = logger(__name__)
_QUIET: Final = 2.0
"""Seconds without a new one-minute bar after which no symbol is waited for any longer."""
_CLOSE_ENOUGH: Final = 5
"""Offsets that markers of transactions may take at a log's end."""
_ARRIVAL_LIMIT: Final = 30.0
_MOVERS: Final = ("gainers", "losers", "most_active")


@dataclass(frozen=True, slots=True)
class OpenBar:
    """A bar that has yet to have its part in published figures."""

    offset: int
    end: int
    day: int


@dataclass(slots=True)
class Open:
    """The open bars of one partition, in the order of the log."""

    bars: list[OpenBar] = field(default_factory=list)

    def let_go(self, done: Callable[[OpenBar], bool]) -> None:
        """Forget the bars that are open no longer."""
        self.bars = [bar for bar in self.bars if not done(bar)]

    @property
    def first(self) -> int | None:
        """The offset of the first open bar."""
        return self.bars[0].offset if self.bars else None


class TradingDays:
    """When the trading day of a bar, or of a moment, began."""

    def __init__(self, calendar: str) -> None:
        self._sessions = Sessions.of(calendar)
        self._continuous = Sessions.of(CONTINUOUS)
        self._always: set[str] = set()

    def of_bar(self, bar: Bar) -> int:
        """The beginning of the bar's trading day; the UTC day for symbols that trade round the clock."""
        (self._always.add if bar.session == "continuous" else self._always.discard)(bar.symbol)
        return self.of(bar.symbol, bar.start)

    def of(self, symbol: str, ts: int) -> int:
        """The beginning of a symbol's trading day."""
        sessions = self._continuous if symbol in self._always else self._sessions
        return int(sessions.day_start(np.array([ts]))[0])


class AnalyticsHandler:
    """Figures from `bars`, and the newest of `stock_ticks` and `indicators`.

    Args:
        kafka: knows the topics' names.
        publisher: sends figures, and what the DLQ gets.
        dead_letters: takes what can't be read.
        codecs: read and write the records.
        cache: Redis.
        store: keeps the checkpoints.
        days: trading days.
        clock: for how long there was no bar.
        log_end: the end of a partition's log.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
        registry: takes the service's figures.
    """

    def __init__(  # noqa: PLR0913 - a composition of adapters, made once
        self,
        *,
        kafka: Kafka,
        publisher: Publisher,
        dead_letters: DeadLetters,
        codecs: Codecs,
        cache: Cache,
        store: Checkpoints,
        days: TradingDays,
        clock: Clock,
        log_end: Callable[[Partition], int],
        wait: Callable[[Callable[[], None]], None],
        registry: CollectorRegistry,
    ) -> None:
        self._topics = {kafka.topic(topic.name): topic.name for topic in (BARS, STOCK_TICKS, INDICATORS)}
        self._analytics = kafka.topic(ANALYTICS.name)
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._bars = codecs.of(Bar)
        self._ticks = codecs.of(Tick)
        self._indicators = codecs.of(IndicatorSet)
        self._figures = codecs.of(AnalyticsFigure)
        self._interners = TickInterners()
        self._cache = cache
        self._store = store
        self._days = days
        self._clock = clock
        self._log_end = log_end
        self._wait = wait
        self._market = Market(days.of_bar)
        self._first_prices: dict[str, tuple[int, float]] = {}
        self._begins: dict[Partition, dict[int, int]] = {}
        self._open: dict[Partition, Open] = {}
        self._checkpoints: dict[Partition, Checkpoint] = {}
        self._read: dict[Partition, int] = {}
        self._ends: dict[Partition, int] = {}
        self._unsent: list[AnalyticsFigure] = []
        self._last_bar = clock.monotonic()
        self.waiting_for = ""
        self._records = Counter("analytics_records", "Records read", ["topic"], registry=registry)
        self._published = Counter("analytics_figures", "Figures published", registry=registry)

    @property
    def topics(self) -> list[str]:
        """What is read, by full names."""
        return list(self._topics)

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Begin bars where the kept days begin."""
        bars = [partition for partition in partitions if self._topics[partition[0]] == BARS.name]

        def learn() -> None:
            found = self._store.load(bars)
            self._ends |= {partition: self._log_end(partition) for partition in bars}
            self._checkpoints |= {partition: found.get(partition, Checkpoint(0, 0)) for partition in bars}

        self._wait(learn)
        self._read |= {
            partition: self._checkpoints[partition].begin for partition in bars if partition in self._checkpoints
        }
        return {partition: self._read[partition] or OFFSET_BEGINNING for partition in bars if partition in self._read}

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Give what there is to give, and leave these to another instance."""
        try:
            self._give(self._market.newest)
            self._cache.flush(now=True)
        except TickstreamError as error:
            _LOG.warning("figures_left", reason=str(error))
        for partition in partitions:
            for table in (self._checkpoints, self._read, self._ends, self._begins, self._open):
                table.pop(partition, None)

    def handle(self, batch: Sequence[Message]) -> None:
        """Take a batch into account, durably.

        Raises:
            RetryableError: Kafka is away.
        """
        for topic, messages in _by_topic(batch).items():
            self._records.labels(self._topics[topic]).inc(len(messages))
            self._take(self._topics[topic], messages)
        quiet = self._clock.monotonic() - self._last_bar > _QUIET
        self._give(self._market.newest if quiet else self._market.complete_through)
        self._cache.flush()

    def idle(self) -> None:
        """Give the figures that wait for symbols of which nothing comes any more."""
        self._ends.clear()
        try:
            self.handle(())
        except RetryableError as error:
            if not self.waiting_for:
                _LOG.warning("waiting", reason=str(error))
            self.waiting_for = str(error)

    def _give(self, through: int) -> None:
        if not self._is_behind():
            self._unsent += self._market.figures(through)
            for taken in self._open.values():
                taken.let_go(lambda bar: bar.end <= through)
        self._send()
        self.waiting_for = ""

    def _take(self, topic: str, messages: Sequence[Message]) -> None:
        if topic == BARS.name:
            self._take_bars(messages)
        elif topic == STOCK_TICKS.name:
            self._take_ticks(messages)
        else:
            self._take_indicators(messages)

    def _take_bars(self, messages: Sequence[Message]) -> None:
        chosen = [message for message in messages if _may_be_minute(message)]
        decoded = self._bars.decode_many([message.value() for message in chosen])
        for bar, row in zip(decoded.records, decoded.rows, strict=True):
            if bar.interval == INTERVAL and bar.state == "closed":
                self._take_bar(bar, chosen[row])
        self._reject(chosen, decoded.rejected)
        for message in messages:
            self._read[_partition(message)] = (message.offset() or 0) + 1

    def _take_bar(self, bar: Bar, message: Message) -> None:
        partition, offset = _partition(message), message.offset() or 0
        checkpoint = self._checkpoints.get(partition)
        counted = checkpoint is not None and offset < checkpoint.counted
        begin = self._market.take(bar, counted=counted)
        self._begins.setdefault(partition, {}).setdefault(begin, offset)
        if not counted:
            self._open.setdefault(partition, Open()).bars.append(OpenBar(offset, bar.end, begin))
        self._last_bar = self._clock.monotonic()
        self._unsent += self._market.leaving()
        gone = set(self._market.forget_oldest())
        for begins in self._begins.values() if gone else ():
            for day in gone:
                begins.pop(day, None)
        for taken in self._open.values() if gone else ():
            taken.let_go(lambda open_bar: open_bar.day in gone)

    def _take_ticks(self, messages: Sequence[Message]) -> None:
        decoded = self._ticks.decode_columns([message.value() for message in messages], self._interners)
        for trade in last_trades(decoded.columns):
            reference = self._reference(trade)
            self._cache.price(
                trade.symbol,
                {
                    "price": trade.price,
                    "volume": trade.volume,
                    "ts_event": trade.ts_event,
                    "change": trade.price - reference,
                    "change_pct": (trade.price / reference - 1.0) * 100.0,
                },
            )

    def _reference(self, trade: LastTrade) -> float:
        """What the price is compared with; before the day's first bar has closed, its first trade seen here."""
        day = self._days.of(trade.symbol, trade.ts_event)
        if self._first_prices.get(trade.symbol, (None, 0.0))[0] != day:
            self._first_prices[trade.symbol] = (day, trade.first_price)
        known = self._market.reference(day, trade.symbol)
        return known if known is not None else self._first_prices[trade.symbol][1]

    def _take_indicators(self, messages: Sequence[Message]) -> None:
        decoded = self._indicators.decode_many([m.value() for m in messages if _may_be_minute(m)])
        for found in decoded.records:
            if found.interval == INTERVAL:
                about: dict[str, str | float | int] = {
                    "interval": found.interval,
                    "state": found.state,
                    "ts_event": found.end,
                }
                self._cache.indicators(found.symbol, about | dict(found.values))

    def _reject(self, messages: Sequence[Message], rejected: Iterable[tuple[int, str]]) -> None:
        for row, reason in rejected:
            self._dead_letters.reject(messages[row], reason)

    def _is_behind(self) -> bool:
        for partition in [p for p, end in self._ends.items() if self._read.get(p, 0) >= end - _CLOSE_ENOUGH]:
            del self._ends[partition]
        return bool(self._ends)

    def _send(self) -> None:
        if not self._unsent:
            return
        for figure, value in zip(self._unsent, self._figures.encode_many(self._unsent), strict=True):
            self._publisher.publish(self._analytics, figure.scope.encode(), value)
        self._publisher.flush(_ARRIVAL_LIMIT)
        self._checkpoints = {partition: self._checkpoint(partition) for partition in self._checkpoints}
        self._store.save(self._checkpoints)
        self._published.inc(len(self._unsent))
        self._cache_movers()
        self._unsent = []

    def _checkpoint(self, partition: Partition) -> Checkpoint:
        begins = self._begins.get(partition)
        before = self._checkpoints[partition]
        read = self._read.get(partition, before.begin)
        still_open = self._open.get(partition, Open()).first
        counted = read if still_open is None else still_open
        return Checkpoint(min(begins.values()) if begins else read, max(before.counted, counted))

    def _cache_movers(self) -> None:
        newest = max((f.ts_event for f in self._unsent if f.scope == MARKET), default=None)
        if newest is not None:
            lists = {f.name: f.values for f in self._unsent if f.ts_event == newest and f.name in _MOVERS}
            self._cache.movers(newest, lists)


def _partition(message: Message) -> Partition:
    return message.topic() or "", message.partition() or 0


def _may_be_minute(message: Message) -> bool:
    """Whether the value may speak of one minute: a look at its bytes spares decoding most of the others."""
    return INTERVAL.encode() in (message.value() or b"")


def _by_topic(batch: Sequence[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in batch:
        found.setdefault(message.topic() or "", []).append(message)
    return found
