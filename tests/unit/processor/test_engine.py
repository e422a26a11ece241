"""A partition against an oracle that goes trade by trade."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import talib
from hypothesis import given

from tests.unit.processor.bench import (
    CUTS,
    HOUR,
    OPEN,
    QUICK,
    SECOND,
    Bench,
    Op,
    assert_same,
    expected,
    logs,
)
from tickstream.core.model import Progress, Tick
from tickstream.processor.domain.catalogue import usual
from tickstream.processor.domain.windows import Calendars


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


def test_revisions_leave_nothing_behind_but_their_bars() -> None:
    bench = Bench(("1m",), retention=1000 * HOUR)
    bench.batch([Tick("S1", 10.0, 1.0, OPEN, 0, 1, "src"), Progress("src", OPEN + HOUR, 0)])
    for turn in range(100):
        late = Tick("S1", 10.0, 1.0, OPEN, 0, turn + 2, "src")
        bench.batch([late, Progress("src", OPEN + HOUR + 2 * (turn + 1) * SECOND, 0)])
    assert bench.bars["S1", "1m"][-1]["revision"] == 100
    revisions = bench.engine._parts.revisions
    assert revisions._closing.moved == []
    assert len(revisions._windows._changed) == 1
    assert len(revisions.waiting) == 0


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
    bench.calendars = Calendars(bench.symbols, "XNYS", [("BTC*", "24/7")])
    bench.engine = bench.fresh()
    saturday = 1_381_579_200 * SECOND  # 2013-10-12, noon UTC
    ticks = [Tick(name, 5.0, 1.0, saturday, 0, 1, "src") for name in ("BTC-USD", "SPY")]
    bench.batch([*ticks, Progress("src", saturday + 86_400 * SECOND, 0)])
    assert [bar["session"] for bar in bench.bars["SPY", "1m"]] == ["closed"]
    assert {bar["session"] for bar in bench.bars["BTC-USD", "1m"]} == {"continuous"}
    assert len(bench.bars["BTC-USD", "1m"]) == 1440
    [day] = bench.bars["BTC-USD", "1d"]
    assert (day["session"], day["end"] - day["start"]) == ("continuous", 86_400 * SECOND)


def test_a_break_for_lunch_has_no_bars_and_does_not_begin_the_session_anew() -> None:
    bench = Bench(("1m", "15m"), calendar="XTKS")
    lunch = 1_709_519_400 * SECOND  # 2024-03-04, 11:30 in Tokyo; trading goes on at 12:30
    reopened = lunch + 3600 * SECOND
    ticks = [
        Tick("7203", 10.0, 1.0, lunch - 90 * SECOND, 0, 1, "src"),
        Tick("7203", 20.0, 1.0, reopened + 10 * SECOND, 0, 2, "src"),
    ]
    bench.batch([*ticks, Progress("src", reopened + 900 * SECOND, 0)])
    minutes = [((bar["start"] - lunch) // (60 * SECOND), bar["activity"]) for bar in bench.bars["7203", "1m"]]
    assert minutes[:4] == [(-2, "traded"), (-1, "quiet"), (60, "traded"), (61, "quiet")]
    assert [bar["session_vwap"] for bar in bench.bars["7203", "1m"]][:3] == [10.0, 10.0, 15.0]
    assert [bar["session_vwap"] for bar in bench.bars["7203", "15m"]] == [10.0, 15.0]
    assert {bar["session"] for bar in bench.bars["7203", "1m"]} == {"regular"}


def test_numbers_near_the_end_of_doubles_are_no_poison() -> None:
    bench = Bench(("1m",))
    ticks = [Tick("S1", 1e308, 1e308, OPEN + n, 0, n + 1, "src") for n in range(3)]
    bench.batch([*ticks, Progress("src", OPEN + 120 * SECOND, 0)])
    for bar in bench.bars["S1", "1m"]:
        assert all(math.isfinite(bar[name]) for name in ("vwap", "volume", "session_vwap"))
