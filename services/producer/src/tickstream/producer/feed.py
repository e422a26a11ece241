"""The loop of a producer: what is due goes out, and how far it has come is told.

Order of effects:

1. trades are sent, in the order of their chunk,
2. once they have arrived, a mark says up to which event time everything has,
3. at the end everything sent is waited for, then the last marks and feed_down follow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np

from tickstream.core.clock import NANOS_PER_SECOND, Clock
from tickstream.core.columns import Ints
from tickstream.core.model import MarketEvent
from tickstream.core.sessions import SESSION_NAMES, Change, Sessions
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import TickPublisher
from tickstream.producer.domain.chunks import Chunk, part
from tickstream.producer.domain.live import LiveSource, LiveSources
from tickstream.producer.domain.pace import Pacer
from tickstream.producer.domain.progress import Marks

_BATCH: Final = 5_000
_TURN: Final = 0.005
_FEW: Final = 100
_PAUSE: Final = 0.002
"""After few trades more are waited for: they go out together, which the client's own lingering does anyway."""

_MARK_EVERY: Final = 0.1
_MARK_APART: Final = 0.02
"""A second of event time that has passed is told at once, since bars close with it; but not more often than that."""

_NEVER: Final = int(np.iinfo(np.int64).min)


class Outside(Protocol):
    """What reaches into a running feed."""

    @property
    def speed(self) -> float:
        """Seconds of event time a second, as it is wanted now."""
        ...

    def ending(self) -> bool:
        """Whether the feed is to end."""
        ...

    def turn(self, behind: float, now: float) -> None:
        """Called often: how many seconds the feed is behind its schedule, and the monotonic time."""
        ...


class Feed:
    """Publishes one run of trades.

    Args:
        publisher: sends the trades.
        announcer: sends the rest.
        sessions: of the exchange.
        clock: the time that the pace is held against.
        outside: what reaches into the run.
        flush_limit: seconds that the last trades have to arrive.
    """

    def __init__(
        self,
        publisher: TickPublisher,
        announcer: Announcer,
        sessions: Sessions,
        clock: Clock,
        outside: Outside,
        flush_limit: float,
    ) -> None:
        self._publisher = publisher
        self._announcer = announcer
        self._sessions = sessions
        self._clock = clock
        self._outside = outside
        self._flush_limit = flush_limit
        partitions = len(publisher.account.sent)
        self._live = LiveSources(partitions)
        self._marks = Marks(partitions)
        self._marked = -math.inf
        self._frontier = self._bars_end = _NEVER
        self._pacer: Pacer | None = None
        self._change: Change | None = None

    def start(self, source: str, event: int, partitions: Iterable[int]) -> None:
        """Begin at an event time with a source that may keep silent for a while.

        Args:
            source: its name.
            event: the event time that is due now.
            partitions: where its trades will go.
        """
        self._live.open(source, event, partitions)
        self._announcer.event(MarketEvent("feed_up", event, source=source))
        self._begin(event)

    def run(self, chunks: Iterable[Chunk]) -> bool:
        """Publish the chunks; says whether they were published to their end.

        Without `start` it begins at the first trade's event time.

        Args:
            chunks: the trades.

        Raises:
            FatalError: a trade did not arrive.
        """
        for chunk in chunks:
            if self._outside.ending():
                return False
            if self._pacer is None and len(chunk):
                self._begin(int(chunk.due[0]))
            if self._pacer is not None and not self._publish(chunk, self._pacer):
                return False
            self._live.end(chunk.ended)
            self._finish_passed()
        return True

    def finish(self, *, complete: bool, until: int | None = None) -> None:
        """Wait for everything sent, then publish the last marks and feed_down.

        Args:
            complete: whether the sources have nothing more, so that their last day is over.
            until: else, an event time before which nothing is missing, when that is known.

        Raises:
            FatalError: a trade, or one of the marks, did not arrive.
        """
        self._publisher.flush(self._flush_limit, self._outside.ending)
        if complete:
            self._advance(max((self._day_end(source.last) for source in self._live.all()), default=self._frontier))
        elif until is not None:
            self._advance(until)
        for source in self._live.all():
            self._end(source, self._day_end(source.last) if complete else self._frontier)
        self._mark()
        self._publisher.check()
        self._announcer.flush()

    def _begin(self, event: int) -> None:
        self._pacer = Pacer(self._outside.speed, event, self._clock.monotonic())
        self._frontier = event
        self._change = self._sessions.next_change(event)

    def _publish(self, chunk: Chunk, pacer: Pacer) -> bool:
        at = 0
        while not self._outside.ending():
            now = self._clock.monotonic()
            self._keep_speed(pacer, now)
            behind = -pacer.wait(int(chunk.due[at]), now) if at < len(chunk) else 0.0
            stop = self._due_rows(chunk.due, at, pacer.due(now))
            if stop > at and not self._send(chunk, at, stop):
                return False
            idle, few, at = stop == at, stop - at < _FEW and stop < len(chunk), stop
            following = int(chunk.due[at]) if at < len(chunk) else chunk.until
            self._advance(min(following, pacer.due(now)))
            self._outside.turn(behind, now)
            if at == len(chunk) and self._frontier >= chunk.until:
                return True
            if idle:
                self._clock.sleep(min(_TURN, max(0.0, pacer.wait(following, now))))
                self._publisher.serve()
            elif few:
                self._clock.sleep(_PAUSE)
        return False

    def _due_rows(self, due: Ints, at: int, reached: int) -> int:
        """Up to which row the trades go out now: what is due, a batch, and not past a session's bound."""
        stop = at + int(np.searchsorted(due[at : at + _BATCH], reached, side="right"))
        if self._change is not None and stop > at and due[stop - 1] >= self._change.ts:
            stop = at + int(np.searchsorted(due[at:stop], self._change.ts, side="left"))
        return stop

    def _keep_speed(self, pacer: Pacer, now: float) -> None:
        speed = self._outside.speed
        if speed != pacer.speed:
            pacer.rebase(speed, self._frontier, now)

    def _send(self, chunk: Chunk, start: int, stop: int) -> bool:
        columns = part(chunk.columns, start, stop)
        for source in self._live.see(columns, self._publisher.partitions_of(columns)):
            self._announcer.event(MarketEvent("feed_up", source.first, source=source.name))
        return self._publisher.publish(columns, self._outside.ending)

    def _advance(self, event: int) -> None:
        """Everything due before `event` has been sent."""
        while self._change is not None and self._change.ts <= event:
            self._pass(self._change)
            self._change = self._sessions.next_change(self._change.ts)
        self._frontier = max(self._frontier, event)
        now = self._clock.monotonic()
        if now - self._marked >= (_MARK_APART if self._frontier >= self._bars_end else _MARK_EVERY):
            self._marked = now
            self._bars_end = (self._frontier // NANOS_PER_SECOND + 1) * NANOS_PER_SECOND
            self._note(self._frontier)
        self._mark()

    def _mark(self) -> None:
        account = self._publisher.account
        self._announcer.mark(self._marks.ready(account.acknowledged, account.offsets))

    def _note(self, until: int) -> None:
        self._marks.note(until, self._live.by_partition(), self._publisher.account.sent)

    def _pass(self, change: Change) -> None:
        """The event time has come to where one session ends and another begins."""
        self._note(change.ts)
        before = SESSION_NAMES[self._sessions.classify(np.array([change.ts - 1], dtype=np.int64))[0]]
        types = ["session_close"] * (before == "regular") + ["session_open"] * (change.session == "regular")
        for kind in types:
            for source in self._live.all():
                self._announcer.event(MarketEvent(kind, change.ts, source=source.name))

    def _finish_passed(self) -> None:
        """End the sources that have nothing more and whose last day is over."""
        for source in self._live.all():
            if source.ended and (over := self._day_end(source.last)) <= self._frontier:
                self._end(source, over)

    def _end(self, source: LiveSource, over: int) -> None:
        sources = dict.fromkeys(source.partitions, frozenset([source.name]))
        self._marks.note(over, sources, self._publisher.account.sent, final=True)
        self._announcer.event(MarketEvent("feed_down", over, source=source.name))
        self._live.drop(source)

    def _day_end(self, ts: int) -> int:
        return int(self._sessions.day_end(np.array([ts], dtype=np.int64))[0])
