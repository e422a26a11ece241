"""Trades in, bars and indicators out, exactly once.

Order of effects, for each transaction:

1. trades, marks and market events are read,
2. records that can't be read and late trades go to the DLQ, gaps to `market_events`,
3. closed and revised bars and their indicators are sent, forming ones at most once a second,
4. the state that has changed is sent to the changelog, with the offsets that it is good for,
5. the group's offsets join the transaction,
6. the transaction is committed: all of 2 to 5 is there at once, or none.

When anything fails in between, the producer is replaced, which aborts what is open, the engine
is built anew from the changelog, and reading goes on from the offsets found there. The offsets of
the group are for lag to be seen, and to fence an instance that has lost its partitions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_SECOND, Clock
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import RetryableError
from tickstream.core.kafka import Kafka, Message, retry_forever
from tickstream.core.logging import logger
from tickstream.core.model import Tick
from tickstream.core.news import Heard, News
from tickstream.core.service import Stop
from tickstream.processor.adapters import changelog
from tickstream.processor.adapters.outputs import Outputs
from tickstream.processor.adapters.plugins import Complaints
from tickstream.processor.adapters.source import Batch, Source
from tickstream.processor.adapters.transactions import Transactions
from tickstream.processor.domain.engine import Engine
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.state import FROM_THE_BEGINNING, Offsets
from tickstream.processor.domain.windows import Calendars
from tickstream.processor.figures import Figures
from tickstream.processor.settings import ProcessorSettings

_LOG = logger(__name__)
_TOO_LATE: Final = "too_late"
_TOO_EARLY: Final = "too_early"
_NANOS_PER_MILLISECOND: Final = 1_000_000
_POLL: Final = 0.02
_GATHER: Final = 0.005
_GATHER_SHARE: Final = 0.25
"""Once there is a trade, more are waited for, for this part of what the last ones took: with load, batches grow."""

_COMPANY: Final = 0.015
"""How long bars wait for those of the same time that other partitions are about to close: one commit does for all."""

_COMMIT_EVERY: Final = 0.2
_SAVE_EVERY: Final = 1.0
"""How often state is committed while it comes to nothing that a reader would wait for."""

_MOST_EVENTS: Final = 100_000
_FORMING_SHARE: Final = 0.1
"""Forming bars may take this part of the time, and come less often where that isn't enough."""

_FORM_BETWEEN: Final = (NANOS_PER_SECOND // 5, NANOS_PER_SECOND * 4 // 5)
"""Of a second: live windows end on whole ones, and what closes them shouldn't have to wait for forming bars."""


class Pipeline:
    """Does the work of the partitions that the group gives this instance.

    Args:
        settings: the processor's.
        kafka: the cluster.
        codecs: encode and decode.
        transactions: of this instance.
        figures: what is counted.
        clock: for waits and forming bars.
        stop: says when to end.
    """

    def __init__(
        self,
        settings: ProcessorSettings,
        kafka: Kafka,
        codecs: Codecs,
        transactions: Transactions,
        figures: Figures,
        clock: Clock,
        stop: Stop,
    ) -> None:
        self._settings = settings
        self._rules = settings.rules
        self._ahead = int(settings.ahead * NANOS_PER_SECOND)
        self._kafka = kafka
        self._decode = codecs.of(Tick).decode_columns
        self._transactions = transactions
        self._figures = figures
        self._counts = [figures.bars.labels(name) for name in settings.intervals]
        self._clock = clock
        self._stop = stop
        self._names = TickInterners()
        self._symbols, self._sources = Lanes(self._names.symbols), Lanes(self._names.sources)
        self._calendars = Calendars(self._symbols, settings.calendar, settings.calendar_patterns)
        self._engine = self._new_engine()
        self._changed: set[int] = set()
        self._outputs = Outputs(
            kafka,
            codecs,
            transactions,
            clock,
            self._symbols,
            self._sources,
            settings.intervals,
            self._rules.catalogue,
        )
        self._news = News(kafka, codecs, clock)
        self._heard: deque[Heard] = deque(maxlen=_MOST_EVENTS)
        self._complaints = Complaints(self._rules.catalogue, figures, clock)
        self._source = Source(kafka, codecs, settings.max_batch, self._assigned, self._revoked, self._patiently)
        self._changed_at = 0.0
        self._closed_at = 0.0
        self._closed_through: int | None = None
        self._took = 0.0
        self._form_at = 0.0
        self._failed = ""
        self.waiting_for = "the start"

    def run(self) -> None:
        """Work until told to stop or, when so set, caught up."""
        self._patiently(self._transactions.renew)
        self._source.subscribe()
        try:
            while not self._stop and not (self._settings.until_caught_up and self._done()):
                try:
                    self._turn()
                except RetryableError as error:
                    self._start_over(str(error))
            self._finish()
        finally:
            self._source.close()
            self._news.close()

    def _done(self) -> bool:
        return self._source.caught_up and not self._changed

    def _turn(self) -> None:
        batch = self._source.read(_POLL, min(max(_GATHER, self._took * _GATHER_SHARE), _POLL))
        began = self._clock.monotonic()
        if self._failed:
            raise RetryableError(self._failed)
        if not self._changed:
            self._changed_at = self._clock.monotonic()
        if len(batch.messages):
            self._take(batch)
        self._hear(self._news.read())
        for partition, mark in self._source.due_marks():
            self._engine.mark(partition, mark)
            self._changed.add(partition)
        self._close()
        self._form()
        if self._changed and self._is_due(len(batch.messages)):
            self._commit()
        self._took = self._clock.monotonic() - began

    def _is_due(self, trades: int) -> bool:
        """Whether to commit: as soon as readers wait for something, but the bars of a time together."""
        now = self._clock.monotonic()
        if not self._transactions.is_open:
            return now - self._changed_at >= _SAVE_EVERY
        if trades >= self._settings.max_batch // 10:
            return now - self._changed_at >= _COMMIT_EVERY
        through = self._closed_through
        return through is None or now - self._closed_at >= _COMPANY or not self._engine.lags(through)

    def _take(self, batch: Batch) -> None:
        values = list(map(Message.value, batch.messages))
        decoded = self._decode(values, self._names)
        rows, columns = decoded.rows, decoded.columns
        early = self._too_early(batch, rows, columns)
        rejected = [*decoded.rejected, *((row, _TOO_EARLY) for row in rows[early].tolist())]
        if early.any():
            rows, columns = rows[~early], columns.take(np.flatnonzero(~early))
        if len(rows):
            taken = self._engine.take(columns, batch.partitions[rows])
            rejected += [(row, _TOO_LATE) for row in rows[taken.too_late].tolist()]
            for gap in taken.gaps:
                self._outputs.send_gap(gap)
            self._figures.count(taken)
        for row, reason in sorted(rejected):
            self._outputs.reject(batch.messages[row], reason)
        self._changed.update(np.unique(batch.partitions).tolist())
        self._figures.ticks.inc(len(rows))
        self._figures.rejected.inc(len(decoded.rejected) + int(np.count_nonzero(early)))

    def _hear(self, news: Sequence[Heard]) -> None:
        self._heard += news
        for heard in news:
            self._engine.hear(heard.event, heard.partition, heard.offset)
        if news:
            self._changed.update(self._engine.partitions)

    def _too_early(self, batch: Batch, rows: NDArray[np.intp], columns: TickColumns) -> NDArray[np.bool_]:
        """Which trades are dated too far ahead of their publishing: by their own stamp, and by the record's."""
        early: NDArray[np.bool_] = columns.ts_event > columns.ts_ingest + self._ahead
        for place in np.flatnonzero(early).tolist():
            _kind, published_ms = batch.messages[rows[place]].timestamp()
            early[place] = columns.ts_event[place] > published_ms * _NANOS_PER_MILLISECOND + self._ahead
        return early

    def _close(self) -> None:
        if not self._changed:
            return
        output = self._engine.close()
        self._outputs.send_bars(output, "closed")
        if len(output.bars):
            if self._closed_through is None:
                self._closed_at = self._clock.monotonic()
            self._closed_through = int(output.bars["end"].max())
            self._figures.revisions.inc(int(np.count_nonzero(output.bars["revision"])))
            counts = np.bincount(output.bars["interval"], minlength=len(self._counts)).tolist()
            for figure, count in zip(self._counts, counts, strict=True):
                figure.inc(count)

    def _form(self) -> None:
        started = self._clock.monotonic()
        if started < self._form_at or not self._may_form(started - self._form_at):
            return
        output = self._engine.form()
        self._outputs.send_bars(output, "partial")
        self._changed.update(self._symbols.partitions[output.bars["symbol"]].tolist())
        took = self._clock.monotonic() - started
        self._form_at = started + max(self._settings.forming_seconds, took / _FORMING_SHARE)

    def _may_form(self, waited: float) -> bool:
        begin, end = _FORM_BETWEEN
        between = begin <= self._clock.now_ns() % NANOS_PER_SECOND < end
        return between or self._settings.forming_seconds < 1 or waited >= 1

    def _commit(self) -> None:
        offsets = {partition: self._source.offsets(partition) for partition in sorted(self._changed)}
        for partition, records in self._engine.changes(offsets).items():
            self._outputs.send_state(records, partition)
        with self._figures.commit_seconds.time():
            self._transactions.commit(self._source.positions(), self._source.consumer)
        self._changed.clear()
        self._closed_through = None
        self._complaints.tell()
        self._figures.transactions.inc()
        self._figures.lag.set(self._source.lag)
        self._figures.symbols.set(self._engine.symbol_count)

    def _finish(self) -> None:
        if self._changed and not self._failed:
            try:
                self._commit()
            except RetryableError as error:
                _LOG.warning("last_commit_failed", reason=str(error))

    def _start_over(self, reason: str) -> None:
        """Forget everything since the last commit."""
        _LOG.warning("starting_over", reason=reason)
        self._failed = ""
        self._figures.restarts.inc()
        self._changed.clear()
        self._closed_through = None
        self._patiently(self._renew_and_restart)

    def _renew_and_restart(self) -> None:
        self._transactions.renew()
        self._engine = self._new_engine()
        self._source.restart()

    def _new_engine(self) -> Engine:
        return Engine(self._rules, self._calendars, self._symbols, self._sources)

    def _assigned(self, partitions: Sequence[int]) -> Mapping[int, Offsets]:
        begins = dict.fromkeys(partitions, FROM_THE_BEGINNING)
        if self._failed:
            # What this instance has open itself would hide the changelog's end.
            self._patiently(self._transactions.renew)
        if partitions:
            self._patiently(lambda: begins.update(self._load(partitions)))
        self.waiting_for = ""
        _LOG.info("assigned", partitions=list(partitions), symbols=len(self._names.symbols))
        return begins

    def _load(self, partitions: Sequence[int]) -> dict[int, Offsets]:
        self._hear(self._news.catch_up())
        loaded = changelog.load(self._kafka, partitions, self._clock)
        offsets = {}
        for partition in partitions:
            found = loaded.pop(partition)  # what was read takes as much room as what is made of it
            self._engine.restore(partition, found)
            self._engine.hear_all(partition, [(heard.event, heard.partition, heard.offset) for heard in self._heard])
            offsets[partition] = found.offsets
        return offsets

    def _revoked(self, partitions: Sequence[int], lost: bool) -> None:  # noqa: FBT001 - the callback's shape
        if self._changed:
            if lost:
                self._failed = "partitions were lost"
            else:
                try:
                    self._close()
                    self._commit()
                except RetryableError as error:
                    self._failed = str(error)
        for partition in partitions:
            self._engine.forget(partition)
        self._changed -= set(partitions)
        _LOG.info("revoked", partitions=list(partitions), lost=lost)

    def wait_for(self, reason: str) -> None:
        """Say why nothing can be done now."""
        if reason != self.waiting_for:
            _LOG.warning("waiting", reason=reason)
        self.waiting_for = reason

    def _patiently(self, call: Callable[[], None]) -> None:
        """Repeat a call while Kafka is away."""
        before = self.waiting_for
        retry_forever(call, self._stop, self.wait_for)
        self.waiting_for = before
