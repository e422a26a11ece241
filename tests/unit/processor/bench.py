"""An engine on a bench: logs for it, what the oracle expects of them, and whether the two agree."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.unit.processor.oracle import Oracle
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.intervals import Interval
from tickstream.core.model import MarketEvent, Progress, Tick
from tickstream.core.sessions import SESSION_NAMES
from tickstream.processor.domain.engine import Engine
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.outages import ACTIVITIES
from tickstream.processor.domain.output import Output
from tickstream.processor.domain.rules import Rules
from tickstream.processor.domain.state import Loaded, Offsets
from tickstream.processor.domain.windows import Calendars

SECOND = 1_000_000_000
ALL = ("1s", "1m", "5m", "15m", "1h", "1d")
FOREVER = 10**18
HOUR = 3600 * SECOND
# Tuesday 2013-10-08, 09:29:57 in New York: a session edge is near.
OPEN = 1_381_238_997 * SECOND
STARTS = [
    OPEN,
    OPEN + 390 * 60 * SECOND,  # the close
    OPEN + (390 + 240) * 60 * SECOND,  # the end of the post session
    OPEN + (390 + 240 + 240) * 60 * SECOND,  # midnight
    OPEN + 3 * 86_400 * SECOND + (390 + 240) * 60 * SECOND,  # the end of a Friday
    1_383_458_397 * SECOND,  # 2013-11-03, two minutes before clocks went back
]

PARTITION = 2
Op = Tick | Progress


class Bench:
    """An engine and what it has put out."""

    def __init__(self, intervals: tuple[str, ...] = ALL, **rules: Any) -> None:
        self.begin()
        chosen = tuple(sorted(map(Interval.named, intervals), key=lambda interval: interval.rank))
        places = frozenset(place for place, interval in enumerate(chosen) if interval.fills or interval.counted)
        given: dict[str, Any] = {"grace": 0, "patience": FOREVER, "quiet_limit": FOREVER, "retention": HOUR}
        given |= {"include_suspicious": False} | rules
        calendar = given.pop("calendar", "XNYS")
        self.rules = Rules(chosen, places, places, **given)
        self.calendars = Calendars(self.symbols, calendar)
        self.engine = self.fresh()
        self.bars: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.values: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
        self.late: list[Tick] = []
        self.gaps: list[tuple[str, str, int, int]] = []
        self.duplicates = 0
        self.records: dict[bytes, bytes | None] = {}
        self.news: list[MarketEvent] = []

    def begin(self) -> None:
        self.names = TickInterners()
        self.symbols, self.sources = Lanes(self.names.symbols), Lanes(self.names.sources)

    def fresh(self, loaded: Loaded | None = None) -> Engine:
        engine = Engine(self.rules, self.calendars, self.symbols, self.sources)
        engine.restore(PARTITION, loaded or Loaded())
        return engine

    def run(self, ops: list[Op], cuts: set[int], delays: Sequence[int] = (0,), *, restart: bool = False) -> None:
        """Run a log in batches; each mark is told so many batches after its own."""
        waiting: list[tuple[int, Progress]] = []
        marks = 0
        for turn, batch in enumerate([*batches(ops, cuts), *([[]] * max(delays, default=0))]):
            for op in batch:
                if isinstance(op, Progress):
                    waiting.append((turn + delays[marks % len(delays)], op))
                    marks += 1
            due: list[Op] = [mark for at, mark in waiting if at <= turn]
            waiting = [(at, mark) for at, mark in waiting if at > turn]
            self.batch([*(op for op in batch if isinstance(op, Tick)), *due])
            if restart:
                self.restart()

    def batch(self, ops: list[Op]) -> None:
        ticks = [op for op in ops if isinstance(op, Tick)]
        if ticks:
            columns = TickColumns.of(ticks, self.names)
            taken = self.engine.take(columns, np.full(len(columns), PARTITION))
            self.late += [ticks[row] for row in taken.too_late.tolist()]
            self.duplicates += taken.duplicates
            symbols, sources = self.symbols.values, self.sources.values
            self.gaps += [(symbols[gap.symbol], sources[gap.source], gap.first, gap.last) for gap in taken.gaps]
        for op in ops:
            if isinstance(op, Progress):
                self.engine.mark(PARTITION, op)
        self.put(self.engine.close())
        for key, value in self.engine.changes({PARTITION: Offsets(0, 0)})[PARTITION]:
            if value is None:
                self.records.pop(key, None)
            else:
                self.records[key] = value

    def restart(self) -> None:
        loaded = Loaded()
        for key, value in self.records.items():
            loaded.take(key, value)
        self.begin()
        self.names.symbols.code("something else")
        self.symbols.code(0, "elsewhere")
        self.calendars = Calendars(self.symbols, "XNYS")
        self.engine = self.fresh(loaded)
        self.engine.hear_all(PARTITION, [(event, 0, offset) for offset, event in enumerate(self.news)])

    def hear(self, news: Sequence[MarketEvent]) -> None:
        """Take market events that are there before anything else."""
        self.news = list(news)
        for offset, event in enumerate(self.news):
            self.engine.hear(event, 0, offset)

    def put(self, output: Output) -> None:
        for bar in output.bars:
            series = (self.symbols.values[bar["symbol"]], self.rules.intervals[bar["interval"]].name)
            plain = {
                name: bar[name].item()
                for name in (
                    "start",
                    "end",
                    "open",
                    "high",
                    "low",
                    "close",
                    "vwap",
                    "trades",
                    "revision",
                    "session_vwap",
                )
            }
            plain["volume"] = float(bar["sums"][0])
            plain["activity"] = ACTIVITIES[bar["activity"]]
            plain["session"] = SESSION_NAMES[bar["session"]]
            self.bars[series].append(plain)
        for bar, values in zip(output.indicated, output.values.tolist(), strict=True):
            series = (self.symbols.values[bar["symbol"]], self.rules.intervals[bar["interval"]].name)
            self.values[series].append([int(bar["start"]), int(bar["revision"]), *values])


def batches(ops: list[Op], cuts: set[int]) -> list[list[Op]]:
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(ops)), len(ops)]
    return [ops[low:high] for low, high in itertools.pairwise(bounds) if low < high]


@st.composite
def logs(
    draw: st.DrawFn, symbols: int = 3, sources: int = 1, *, disorder: bool = False, patience: int | None = None
) -> list[Op]:
    """Trades with duplicates, gaps, zero volumes, suspicious prints, idle stretches, and marks that hold.

    With `patience`, marks speak of their own source alone, and lie ahead of others' trades, but not of those
    whose lateness would be left to chance; without, all marks hold for all trades.
    """
    ts = draw(st.sampled_from(STARTS))
    counts: dict[tuple[str, str], int] = defaultdict(lambda: draw(st.integers(0, 3)))
    ticks: list[Tick] = []
    for _ in range(draw(st.integers(1, 25))):
        ts += draw(st.sampled_from([0, 1, SECOND // 3, SECOND, 40 * SECOND, 301 * SECOND, 4000 * SECOND]))
        if ticks and draw(st.integers(0, 7)) == 0:
            ticks.append(draw(st.sampled_from(ticks)))
            continue
        back = draw(st.sampled_from([0, 0, 0, SECOND // 2, 70 * SECOND, 1900 * SECOND, HOUR])) if disorder else 0
        symbol = f"S{draw(st.integers(1, symbols))}"
        source = f"src{draw(st.integers(1, sources))}"
        counts[symbol, source] += draw(st.sampled_from([1, 1, 1, 1, 3]))
        price = draw(st.sampled_from([10.0, 10.01, 10.33, 9.99, 1e-5, 123456.789]))
        volume = draw(st.sampled_from([0.0, 1.0, 100.0, 0.1, 1e-8, 3e7]))
        flags = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
        ticks.append(Tick(symbol, price, volume, ts - back, 0, counts[symbol, source], source, flags=flags))
    ops: list[Op] = []
    for row, tick in enumerate(ticks):
        ops.append(tick)
        if draw(st.integers(0, 5)) == 0:
            source = tick.source if patience is None else f"src{draw(st.integers(1, sources))}"
            rest = [later.ts_event for later in ticks[row + 1 :] if patience is None or later.source == source]
            reached = min(rest, default=ts + draw(st.sampled_from([0, 90 * SECOND, 30_000 * SECOND])))
            if patience is not None:
                reached = certain(source, reached, ticks, row, patience)
            ops.append(Progress(source, reached, 0, final=not rest and draw(st.booleans())))
    if sources > 1 or draw(st.booleans()):  # how far marks had closed windows before the end of the log is chance
        ops += [Progress(f"src{n}", ts + 26 * 3600 * SECOND, 0, final=True) for n in range(1, sources + 1)]
    return ops


def certain(source: str, reached: int, ticks: list[Tick], row: int, patience: int) -> int:
    """How far a mark may lie after a trade without leaving to chance what is late.

    That is up to the later trades of other sources that had not joined their symbol, or may have been given up.
    """
    for at, tick in enumerate(ticks[row + 1 :], start=row + 1):
        if tick.source != source and tick.ts_event < reached:
            known = [place for place in range(row + 1) if same_stream(ticks[place], tick)]
            told = [other.ts_event for other in ticks[: known[-1] + 1] if other.source == tick.source] if known else [0]
            fastest = max(reached, *(other.ts_event for other in ticks[:at]))
            if not known or max(told) < fastest - patience:
                reached = tick.ts_event
    return reached


def same_stream(one: Tick, other: Tick) -> bool:
    return (one.symbol, one.source) == (other.symbol, other.source)


def expected(ops: list[Op], intervals: tuple[str, ...] = ALL, **rules: Any) -> Oracle:
    oracle = Oracle(intervals, **rules)
    for op in ops:
        if isinstance(op, Tick):
            oracle.tick(op)
        else:
            oracle.mark(op)
    return oracle


def assert_same(bench: Bench, oracle: Oracle) -> None:
    assert bench.late == oracle.late
    assert bench.duplicates == oracle.duplicates
    assert sorted(bench.gaps) == sorted(oracle.gaps)
    for series in bench.bars.keys() | oracle.bars.keys():
        found, wanted = bench.bars[series], oracle.bars[series]
        assert [bar["start"] for bar in found] == [bar["start"] for bar in wanted], series
        for bar, other in zip(found, wanted, strict=True):
            for name, value in other.items():
                if name in ("vwap", "session_vwap", "volume"):
                    assert math.isclose(bar[name], value, rel_tol=1e-12), (series, name, bar, other)
                else:
                    assert bar[name] == value, (series, name, bar, other)


QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a log takes many minutes
)
CUTS = st.sets(st.integers(1, 40))
MINUTE = 60 * SECOND
BELL = OPEN + 3 * SECOND
