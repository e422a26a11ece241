"""The loop of a producer against a clock that is not real, and a log that always takes everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import MarketEvent, Tick
from tickstream.core.sessions import Sessions
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import TickPublisher
from tickstream.producer.domain.chunks import Chunk
from tickstream.producer.domain.progress import Mark
from tickstream.producer.feed import Feed

SECOND = 10**9
OPEN = 1_381_239_000 * SECOND
CLOSE = OPEN + 23_400 * SECOND
DAY_END = 1_381_291_200 * SECOND
TURN = 0.005


class FakeClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def now_ns(self) -> int:
        return int(self.now * SECOND)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 1e-6)


class Log:
    """Takes trades, marks and events, and remembers when."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.sent: list[tuple[float, int]] = []
        self.marks: list[tuple[float, Mark]] = []
        self.events: list[MarketEvent] = []
        self.acknowledged = [0]
        self.offsets = [0]

    @property
    def account(self) -> Account:
        return Account(self)

    def partitions_of(self, columns: TickColumns) -> NDArray[np.int64]:
        return np.zeros(len(columns), dtype=np.int64)

    def publish(self, columns: TickColumns, _given_up: Callable[[], bool]) -> bool:
        self.sent += [(self.clock.now, ts) for ts in columns.ts_event.tolist()]
        self.acknowledged = self.offsets = [len(self.sent)]
        return True

    def mark(self, marks: Iterable[Mark]) -> None:
        self.marks += [(self.clock.now, mark) for mark in marks]

    def event(self, event: MarketEvent) -> None:
        self.events.append(event)

    def serve(self) -> None: ...

    check = serve

    def flush(self, *_limits: object) -> None: ...


class Account:
    def __init__(self, log: Log) -> None:
        self.sent = [len(log.sent)]
        self.acknowledged = log.acknowledged
        self.offsets = log.offsets


class FakeOutside:
    def __init__(self, speed: float) -> None:
        self.speed = speed
        self.behind: list[float] = []
        self.end_at = self.hurry_at = math.inf
        self.end = False

    def ending(self) -> bool:
        return self.end

    def turn(self, behind: float, now: float) -> None:
        self.behind.append(behind)
        self.end = now > self.end_at
        self.speed = math.inf if now > self.hurry_at else self.speed


def chunk(times: list[int], until: int) -> Chunk:
    ticks = [Tick("SPY", 1.0, 1.0, ts, 0, seq, "replay-x") for seq, ts in enumerate(times, 1)]
    columns = TickColumns.of(ticks, TickInterners())
    return Chunk(columns, columns.ts_event, until)


def feed(log: Log, outside: FakeOutside) -> Feed:
    sessions = Sessions.of("XNYS")
    return Feed(cast("TickPublisher", log), cast("Announcer", log), sessions, log.clock, outside, 1.0)


@pytest.mark.parametrize("speed", [1.0, 60.0, 0.25])
def test_every_trade_goes_out_when_it_is_due_and_at_most_a_turn_later(speed: float) -> None:
    log, outside = Log(FakeClock()), FakeOutside(speed)
    rng = np.random.default_rng(1)
    times = np.sort(OPEN + rng.integers(0, int(20 * speed * SECOND), 2000)).tolist()
    assert feed(log, outside).run([chunk(times[:700], times[700]), chunk(times[700:], times[-1])])
    for (sent, ts), expected in zip(log.sent, times, strict=True):
        assert ts == expected
        due = 1000.0 + (ts - times[0]) / SECOND / speed
        assert due - 1e-6 <= sent <= due + TURN + 1e-3


def test_what_was_held_up_is_caught_up_with() -> None:
    log, outside = Log(FakeClock()), FakeOutside(1.0)
    times = [OPEN + second * SECOND for second in range(10)]

    def held_up() -> Iterable[Chunk]:
        yield chunk(times[:5], times[5])
        log.clock.now += 3.0
        yield chunk(times[5:], times[-1])

    feed(log, outside).run(held_up())
    assert max(outside.behind) == pytest.approx(3.0, abs=0.01)
    assert log.sent[-1][0] == pytest.approx(1009.0, abs=0.01)


def test_marks_follow_the_event_time_while_nothing_trades() -> None:
    log = Log(FakeClock())
    feed(log, FakeOutside(1.0)).run([chunk([OPEN, OPEN + 10 * SECOND], OPEN + 10 * SECOND)])
    times = [when for when, _ in log.marks]
    assert all(later - earlier <= 0.25 for earlier, later in pairwise(times))
    for when, mark in log.marks:
        assert mark.progress.ts_event - OPEN <= (when - 1000.0) * SECOND + 1
        assert mark.progress.ts_event <= OPEN + 10 * SECOND


def test_sessions_are_announced_between_the_trades_on_their_two_sides() -> None:
    log = Log(FakeClock())
    times = [OPEN - 1, OPEN, CLOSE - 1, CLOSE, CLOSE + 1]
    running = feed(log, FakeOutside(math.inf))
    running.run([chunk(times, times[-1])])
    running.finish(complete=True)
    assert [(event.type, event.ts_event) for event in log.events] == [
        ("feed_up", OPEN - 1),
        ("session_open", OPEN),
        ("session_close", CLOSE),
        ("feed_down", DAY_END),
    ]
    said = {mark.progress.ts_event: mark.progress for _, mark in log.marks}
    assert (said[OPEN].offset, said[CLOSE].offset, said[DAY_END].offset) == (1, 3, 5)
    assert said[DAY_END].final


def test_a_change_of_speed_takes_hold_at_once() -> None:
    log, outside = Log(FakeClock()), FakeOutside(1.0)
    outside.hurry_at = 1002.0
    times = [OPEN + second * SECOND for second in range(3600)]
    feed(log, outside).run([chunk(times, times[-1])])
    assert len(log.sent) == 3600
    assert log.clock.now < 1003


def test_an_end_from_outside_promises_only_what_went_out() -> None:
    log, outside = Log(FakeClock()), FakeOutside(1.0)
    outside.end_at = 1002.5
    times = [OPEN + second * SECOND for second in range(10)]
    running = feed(log, outside)
    assert not running.run([chunk(times, times[-1])])
    running.finish(complete=False)
    last = log.marks[-1][1].progress
    assert last.final
    assert log.sent[-1][1] < last.ts_event <= times[3]
    assert len(log.sent) == 3
