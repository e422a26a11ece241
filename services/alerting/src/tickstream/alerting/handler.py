"""What alerting does with a batch of trades.

Order of effects:

1. market events are heard, so that trades are looked at with all that was said before them,
2. records that can't be read are counted; the processor sets them aside,
3. the rules are evaluated in memory; those of a source that has gone down end with its last trades,
4. positions, memories, standings, alerts and transitions are saved in one PostgreSQL transaction,
5. new transitions are published from the outbox,
6. the runner commits the offsets to Kafka, for the lag's sake: what counts are the positions of 4.

That a feed is down is taken into account where it went down in event time: between the two trades,
or, when there is no later one, once a partition is read up to where its log ended when that was
heard. So it doesn't matter how far ahead of the trades market events are read.

After a failure of 4 the memory is ahead of the database, so it is loaded again before the next
try; a batch that was saved is then recognised by its position and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tickstream.alerting.adapters.outbox import Outbox
from tickstream.alerting.adapters.store import Advance, OvertakenError, Store
from tickstream.alerting.domain.evaluate import end_feeds, observe_ticks
from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.shard import Changes, Shard
from tickstream.alerting.figures import Figures
from tickstream.alerting.in_force import RulesInForce
from tickstream.core.codec import Codecs, TickInterners
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Kafka, Message
from tickstream.core.logging import logger
from tickstream.core.model import Tick
from tickstream.core.news import Heard, News
from tickstream.core.partition import Partition
from tickstream.core.runner import by_partition
from tickstream.core.topics import STOCK_TICKS

_LOG = logger(__name__)


@dataclass(slots=True)
class Held:
    """A partition in memory; `stored` is its position in the database, None when it has none."""

    shard: Shard
    stored: int | None
    next: int

    @property
    def is_begun(self) -> bool:
        """Whether anything of the partition was ever read."""
        return self.stored is not None or self.next > 0


class AlertingHandler:
    """Rules over `stock_ticks`.

    Args:
        store: the database.
        outbox: publishes transitions.
        kafka: knows the topics' names.
        codecs: read the records.
        rules: in force.
        news: market events.
        log_end: the end of a partition's log.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
        figures: what is counted.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name, put together in one place
        self,
        *,
        store: Store,
        outbox: Outbox,
        kafka: Kafka,
        codecs: Codecs,
        rules: RulesInForce,
        news: News,
        log_end: Callable[[Partition], int],
        wait: Callable[[Callable[[], None]], None],
        figures: Figures,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._ticks = codecs.of(Tick)
        self._interners = TickInterners()
        self._rules = rules
        self._figures = figures
        self._log_end = log_end
        self._wait = wait
        self._tick_topic = kafka.topic(STOCK_TICKS.name)
        self._held: dict[Partition, Held] = {}
        self._stale = False
        self._to_publish = True
        self._news = news
        self._feeds = Feeds()
        self._ends: dict[Partition, int | None] = {}
        self.waiting_for = ""
        self.position: Callable[[Partition], int] = lambda _partition: 0

    @property
    def topics(self) -> list[str]:
        """What is read, by full names."""
        return [self._tick_topic]

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Load the partitions, and begin where the database says."""
        self._wait(lambda: self._begin(partitions))
        return {p: self._held[p].next or OFFSET_BEGINNING for p in partitions if p in self._held}

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget partitions that are no longer ours; all that matters of them is in the database."""
        for partition in partitions:
            self._held.pop(partition, None)
            self._ends.pop(partition, None)

    def handle(self, batch: Sequence[Message]) -> None:
        """Take a batch into account, durably.

        Raises:
            RetryableError: PostgreSQL or Kafka is away, or another instance was faster.
        """
        changed = self._rules.look()
        self._to_publish |= self._rules.looked
        if self._stale:
            self._held = {partition: self._load(partition) for partition in self._held}
            self._ends = dict.fromkeys(self._held)
        self._stale = True
        while heard := self._news.read():
            self._hear(heard)
        for held in self._held.values() if changed else ():
            held.shard.reconcile(self._rules.rules)
        for partition, messages in by_partition(batch).items():
            if partition in self._held:
                self._take(partition, self._held[partition], messages)
        self._end_feeds()
        self._save()
        self._stale = False
        self._publish()
        self.waiting_for = ""

    def idle(self) -> None:
        """Look for changed rules, and for transitions that a crash has left unpublished."""
        try:
            self.handle(())
        except RetryableError as error:
            if not self.waiting_for:
                _LOG.warning("waiting", reason=str(error))
            self.waiting_for = str(error)

    def _begin(self, partitions: Sequence[Partition]) -> None:
        self._rules.look()
        self._hear(self._news.catch_up())
        for partition in partitions:
            held = self._held[partition] = self._load(partition)
            if held.stored is not None and held.stored > self._log_end(partition):
                _LOG.warning("log_was_replaced", topic=partition[0], partition=partition[1], position=held.stored)
                held.shard.forget("the log that it was found in was replaced")
                held.next = 0
            self._ends[partition] = None
        self._end_feeds()
        self._save()

    def _hear(self, heard: Iterable[Heard]) -> None:
        about_feeds = [self._feeds.take(each.event) for each in heard]
        if any(about_feeds):
            self._ends = dict.fromkeys(self._held)

    def _end_feeds(self) -> None:
        """Let go of symbols whose feeds are down, in partitions that were read up to where they ended then."""
        for partition, end in list(self._ends.items()):
            held = self._held[partition]
            if end is None:
                end = self._ends[partition] = self._log_end(partition)  # noqa: PLW2901 - asked for once
            if max(held.next, self.position(partition)) >= end:
                end_feeds(self._rules.rules, held.shard, self._feeds)
                del self._ends[partition]

    def _load(self, partition: Partition) -> Held:
        loaded = self._store.load(partition)
        memories = {symbol: TickMemory.load(dumped) for symbol, dumped in loaded.memories.items()}
        shard = Shard(memories, loaded.stood)
        shard.reconcile(self._rules.rules)
        return Held(shard, loaded.next_offset, loaded.next_offset or 0)

    def _take(self, partition: Partition, held: Held, messages: Sequence[Message]) -> None:
        new = [message for message in messages if (message.offset() or 0) >= held.next]
        if new:
            self._evaluate(partition, held, new)
            held.next = (new[-1].offset() or 0) + 1

    def _evaluate(self, partition: Partition, held: Held, messages: Sequence[Message]) -> None:
        ticks = self._ticks.decode_columns([message.value() for message in messages], self._interners)
        observe_ticks(self._rules.rules, held.shard, ticks.columns, self._feeds)
        self._figures.records.labels(partition[0]).inc(len(messages))
        self._figures.rejected.labels(partition[0]).inc(len(ticks.rejected))

    def _save(self) -> None:
        moved = {p: held for p, held in self._held.items() if held.next != held.stored or held.shard.changes}
        advances = [Advance(p, held.shard, held.stored, held.next) for p, held in moved.items() if held.is_begun]
        if not advances:
            return
        try:
            self._store.save(self._rules.rules, advances)
        except OvertakenError as error:
            raise RetryableError(f"another instance was faster: {error}") from error
        for held in moved.values():
            for transition in held.shard.changes.transitions:
                self._figures.changes.labels(transition.state).inc()
                self._to_publish = True
            held.shard.changes = Changes()
            held.stored = held.next if held.is_begun else None

    def _publish(self) -> None:
        if self._to_publish:
            self._figures.published.inc(self._outbox.drain())
            self._to_publish = False
