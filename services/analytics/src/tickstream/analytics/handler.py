"""What analytics does with a batch of bars, trades and indicators.

Order of effects:

1. closed one-minute bars go into the market, in the order of event time as far as other partitions
   have been read, trades and indicators to the cache's newest,
2. figures that are due are published, and have arrived,
3. the checkpoints are written,
4. the runner commits the offsets: for bars that is only for the lag's sake, a restart begins at
   the checkpoints.

A crash between 2 and 3 publishes the same figures again, identical to the last byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter

from tickstream.analytics.adapters.cache import Cache
from tickstream.analytics.adapters.checkpoints import Checkpoints
from tickstream.analytics.domain.grid import INTERVAL
from tickstream.analytics.domain.market import MOST_SYMBOLS, Market
from tickstream.analytics.domain.prices import LastTrade, last_trades
from tickstream.analytics.domain.studies import Choices, studies
from tickstream.analytics.progress import OpenBar, Progress
from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.errors import RetryableError, TickstreamError
from tickstream.core.kafka import OFFSET_BEGINNING, DeadLetters, Kafka, Message, Publisher
from tickstream.core.logging import logger
from tickstream.core.merge import Merge
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick
from tickstream.core.partition import Partition
from tickstream.core.runner import by_partition
from tickstream.core.scopes import MARKET
from tickstream.core.sessions import Sessions
from tickstream.core.topics import ANALYTICS, BARS, INDICATORS, STOCK_TICKS

_LOG = logger(__name__)
_QUIET: Final = 2.0
"""Seconds without a new one-minute bar after which no symbol is waited for any longer."""
_RESTLESS: Final = 10.0
"""Seconds for which figures from far back wait at most."""
_ARRIVAL_LIMIT: Final = 30.0
_MOVERS: Final = ("gainers", "losers", "most_active")
_MOST_FIRST_PRICES: Final = 100_000
"""Symbols without a bar whose first trade of the day is known; the one known longest goes first."""
_AT_ONCE: Final = 20_000
"""Figures that are made and published together."""


class TradingDays:
    """When the trading day of a bar, or of a moment, began.

    Args:
        calendar: whose days they are, of all symbols.
    """

    def __init__(self, calendar: str) -> None:
        self._sessions = Sessions.of(calendar)
        self._begin = self._end = 0

    def knows(self, ts: int) -> bool:
        """Whether the calendar goes as far as a moment."""
        return self.of(ts) <= ts < self._end

    def of_bar(self, bar: Bar) -> int:
        """The beginning of a bar's trading day."""
        return self.of(bar.start)

    def of(self, ts: int) -> int:
        """The beginning of the trading day that a moment is part of."""
        if not self._begin <= ts < self._end:
            moment = np.array([ts])
            self._begin = int(self._sessions.day_start(moment)[0])
            self._end = int(self._sessions.day_end(moment)[0])
        return self._begin


@dataclass(frozen=True, slots=True)
class _ReadBar:
    """A closed one-minute bar, and where it was read."""

    bar: Bar
    partition: Partition
    offset: int

    @property
    def end(self) -> int:
        """The bar's."""
        return self.bar.end


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
        chosen: what there is to choose about the figures.
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
        chosen: Choices,
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
        self._market = Market(days.of_bar, studies(chosen), chosen.history)
        self._first_prices: dict[str, tuple[int, float]] = {}
        self._progress = Progress()
        self._merge = Merge[_ReadBar]()
        self._in_turn: deque[_ReadBar] = deque()
        self._unsent: list[AnalyticsFigure] = []
        self._last_bar = self._rested = clock.monotonic()
        self.waiting_for = ""
        self.position: Callable[[Partition], int] = lambda _partition: 0
        self.at_end: Callable[[], Collection[Partition]] = set
        self.pause: Callable[[Collection[Partition]], None] = lambda _full: None
        self._records = Counter("analytics_records", "Records read", ["topic"], registry=registry)
        self._left_out = Counter(
            "analytics_bars_left_out", f"Bars of more than {MOST_SYMBOLS} symbols", registry=registry
        )
        self._published = Counter("analytics_figures", "Figures published", registry=registry)

    @property
    def topics(self) -> list[str]:
        """What is read, by full names."""
        return list(self._topics)

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Begin bars where the kept days begin."""
        bars = [partition for partition in partitions if self._topics[partition[0]] == BARS.name]

        starts: dict[Partition, int] = {}

        def learn() -> None:
            starts.update(
                self._progress.come(self._store.load(bars), {partition: self._log_end(partition) for partition in bars})
            )

        self._wait(learn)
        for partition, start in starts.items():
            self._merge.start(partition, start)
        return {partition: start or OFFSET_BEGINNING for partition, start in starts.items()}

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Give what there is to give, and leave these to another instance."""
        try:
            self._give(self._market.newest)
            self._cache.flush(now=True)
        except TickstreamError as error:
            _LOG.warning("figures_left", reason=str(error))
        self._progress.go(partitions)
        for partition in partitions:
            self._merge.drop(partition)
        self._in_turn = deque(each for each in self._in_turn if each.partition not in partitions)

    def handle(self, batch: Sequence[Message]) -> None:
        """Take a batch into account, durably.

        Raises:
            RetryableError: Kafka is away.
        """
        for topic, messages in _by_topic(batch).items():
            self._records.labels(self._topics[topic]).inc(len(messages))
            self._take(self._topics[topic], messages)
        self._advance()
        self.pause(self._merge.full())
        now = self._clock.monotonic()
        quiet = now - self._last_bar > _QUIET
        at_rest = quiet or now - self._rested > _RESTLESS
        self._rested = now if at_rest else self._rested
        self._give(self._market.newest if quiet else self._market.complete_through, at_rest=at_rest)
        self._cache.flush()

    def idle(self) -> None:
        """Give the figures that wait for symbols of which nothing comes any more."""
        try:
            self.handle(())
        except RetryableError as error:
            if not self.waiting_for:
                _LOG.warning("waiting", reason=str(error))
            self.waiting_for = str(error)

    def _give(self, through: int, *, at_rest: bool = True) -> None:
        if self._progress.is_behind:
            self._publish(())
        else:
            self._publish(self._market.figures(through, at_rest=at_rest), through)
        self.waiting_for = ""

    def _publish(self, figures: Iterable[AnalyticsFigure], through: int | None = None) -> None:
        """Publish figures, then the checkpoints.

        Args:
            figures: taken in portions; what Kafka hasn't got is published by the next call.
            through: the time up to which these are all, but for those that the market makes wait.
        """
        coming, some = iter(figures), False
        while True:
            self._unsent = self._unsent or list(islice(coming, _AT_ONCE))
            if not self._unsent:
                break
            self._send()
            some = True
        if through is not None and not self._market.is_waiting:
            self._progress.given(through)
        if some:
            self._store.save(self._progress.checkpoints())

    def _take(self, topic: str, messages: Sequence[Message]) -> None:
        if topic == BARS.name:
            self._take_bars(messages)
        elif topic == STOCK_TICKS.name:
            self._take_ticks(messages)
        else:
            self._take_indicators(messages)

    def _take_bars(self, messages: Sequence[Message]) -> None:
        for partition, read in by_partition(messages).items():
            self._merge.add(partition, self._minutes(partition, read), (read[-1].offset() or 0) + 1)

    def _minutes(self, partition: Partition, messages: Sequence[Message]) -> Iterator[tuple[int, _ReadBar]]:
        chosen = [message for message in messages if _may_be_minute(message)]
        decoded = self._bars.decode_many([message.value() for message in chosen])
        self._reject(chosen, decoded.rejected)
        for bar, row in zip(decoded.records, decoded.rows, strict=True):
            if bar.interval != INTERVAL or bar.state != "closed":
                continue
            offset = chosen[row].offset() or 0
            if self._days.knows(bar.start):
                yield offset, _ReadBar(bar, partition, offset)
            else:
                self._dead_letters.reject(chosen[row], f"start must be within the calendar's days, was {bar.start}")

    def _advance(self) -> None:
        """Take the bars that need not wait for other partitions any longer into the market."""
        for partition in self._merge.partitions:
            self._merge.add(partition, (), self.position(partition))
        self._in_turn.extend(self._merge.release(self.at_end()))
        while True:
            if self._market.is_leaving:
                self._publish(self._market.leaving())
                self._progress.forgotten(self._market.forget_oldest())
            if not self._in_turn:
                break
            self._take_bar(self._in_turn.popleft())
        for partition in self._merge.partitions:
            self._progress.reached(partition, self._merge.position(partition))

    def _take_bar(self, read: _ReadBar) -> None:
        if self._market.has_room(read.bar.symbol):
            counted = self._progress.is_counted(read.partition, read.offset)
            day = self._market.take(read.bar, counted=counted)
            self._progress.taken(read.partition, OpenBar(read.offset, read.end, day), counted=counted)
            self._last_bar = self._clock.monotonic()
        else:
            self._left_out.inc()
        self._progress.reached(read.partition, read.offset + 1)

    def _take_ticks(self, messages: Sequence[Message]) -> None:
        decoded = self._ticks.decode_columns([message.value() for message in messages], self._interners)
        for trade in last_trades(decoded.columns):
            if not self._days.knows(trade.ts_event):
                continue
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
        day = self._days.of(trade.ts_event)
        if self._first_prices.get(trade.symbol, (None, 0.0))[0] != day:
            self._first_prices[trade.symbol] = (day, trade.first_price)
            if len(self._first_prices) > _MOST_FIRST_PRICES:
                del self._first_prices[next(iter(self._first_prices))]
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

    def _send(self) -> None:
        for figure, value in zip(self._unsent, self._figures.encode_many(self._unsent), strict=True):
            self._publisher.publish(self._analytics, figure.scope.encode(), value)
        self._publisher.flush(_ARRIVAL_LIMIT)
        self._published.inc(len(self._unsent))
        self._cache.figures(self._unsent)
        self._cache_movers()
        self._unsent = []

    def _cache_movers(self) -> None:
        newest = max((f.ts_event for f in self._unsent if f.scope == MARKET), default=None)
        if newest is not None:
            lists = {f.name: f.values for f in self._unsent if f.ts_event == newest and f.name in _MOVERS}
            self._cache.movers(newest, lists)


def _may_be_minute(message: Message) -> bool:
    """Whether the value may speak of one minute: a look at its bytes spares decoding most of the others."""
    return INTERVAL.encode() in (message.value() or b"")


def _by_topic(batch: Sequence[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in batch:
        found.setdefault(message.topic() or "", []).append(message)
    return found
