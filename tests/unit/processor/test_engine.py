"""A partition's engine against an oracle that goes trade by trade."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import talib
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.unit.processor.oracle import Oracle
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.intervals import Interval
from tickstream.core.model import MarketEvent, Progress, Tick
from tickstream.core.sessions import SESSION_NAMES
from tickstream.processor.domain.catalogue import usual
from tickstream.processor.domain.engine import Engine, Output
from tickstream.processor.domain.outages import ACTIVITIES
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

Op = Tick | Progress


class Bench:
    """An engine and what it has put out."""

    def __init__(self, intervals: tuple[str, ...] = ALL, **rules: Any) -> None:
        self.names = TickInterners()
        chosen = tuple(sorted(map(Interval.named, intervals), key=lambda interval: interval.rank))
        places = frozenset(place for place, interval in enumerate(chosen) if interval.fills or interval.counted)
        given: dict[str, Any] = {"grace": 0, "patience": FOREVER, "quiet_limit": FOREVER, "retention": HOUR}
        given |= {"include_suspicious": False} | rules
        calendar = given.pop("calendar", "XNYS")
        self.rules = Rules(chosen, places, places, **given)
        self.calendars = Calendars(self.names.symbols, calendar)
        self.engine = self.fresh()
        self.bars: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.values: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
        self.late: list[Tick] = []
        self.gaps: list[tuple[str, str, int, int]] = []
        self.duplicates = 0
        self.records: dict[bytes, bytes | None] = {}

    def fresh(self) -> Engine:
        return Engine(self.rules, self.calendars, self.names.symbols, self.names.sources)

    def run(self, ops: list[Op], cuts: set[int], *, restart: bool = False) -> None:
        for batch in batches(ops, cuts):
            self.batch(batch)
            if restart:
                self.restart()

    def batch(self, ops: list[Op]) -> None:
        ticks = [op for op in ops if isinstance(op, Tick)]
        if ticks:
            columns = TickColumns.of(ticks, self.names)
            taken = self.engine.take(columns)
            self.late += [ticks[row] for row in taken.too_late.tolist()]
            self.duplicates += taken.duplicates
            symbols, sources = self.names.symbols.values, self.names.sources.values
            self.gaps += [(symbols[gap.symbol], sources[gap.source], gap.first, gap.last) for gap in taken.gaps]
        for op in ops:
            if isinstance(op, Progress):
                self.engine.mark(op)
        self.put(self.engine.close())
        for key, value in self.engine.changes(Offsets(0, 0)):
            if value is None:
                self.records.pop(key, None)
            else:
                self.records[key] = value

    def restart(self) -> None:
        loaded = Loaded()
        for key, value in self.records.items():
            loaded.take(key, value)
        self.names = TickInterners()
        self.names.symbols.code("something else")
        self.calendars = Calendars(self.names.symbols, "XNYS")
        self.engine = self.fresh()
        self.engine.restore(loaded)

    def put(self, output: Output) -> None:
        for bar in output.bars:
            series = (self.names.symbols.values[bar["symbol"]], self.rules.intervals[bar["interval"]].name)
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
            series = (self.names.symbols.values[bar["symbol"]], self.rules.intervals[bar["interval"]].name)
            self.values[series].append([int(bar["start"]), int(bar["revision"]), *values])


def batches(ops: list[Op], cuts: set[int]) -> list[list[Op]]:
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < len(ops)), len(ops)]
    return [ops[low:high] for low, high in itertools.pairwise(bounds) if low < high]


@st.composite
def logs(draw: st.DrawFn, symbols: int = 3, sources: int = 1, *, disorder: bool = False) -> list[Op]:
    """Trades with duplicates, gaps, zero volumes, suspicious prints, idle stretches, and marks that hold."""
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
            rest = [later.ts_event for later in ticks[row + 1 :]]
            reached = min(rest, default=ts + draw(st.sampled_from([0, 90 * SECOND, 30_000 * SECOND])))
            ops.append(Progress(tick.source, reached, 0))
    if draw(st.booleans()):
        ops += [Progress(f"src{n}", ts + 26 * 3600 * SECOND, 0, final=True) for n in range(1, sources + 1)]
    return ops


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


@QUICK
@given(logs(), CUTS)
def test_bars_are_those_of_the_oracle(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench()
    bench.run(ops, cuts)
    assert_same(bench, expected(ops))


@QUICK
@given(logs(disorder=True), CUTS)
def test_late_trades_revise_closed_bars(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench()
    bench.run(ops, cuts)
    assert_same(bench, expected(ops))


@QUICK
@given(logs(disorder=True), CUTS)
def test_grace_lets_late_trades_in(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench(("1m", "1h"), grace=60 * SECOND)
    bench.run(ops, cuts)
    assert_same(bench, expected(ops, ("1m", "1h"), grace=60 * SECOND))


@QUICK
@given(logs(symbols=2, sources=3), CUTS)
def test_a_symbol_waits_for_all_its_sources(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench()
    bench.run(ops, cuts)
    assert_same(bench, expected(ops))


@QUICK
@given(logs(disorder=True), CUTS, CUTS)
def test_any_batching_gives_the_same_bytes(ops: list[Op], cuts: set[int], others: set[int]) -> None:
    one, other = Bench(), Bench()
    one.run(ops, cuts)
    other.run(ops, others)
    assert one.bars == other.bars
    for series, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[series])


@QUICK
@given(logs(symbols=2, sources=2, disorder=True), CUTS, CUTS)
def test_any_batching_of_several_sources_trades_gives_the_same_bars(
    ops: list[Op], cuts: set[int], others: set[int]
) -> None:
    trades: list[Op] = [op for op in ops if isinstance(op, Tick)]
    one, other = Bench(), Bench()
    one.run(trades, cuts)
    other.run(trades, others)
    assert one.bars == other.bars
    assert one.late == other.late


def test_a_symbols_first_source_counts_from_before_its_first_trade_also_where_another_joins() -> None:
    trades: list[Op] = [
        Tick("S2", 10.0, 1.0, OPEN + HOUR, 0, 1, "one"),
        Tick("S1", 10.0, 1.0, OPEN, 0, 1, "one"),
        Tick("S1", 10.0, 1.0, OPEN + HOUR + 1, 0, 1, "two"),
    ]
    bench, oracle = Bench(), expected(trades)
    bench.run(trades, set())
    assert_same(bench, oracle)
    assert bench.bars["S1", "1s"] == []


@QUICK
@given(logs(symbols=2, sources=2, disorder=True), CUTS)
def test_a_restart_after_any_batch_changes_nothing(ops: list[Op], cuts: set[int]) -> None:
    one, other = Bench(), Bench()
    one.run(ops, cuts)
    other.run(ops, cuts, restart=True)
    assert one.bars == other.bars
    assert (one.late, one.duplicates, one.gaps) == (other.late, other.duplicates, other.gaps)
    for series, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[series])


def test_a_late_trade_revises_its_bar_and_the_quiet_ones_after_it() -> None:
    bench = Bench(("1s", "1m"))
    at = [OPEN + 3 * SECOND + n * 60 * SECOND for n in range(5)]  # whole minutes from the opening on
    bench.batch([Tick("S1", 10.0, 1.0, at[0], 0, 1, "src"), Progress("src", at[3], 0)])
    bench.batch([Tick("S1", 12.0, 3.0, at[0] + 20 * SECOND, 0, 2, "src"), Progress("src", at[3] + 2 * SECOND, 0)])
    first, *quiet = bench.bars["S1", "1m"][3:]
    assert (first["start"], first["revision"], first["trades"], first["close"]) == (at[0], 1, 2, 12.0)
    assert (first["vwap"], first["volume"]) == (11.5, 4.0)
    assert [(bar["start"], bar["revision"], bar["close"]) for bar in quiet] == [(at[1], 1, 12.0), (at[2], 1, 12.0)]
    assert [(bar["start"], bar["revision"]) for bar in bench.bars["S1", "1s"]] == [(at[0], 0), (at[0] + 20 * SECOND, 0)]
    assert [tuple(values[:2]) for values in bench.values["S1", "1m"][3:]] == [(start, 1) for start in at[:3]]
    assert [values[-1] for values in bench.values["S1", "1m"][3:]] == [11.5] * 3


def test_a_trade_beyond_the_retention_is_too_late_and_counts_nowhere() -> None:
    bench = Bench(("1m", "1d"), retention=60 * SECOND)
    late, later = Tick("S1", 2.0, 1.0, OPEN + 120 * SECOND, 0, 2, "src"), Tick("S1", 3.0, 1.0, OPEN, 0, 3, "src")
    bench.batch([Tick("S1", 1.0, 1.0, OPEN + 180 * SECOND, 0, 1, "src"), late, later])
    bench.batch([Progress("src", OPEN + 26 * HOUR, 0)])
    assert bench.late == [later]
    [day] = bench.bars["S1", "1d"]
    assert (day["trades"], day["revision"]) == (2, 0)


@QUICK
@given(logs(symbols=1, disorder=True), CUTS)
def test_indicators_end_up_as_those_of_the_bars_as_they_ended_up(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench(("1m",))
    bench.run(ops, cuts)
    final = {bar["start"]: bar for bar in bench.bars["S1", "1m"]}
    bars = [final[start] for start in sorted(final)]
    values = {row[0]: row[2:] for row in bench.values["S1", "1m"]}
    assert sorted(values) == sorted(final)
    close, volume = (np.array([bar[name] for bar in bars], dtype=float) for name in ("close", "volume"))
    wanted = {"sma_20": talib.SMA(close, 20), "ema_20": talib.EMA(close, 20), "obv": talib.OBV(close, volume)}
    for name, series in wanted.items() if bars else ():
        place = usual().names.index(name)
        np.testing.assert_allclose([values[start][place] for start in sorted(final)], series, rtol=1e-9)


@QUICK
@given(logs(symbols=2, disorder=True), CUTS)
def test_revisions_count_up_without_a_gap(ops: list[Op], cuts: set[int]) -> None:
    bench = Bench()
    bench.run(ops, cuts)
    bars = [[(bar["start"], bar["revision"]) for bar in published] for published in bench.bars.values()]
    values = [[(row[0], row[1]) for row in published] for published in bench.values.values()]
    for published in bars + values:
        numbers: dict[float, list[float]] = defaultdict(list)
        for start, revision in published:
            numbers[start].append(revision)
        assert all(found == list(range(len(found))) for found in numbers.values())


@QUICK
@given(logs(symbols=2, sources=2, disorder=True), CUTS, st.booleans())
def test_counted_bars_end_with_the_trade_that_fills_them(ops: list[Op], cuts: set[int], restart: bool) -> None:
    bench = Bench(("3t", "150v", "4000d", "1m"))
    bench.run(ops, cuts, restart=restart)
    late = {(tick.symbol, tick.source, tick.seq) for tick in bench.late}
    for symbol in ("S1", "S2"):
        seen: set[tuple[str, int]] = set()
        trades = []
        for op in ops:
            if isinstance(op, Tick) and op.symbol == symbol and (op.source, op.seq) not in seen:
                seen.add((op.source, op.seq))
                if not op.flags & 1 and (symbol, op.source, op.seq) not in late:
                    trades.append(op)
        assert_counted(bench.bars[symbol, "3t"], trades, lambda bar: len(bar) >= 3)
        assert_counted(bench.bars[symbol, "150v"], trades, lambda bar: sum(t.volume for t in bar) >= 150)
        assert_counted(bench.bars[symbol, "4000d"], trades, lambda bar: sum(t.price * t.volume for t in bar) >= 4000)


def assert_counted(found: list[dict[str, Any]], trades: list[Tick], is_full: Callable[[list[Tick]], bool]) -> None:
    bars: list[list[Tick]] = [[]]
    for tick in trades:
        bars[-1].append(tick)
        if is_full(bars[-1]):
            bars.append([])
    assert len(found) == len(bars) - 1
    for bar, some in zip(found, bars, strict=False):
        prices = [tick.price for tick in some]
        wanted = (prices[0], max(prices), min(prices), prices[-1], len(some))
        assert tuple(bar[name] for name in ("open", "high", "low", "close", "trades")) == wanted
        assert math.isclose(bar["volume"], sum(tick.volume for tick in some), rel_tol=1e-12)
        assert (bar["activity"], bar["revision"]) == ("traded", 0)
        assert bar["start"] >= some[0].ts_event
        assert bar["end"] > max(tick.ts_event for tick in some)
    for before, after in itertools.pairwise(found):
        assert before["start"] < before["end"] <= after["start"]


def test_a_bar_by_count_is_shown_while_it_forms() -> None:
    bench = Bench(("2t",))
    bench.batch([Tick("S1", 9.0, 2.0, OPEN, 0, 1, "src")])
    [bar] = bench.engine.form().bars
    assert (bar["close"], bar["trades"], bar["start"]) == (9.0, 1, OPEN)
    assert len(bench.engine.form().bars) == 0


MINUTE = 60 * SECOND
BELL = OPEN + 3 * SECOND


def activities(bench: Bench) -> list[tuple[int, str, int]]:
    """(minutes after the bell, activity, revision) of the one minute bars, as they were published."""
    bars = bench.bars["S1", "1m"]
    return [((bar["start"] - BELL) // MINUTE, bar["activity"], bar["revision"]) for bar in bars]


def test_a_halt_a_feed_that_is_down_and_a_quiet_market_are_told_apart() -> None:
    bench = Bench(("1s", "1m"))
    events = [
        MarketEvent("halt", BELL + 90 * SECOND, symbol="S1"),
        MarketEvent("resume", BELL + 170 * SECOND, symbol="S1"),
        MarketEvent("feed_down", BELL + 240 * SECOND, source="src"),
        MarketEvent("halt", BELL + 250 * SECOND, symbol="S1"),
        MarketEvent("halt", BELL, symbol="S2"),
        MarketEvent("feed_down", BELL, source="elsewhere"),
        MarketEvent("feed_up", BELL + 310 * SECOND, source="src"),
    ]
    for offset, event in enumerate(events):
        bench.engine.hear(event, 0, offset)
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "src"), Tick("S1", 11.0, 1.0, BELL + 130 * SECOND, 0, 2, "src")])
    bench.batch([Progress("src", BELL + 420 * SECOND, 0)])
    kinds = ["traded", "halted", "traded", "quiet", "feed_down", "feed_down", "halted"]
    assert activities(bench) == [(minute, kind, 0) for minute, kind in enumerate(kinds)]
    assert [bar["close"] for bar in bench.bars["S1", "1m"]] == [10.0, 10.0] + [11.0] * 5


def test_a_feed_is_down_only_while_all_live_sources_are() -> None:
    bench = Bench(("1m",))
    bench.engine.hear(MarketEvent("feed_down", BELL + 60 * SECOND, source="one"), 0, 0)
    bench.engine.hear(MarketEvent("feed_down", BELL + 180 * SECOND, source="two"), 0, 1)
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "one"), Tick("S1", 10.0, 1.0, BELL, 0, 1, "two")])
    bench.batch([Progress(source, BELL + 300 * SECOND, 0) for source in ("one", "two")])
    assert [kind for _, kind, _ in activities(bench)] == ["traded", "quiet", "quiet", "feed_down", "feed_down"]


def test_news_that_come_late_revise_closed_bars_and_once_only() -> None:
    bench = Bench(("1m",))
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "src"), Progress("src", BELL + 240 * SECOND, 0)])
    bench.engine.hear(MarketEvent("halt", BELL + 130 * SECOND, symbol="S1"), 0, 7)
    bench.batch([])
    assert activities(bench) == [
        *((0, "traded", 0), (1, "quiet", 0), (2, "quiet", 0), (3, "quiet", 0)),
        *((2, "halted", 1), (3, "halted", 1)),
    ]
    assert len(bench.values["S1", "1m"]) == 4
    bench.restart()
    bench.engine.hear(MarketEvent("halt", BELL + 130 * SECOND, symbol="S1"), 0, 7)
    bench.engine.hear(MarketEvent("resume", BELL + 185 * SECOND, symbol="S1"), 0, 8)
    bench.batch([Progress("src", BELL + 360 * SECOND, 0)])
    assert activities(bench)[6:] == [(4, "quiet", 0), (5, "quiet", 0)]
    bench.engine.hear(MarketEvent("resume", BELL + 150 * SECOND, symbol="S1"), 0, 9)
    bench.batch([])
    assert activities(bench)[8:] == [(3, "quiet", 2)]


@QUICK
@given(
    logs(symbols=2, disorder=True), CUTS, st.lists(st.tuples(st.integers(0, 9000), st.booleans(), st.integers(0, 40)))
)
def test_news_of_any_time_leave_prices_as_they_are_and_end_in_the_same_bars(
    ops: list[Op], cuts: set[int], news: list[tuple[int, bool, int]]
) -> None:
    ts = min(op.ts_event for op in ops if isinstance(op, Tick))
    events = [MarketEvent("halt" if on else "resume", ts + at * SECOND, symbol="S1") for at, on, _ in news]
    plain, before, during = (Bench(retention=1000 * HOUR) for _ in range(3))
    for offset, event in enumerate(events):
        before.engine.hear(event, 0, offset)
    plain.run(ops, cuts)
    before.run(ops, cuts)
    parts = batches(ops, cuts)
    for number, batch in enumerate(parts):
        for offset, (event, (_, _, when)) in enumerate(zip(events, news, strict=True)):
            if when % len(parts) == number:
                during.engine.hear(event, offset, 0)
        during.batch(batch)
    for series in plain.bars:
        ends = [{bar["start"]: bar for bar in bench.bars[series]} for bench in (plain, before, during)]
        for start, bar in ends[0].items():
            assert [end[start]["close"] for end in ends] == [bar["close"]] * 3
            assert ends[1][start]["activity"] == ends[2][start]["activity"]
            assert (bar["activity"] == "traded") == (ends[1][start]["activity"] == "traded")


def test_a_dead_source_is_not_waited_for_beyond_patience() -> None:
    bench = Bench(("1m",), patience=60 * SECOND)
    bench.batch([Tick("S1", 1.0, 1.0, OPEN, 0, 1, "dead")])
    bench.batch([Tick("S1", 2.0, 1.0, OPEN + n * 30 * SECOND, 0, n + 1, "alive") for n in range(10)])
    assert [bar["trades"] for bar in bench.bars["S1", "1m"]] == [2] * 5


def test_a_symbol_gets_no_quiet_bars_once_its_last_trade_lies_too_far_back() -> None:
    bench = Bench(("1m",), calendar="24/7", quiet_limit=180 * SECOND)
    bench.batch([Tick("S1", 1.0, 1.0, 0, 0, 1, "src"), Tick("S1", 1.0, 1.0, 10**18, 0, 2, "src")])
    assert [bar["start"] // SECOND for bar in bench.bars["S1", "1m"]] == [0, 60, 120, 180]


def test_suspicious_prints_count_when_they_are_let_in() -> None:
    ticks: list[Op] = [Tick("S1", 9.0, 1.0, OPEN, 0, 1, "src", flags=1), Progress("src", OPEN + 60 * SECOND, 0)]
    out, into = Bench(("1m",)), Bench(("1m",), include_suspicious=True)
    out.batch(ticks)
    into.batch(ticks)
    assert out.bars == {}
    assert [bar["close"] for bar in into.bars["S1", "1m"]] == [9.0]


def test_a_forming_bar_is_shown_once_for_each_change() -> None:
    bench = Bench(("1s", "1m"))
    bench.batch([Tick("S1", 9.0, 2.0, OPEN, 0, 1, "src")])
    [bar] = bench.engine.form().bars
    assert (bar["close"], bar["trades"], bar["session_vwap"]) == (9.0, 1, 9.0)
    assert len(bench.engine.form().bars) == 0
    bench.batch([Tick("S1", 12.0, 1.0, OPEN + 1, 0, 2, "src")])
    [bar] = bench.engine.form().bars
    assert (bar["high"], bar["vwap"], bar["session_vwap"]) == (12.0, 10.0, 10.0)


def test_each_symbol_follows_its_own_calendar() -> None:
    bench = Bench(("1m", "1d"))
    bench.calendars = Calendars(bench.names.symbols, "XNYS", [("BTC*", "24/7")])
    bench.engine = bench.fresh()
    saturday = 1_381_579_200 * SECOND  # 2013-10-12, noon UTC
    ticks = [Tick(name, 5.0, 1.0, saturday, 0, 1, "src") for name in ("BTC-USD", "SPY")]
    bench.batch([*ticks, Progress("src", saturday + 86_400 * SECOND, 0)])
    assert [bar["session"] for bar in bench.bars["SPY", "1m"]] == ["closed"]
    assert {bar["session"] for bar in bench.bars["BTC-USD", "1m"]} == {"continuous"}
    assert len(bench.bars["BTC-USD", "1m"]) == 1440
    [day] = bench.bars["BTC-USD", "1d"]
    assert (day["session"], day["end"] - day["start"]) == ("continuous", 86_400 * SECOND)


def test_numbers_near_the_end_of_doubles_are_no_poison() -> None:
    bench = Bench(("1m",))
    ticks = [Tick("S1", 1e308, 1e308, OPEN + n, 0, n + 1, "src") for n in range(3)]
    bench.batch([*ticks, Progress("src", OPEN + 120 * SECOND, 0)])
    for bar in bench.bars["S1", "1m"]:
        assert all(math.isfinite(bar[name]) for name in ("vwap", "volume", "session_vwap"))
