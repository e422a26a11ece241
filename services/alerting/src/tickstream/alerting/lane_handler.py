"""What alerting does with bars, indicators and figures, on the one instance that is active.

Order of effects:

1. rows that are ahead of what is yet to be read of other partitions wait,
2. the rules look at the others in memory,
3. positions, rows, tracks, alerts and transitions are saved in one PostgreSQL transaction,
4. new transitions are published from the outbox.

After a failure of 3 everything is loaded again before the next try, and read again from the
positions that were saved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from tickstream.alerting.adapters.lane_store import LaneStore, Move
from tickstream.alerting.adapters.outbox import Outbox
from tickstream.alerting.adapters.store import OvertakenError
from tickstream.alerting.domain.lane import Lane, LaneChanges, Row
from tickstream.alerting.figures import Figures
from tickstream.alerting.in_force import RulesInForce
from tickstream.alerting.rows import rows_of_bars, rows_of_figures, rows_of_indicators
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import OFFSET_BEGINNING, Kafka, Message
from tickstream.core.logging import logger
from tickstream.core.merge import Merge
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet
from tickstream.core.partition import Partition
from tickstream.core.runner import by_partition
from tickstream.core.topics import ANALYTICS, BARS, INDICATORS

_LOG = logger(__name__)


class LaneHandler:
    """Rules over `bars`, `indicators` and `analytics`.

    Args:
        store: the database.
        outbox: publishes transitions.
        kafka: knows the topics' names.
        codecs: read the records.
        rules: in force.
        calendar: of bars that aren't continuous.
        log_end: the end of a partition's log.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
        figures: what is counted.
    """

    def __init__(  # noqa: PLR0913 - its parts, by name, put together in one place
        self,
        *,
        store: LaneStore,
        outbox: Outbox,
        kafka: Kafka,
        codecs: Codecs,
        rules: RulesInForce,
        calendar: str,
        log_end: Callable[[Partition], int],
        wait: Callable[[Callable[[], None]], None],
        figures: Figures,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._rules = rules
        self._log_end = log_end
        self._wait = wait
        self._figures = figures
        self._kafka = kafka
        self._calendar = calendar
        self._bars, self._sets, self._figured = codecs.of(Bar), codecs.of(IndicatorSet), codecs.of(AnalyticsFigure)
        self._lane = Lane()
        self._merge = Merge[Row]()
        self._stored: dict[Partition, int | None] = {}
        self._unsaved: list[Row] = []
        self._attempted: list[Move] = []
        self._stale = True
        self._to_publish = True
        self.waiting_for = ""
        self.at_end: Callable[[], Collection[Partition]] = set
        self.pause: Callable[[Collection[Partition]], None] = lambda _full: None

    @property
    def topics(self) -> list[str]:
        """What is read, by full names."""
        return [self._kafka.topic(topic.name) for topic in (BARS, INDICATORS, ANALYTICS)]

    def assigned(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Begin where the database says."""
        self._wait(lambda: self._begin(partitions))
        return {p: self._merge.position(p) or OFFSET_BEGINNING for p in partitions if p in self._stored}

    def revoked(self, partitions: Sequence[Partition]) -> None:
        """Forget partitions that are no longer ours."""
        for partition in partitions:
            self._merge.drop(partition)
            self._stored.pop(partition, None)

    def handle(self, batch: Sequence[Message]) -> None:
        """Take a batch into account, durably, as far as it need not wait.

        Raises:
            RetryableError: PostgreSQL or Kafka is away.
            FatalError: another instance is active.
        """
        self._read(batch)
        self._advance(self.at_end())
        self.pause(self._merge.full())

    def idle(self) -> None:
        """Go on with what has waited; look for changed rules."""
        try:
            self.handle(())
        except RetryableError as error:
            if not self.waiting_for:
                _LOG.warning("waiting", reason=str(error))
            self.waiting_for = str(error)

    def finish(self) -> None:
        """Take everything into account that still waits.

        Raises:
            RetryableError: PostgreSQL or Kafka is away.
        """
        self._advance(self._merge.partitions)

    def _begin(self, partitions: Sequence[Partition]) -> None:
        self._reload()
        replaced = False
        for partition in partitions:
            stored = self._stored[partition] = self._store.position(partition)
            gone = stored is not None and stored > self._log_end(partition)
            self._merge.start(partition, 0 if gone else stored or 0)
            replaced |= gone
        if replaced:
            _LOG.warning("log_was_replaced", partitions=len(partitions))
            self._lane.forget("the log that it was found in was replaced")
        self._lane.take(self._unsaved)
        self._save()

    def _reload(self) -> None:
        """Have the lane as it was saved, and what was taken since still to be taken."""
        self._rules.look()
        attempted = {move.partition: move.after for move in self._attempted}
        if attempted and all(self._store.position(p) == after for p, after in attempted.items()):
            self._stored |= attempted
            self._unsaved = []
        self._attempted = []
        self._lane = Lane()
        self._store.load(self._lane, self._rules.rules)
        self._stale = False

    def _read(self, batch: Sequence[Message]) -> None:
        for partition, messages in by_partition(batch).items():
            rows, rejected = self._rows(partition[0], [message.value() for message in messages])
            offsets = [message.offset() or 0 for message in messages]
            taken = [(offset, row) for offset, row in zip(offsets, rows, strict=True) if row is not None]
            self._merge.add(partition, taken, offsets[-1] + 1)
            self._figures.records.labels(partition[0]).inc(len(messages))
            self._figures.rejected.labels(partition[0]).inc(rejected)

    def _rows(self, topic: str, values: Sequence[bytes | None]) -> tuple[list[Row | None], int]:
        """A row for each value, none for those that rules don't look at, and how many can't be read."""
        if topic == self._kafka.topic(BARS.name):
            bars = self._bars.decode_many(values)
            rows = rows_of_bars(bars.records, self._calendar, self._lane.intervals("bars"))
            rejected = bars.rejected
        elif topic == self._kafka.topic(INDICATORS.name):
            sets = self._sets.decode_many(values)
            rows, rejected = rows_of_indicators(sets.records, self._lane.intervals("indicators")), sets.rejected
        else:
            figures = self._figured.decode_many(values)
            rows, rejected = rows_of_figures(figures.records), figures.rejected
        for at, _ in rejected:
            rows.insert(at, None)
        return rows, len(rejected)

    def _advance(self, at_end: Collection[Partition]) -> None:
        changed = self._rules.look()
        if self._stale:
            self._reload()
        elif changed:
            self._lane.install(self._rules.rules)
        self._to_publish |= self._rules.looked
        self._unsaved += self._merge.release(at_end)
        self._stale = True
        self._lane.take(self._unsaved)
        self._save()
        self._stale = False
        self._publish()
        self.waiting_for = ""

    def _save(self) -> None:
        moves = [
            Move(partition, stored, self._merge.position(partition))
            for partition, stored in self._stored.items()
            if self._merge.position(partition) != (stored or 0)
        ]
        if moves or self._lane.changes:
            self._attempted = moves
            try:
                self._store.save(self._rules.rules, self._lane, moves)
            except OvertakenError as error:
                raise FatalError(f"another instance is active: {error}") from error
        for transition in self._lane.changes.transitions:
            self._figures.changes.labels(transition.state).inc()
            self._to_publish = True
        self._stored |= {move.partition: move.after for move in moves}
        self._attempted, self._unsaved = [], []
        self._lane.changes = LaneChanges()

    def _publish(self) -> None:
        if self._to_publish:
            self._figures.published.inc(self._outbox.drain())
            self._to_publish = False
