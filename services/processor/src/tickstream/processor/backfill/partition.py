"""One partition's backfill.

Order of effects:

1. the transactional id is taken, which ends what another backfill of this partition had open,
2. in place, it is read how far the live instance has come; what it may still revise is left to it,
3. what is published is read, then the log, from its beginning to its end as it was then,
4. what is missing or differs goes to a file,
5. the file is sent in one transaction: all of it is there at once, or nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tickstream.core.clock import NANOS_PER_SECOND, Clock
from tickstream.core.codec import Codecs
from tickstream.core.columns import TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.kafka import Kafka, Message
from tickstream.core.logging import logger
from tickstream.core.model import Tick
from tickstream.core.news import Heard
from tickstream.core.service import Stop
from tickstream.processor.adapters import changelog
from tickstream.processor.adapters.outputs import Outputs
from tickstream.processor.adapters.transactions import Transactions
from tickstream.processor.backfill.log import Log, cut
from tickstream.processor.backfill.published import Reader
from tickstream.processor.backfill.settings import BEGINNING
from tickstream.processor.backfill.spool import Spool
from tickstream.processor.domain.engine import Engine
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.output import Output
from tickstream.processor.domain.recomputed import (
    ABSENT,
    FIGURES,
    History,
    Published,
    Rows,
    Waiting,
    figures_of,
    settled_by,
)
from tickstream.processor.domain.revisions import EVERY
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import FROM_THE_BEGINNING, Loaded
from tickstream.processor.domain.windows import Calendars
from tickstream.processor.settings import ProcessorSettings

_LOG = logger(__name__)
_TIMEOUT: Final = 120.0
_TELL_EVERY: Final = 2.0


@dataclass(slots=True)
class Counts:
    """What became of it all.

    Attributes:
        read: trades.
        closed: bars and indicators that were worked out, each once.
        published: how many of those are new on the topics.
        revised: how many of these take the place of something else.
        same: those that are there already.
        left_out: those that the live instance may still revise, or that the log doesn't tell in full.
    """

    read: int = 0
    closed: int = 0
    published: int = 0
    revised: int = 0
    same: int = 0
    left_out: int = 0

    def add(self, other: Counts) -> None:
        """Count another partition in."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


@dataclass(frozen=True, slots=True)
class Place:
    """Topics with one prefix, and the codecs of their records."""

    kafka: Kafka
    codecs: Codecs


@dataclass(frozen=True, slots=True)
class _Kind:
    """Bars or indicators: those that are worked out, and those that are there."""

    name: str
    waiting: Waiting
    published: Published


class Backfill:
    """Works out one partition.

    Args:
        settings: the processor's, and the backfill's.
        rules: the live instance's.
        log: where the trades are.
        target: where bars and indicators go.
        heard: all market events.
        clock: for limits.
        stop: says when to give up.
        partition: which.
    """

    def __init__(
        self,
        settings: ProcessorSettings,
        rules: Rules,
        log: Place,
        target: Place,
        heard: Sequence[Heard],
        clock: Clock,
        stop: Stop,
        partition: int,
    ) -> None:
        late = rules.retention if settings.late is None else int(settings.late * NANOS_PER_SECOND)
        self._settings = settings
        self._live = rules
        self._rules = dataclasses.replace(rules, retention=late)
        self._log = log
        self._target = target
        self._heard = heard
        self._clock = clock
        self._stop = stop
        self._partition = partition
        self._scope = settings.scope
        self._names = TickInterners()
        self._symbols, self._sources = Lanes(self._names.symbols), Lanes(self._names.sources)
        self._counted = np.array([interval.counted for interval in rules.intervals])
        self._on = np.zeros((len(rules.intervals), len(rules.catalogue.names)), dtype=np.bool_)
        for place, interval in enumerate(rules.intervals):
            self._on[place, rules.catalogue.places(interval.name)] = True
        self._reached = np.zeros(0, dtype=np.int64)
        self._told_at = clock.monotonic()
        self.counts = Counts()

    def run(self) -> Counts:
        """Work it out, and publish what is missing or differs.

        Raises:
            RetryableError: Kafka is away; nothing of this partition was published, or all.
            FatalError: it was told to stop, or another backfill of this partition has begun.
        """
        transactions = Transactions(
            self._target.kafka, self._target.kafka.group(f"backfill-{self._partition}"), _TIMEOUT
        )
        transactions.renew()
        watermarks = self._watermarks()
        log = Log(self._log.kafka, self._log.codecs, self._partition, self._settings.max_batch, self._clock)
        with Spool() as spool:
            self._work_out(log, watermarks, spool)
            for topic, keys, values in spool.chunks():
                transactions.send(topic, keys, values)
            if spool.count:
                transactions.commit()
        return self.counts

    def _watermarks(self) -> dict[str, int] | None:
        """How far the live instance has come with each symbol, where that matters."""
        if not self._settings.in_place:
            return None
        loaded = changelog.load(self._target.kafka, [self._partition], self._clock)[self._partition]
        names, rules = TickInterners(), dataclasses.replace(self._rules, indicated=frozenset())
        return self._engine(rules, Lanes(names.symbols), Lanes(names.sources), loaded).reached

    def _engine(self, rules: Rules, symbols: Lanes, sources: Lanes, loaded: Loaded) -> Engine:
        calendars = Calendars(symbols, self._settings.calendar, self._settings.calendar_patterns)
        engine = Engine(rules, calendars, symbols, sources)
        engine.restore(self._partition, loaded)
        return engine

    def _work_out(self, log: Log, watermarks: Mapping[str, int] | None, spool: Spool) -> None:
        symbols, intervals, catalogue = self._symbols, self._settings.intervals, self._rules.catalogue
        reader = Reader(*self._where(), self._partition, symbols, intervals, self._scope, self._clock)
        slack = self._rules.retention + EVERY
        kinds = (
            _Kind("bars", Waiting(slack, len(FIGURES)), reader.bars()),
            _Kind("indicators", Waiting(slack, len(catalogue.names)), reader.indicators(catalogue.names)),
        )
        within = self._rules.retention + self._rules.patience
        in_place = watermarks is not None
        history = History(self._counted, reader.earliest if in_place else {}, within, cut=in_place and log.begin > 0)
        outputs = Outputs(*self._where(), spool, self._clock, symbols, self._sources, intervals, catalogue)
        for output in self._outputs(log):
            self._take(output, kinds, history)
            for kind in kinds:
                self._publish(kind, kind.waiting.settled(self._reached), history, watermarks, outputs)
        for kind in kinds:
            self._publish(kind, kind.waiting.rest(), history, watermarks, outputs)

    def _where(self) -> tuple[Kafka, Codecs]:
        return self._target.kafka, self._target.codecs

    def _outputs(self, log: Log) -> Iterator[Output]:
        """What the engine puts out."""
        engine = self._engine(self._rules, self._symbols, self._sources, Loaded())
        for news in self._heard:
            engine.hear(news.event, news.partition, news.offset)
        decode = self._log.codecs.of(Tick).decode_columns
        for messages, marks in log.steps():
            if self._stop:
                raise FatalError(
                    f"the backfill was stopped in partition {self._partition}, of which nothing is published"
                )
            self.counts.read += len(messages)
            decoded = decode(list(map(Message.value, messages)), self._names)
            offsets = np.array([message.offset() for message in messages], dtype=np.int64)[decoded.rows]
            for rows, reached in cut(offsets, decoded.columns.ts_event, marks):
                if rows.start < rows.stop:
                    trades = decoded.columns.take(np.arange(rows.start, rows.stop))
                    engine.take(trades, np.full(len(trades), self._partition))
                for mark in reached:
                    engine.mark(self._partition, mark)
                yield engine.close()
                engine.changes({self._partition: FROM_THE_BEGINNING})  # nobody keeps them, and they must not pile up
            self._tell(messages, log)

    def _take(self, output: Output, kinds: tuple[_Kind, _Kind], history: History) -> None:
        bars, indicated = output.bars, output.indicated
        history.note(bars)
        known = len(self._reached)
        self._reached = np.append(self._reached, np.full(len(self._symbols) - known, BEGINNING))
        timed = bars[~self._counted[bars["interval"]]]
        np.maximum.at(self._reached, timed["symbol"], timed["end"])
        values = np.where(self._on[indicated["interval"]], output.values, ABSENT)
        for kind, rows in zip(kinds, (Rows(bars, figures_of(bars)), Rows(indicated, values)), strict=True):
            kind.waiting.add(rows.take(self._scope.has(rows.table["start"])))

    def _publish(
        self, kind: _Kind, rows: Rows, history: History, watermarks: Mapping[str, int] | None, outputs: Outputs
    ) -> None:
        """Publish what differs of final records."""
        usable = history.usable(rows)
        if watermarks is not None:
            settled = settled_by(watermarks, self._symbols.values, self._live_slack)
            usable &= rows.table["end"] <= settled[rows.table["symbol"]]
        ours = rows.take(usable)
        kept = history.short(ours) & (kind.name == "indicators")
        judged = kind.published.judge(ours, len(self._rules.intervals), kept)
        self.counts.add(
            Counts(
                closed=len(rows),
                published=len(judged.rows),
                revised=judged.revised,
                same=len(ours) - len(judged.rows),
                left_out=len(rows) - len(ours),
            )
        )
        table, nothing = judged.rows.table, judged.rows.table[:0]
        if kind.name == "bars":
            outputs.send_bars(Output(table, nothing, np.zeros((0, 0))), "closed")
        else:
            outputs.send_bars(Output(nothing, table, judged.rows.figures), "closed")

    @property
    def _live_slack(self) -> int:
        """For how long after its end the live instance may revise a window."""
        return self._live.grace + self._live.retention + EVERY

    def _tell(self, messages: Sequence[Message], log: Log) -> None:
        now = self._clock.monotonic()
        if messages and now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            reached = (messages[-1].offset() or 0) + 1
            _LOG.info("backfill", partition=self._partition, offset=reached, end=log.end, read=self.counts.read)
