"""Several sources on one symbol: what counts as late, and who counts as up, follows from the log of trades."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.processor.bench import (
    BELL,
    CUTS,
    FOREVER,
    HOUR,
    QUICK,
    SECOND,
    Bench,
    Op,
    assert_same,
    expected,
    logs,
)
from tickstream.core.model import MarketEvent, Progress, Tick

DELAYS = st.lists(st.integers(0, 4), min_size=1, max_size=8)
OUTAGES = st.lists(st.tuples(st.integers(1, 3), st.integers(-10, 2000), st.integers(1, 9000)), max_size=9)
Stretches = dict[str, list[tuple[int, int]]]


def with_patience(patience: int) -> st.SearchStrategy[tuple[int, list[Op]]]:
    return st.tuples(st.just(patience), logs(symbols=2, sources=3, disorder=True, patience=patience))


LOGS = st.sampled_from([FOREVER, FOREVER, 400 * SECOND, 45 * SECOND, SECOND]).flatmap(with_patience)


def outages(ops: list[Op], drawn: list[tuple[int, int, int]]) -> Stretches:
    """When each source was down: for each (source, seconds since it was last down, seconds)."""
    begin = min(op.ts_event for op in ops if isinstance(op, Tick))
    down: Stretches = {}
    for number, since, length in drawn:
        stretches = down.setdefault(f"src{number}", [])
        at = stretches[-1][1] + max(since, 1) * SECOND if stretches else begin + since * SECOND
        stretches.append((at, at + length * SECOND))
    return down


def news(down: Stretches) -> list[MarketEvent]:
    return [
        MarketEvent(kind, ts, source=source)
        for source, stretches in down.items()
        for stretch in stretches
        for kind, ts in zip(("feed_down", "feed_up"), stretch, strict=True)
    ]


def assert_same_output(one: Bench, other: Bench) -> None:
    assert one.bars == other.bars
    assert (one.late, one.duplicates, one.gaps) == (other.late, other.duplicates, other.gaps)
    for series, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[series])


@QUICK
@given(LOGS, CUTS, DELAYS)
def test_bars_and_late_trades_are_those_of_the_oracle_whenever_marks_are_told(
    log: tuple[int, list[Op]], cuts: set[int], delays: list[int]
) -> None:
    patience, ops = log
    bench = Bench(patience=patience)
    bench.run(ops, cuts, delays)
    assert_same(bench, expected(ops, patience=patience))


@QUICK
@given(LOGS, CUTS, DELAYS, CUTS, DELAYS)
def test_any_batching_and_any_delay_of_the_marks_give_the_same_bytes(
    log: tuple[int, list[Op]], cuts: set[int], delays: list[int], other_cuts: set[int], other_delays: list[int]
) -> None:
    patience, ops = log
    one, other = Bench(patience=patience), Bench(patience=patience)
    one.run(ops, cuts, delays)
    other.run(ops, other_cuts, [*other_delays, 0])
    assert_same_output(one, other)


@QUICK
@given(LOGS, CUTS, DELAYS)
def test_a_restart_after_any_batch_changes_nothing_for_several_sources(
    log: tuple[int, list[Op]], cuts: set[int], delays: list[int]
) -> None:
    patience, ops = log
    one, other = Bench(patience=patience), Bench(patience=patience)
    one.run(ops, cuts, delays)
    other.run(ops, cuts, delays, restart=True)
    assert_same_output(one, other)


@QUICK
@given(LOGS, CUTS, DELAYS, OUTAGES, st.sampled_from([0, 70 * SECOND]))
def test_activities_are_those_of_the_oracle_whenever_windows_close(
    log: tuple[int, list[Op]], cuts: set[int], delays: list[int], drawn: list[tuple[int, int, int]], grace: int
) -> None:
    patience, ops = log
    down = outages(ops, drawn)
    bench, other = (Bench(("1m", "1h"), patience=patience, grace=grace) for _ in range(2))
    bench.hear(news(down))
    bench.run(ops, cuts, delays)
    assert_same(bench, expected(ops, ("1m", "1h"), patience=patience, grace=grace, down=down))
    other.hear(news(down))
    other.run(ops, cuts, delays, restart=True)
    assert_same_output(bench, other)


PRICES = ("start", "end", "open", "high", "low", "close", "trades")


@QUICK
@given(logs(symbols=2, sources=3, disorder=True), st.lists(st.integers(-4000, 30_000)), CUTS, DELAYS)
def test_marks_that_are_not_kept_to_lose_no_trade_and_count_none_twice(
    ops: list[Op], broken: list[int], cuts: set[int], delays: list[int]
) -> None:
    begin = min(op.ts_event for op in ops)
    for number, ahead in enumerate(broken):
        at = number * 7 % len(ops)
        ops = [*ops[:at], Progress(f"src{number % 3 + 1}", begin + ahead * SECOND, 0), *ops[at:]]
    bench = Bench(("1m", "1h"), retention=10_000 * HOUR)
    bench.run(ops, cuts, delays)
    trades = [op for op in ops if isinstance(op, Tick) or op.final]
    oracle = expected(trades, ("1m", "1h"), retention=10_000 * HOUR)
    assert bench.late == []
    for series in bench.bars.keys() | oracle.bars.keys():
        found, wanted = (
            {bar["start"]: [bar[name] for name in PRICES] for bar in bars[series]} for bars in (bench.bars, oracle.bars)
        )
        assert found == wanted


def test_the_marks_of_one_source_make_no_trade_of_another_late() -> None:
    trades = [
        Tick("S1", 10.0, 1.0, BELL, 0, 1, "one"),
        Tick("S1", 10.0, 1.0, BELL, 0, 1, "two"),
        Tick("S1", 11.0, 1.0, BELL + 130 * SECOND, 0, 2, "two"),
        Tick("S1", 12.0, 1.0, BELL + 50 * SECOND, 0, 3, "two"),
    ]
    bench = Bench(("1m",))
    bench.batch([*trades[:2], Progress("one", BELL + HOUR, 0)])
    bench.batch([*trades[2:], Progress("two", BELL + HOUR, 0)])
    assert [(bar["trades"], bar["revision"]) for bar in bench.bars["S1", "1m"][:3]] == [(3, 0), (0, 0), (1, 0)]


def test_a_killed_source_counts_as_up_only_until_another_is_far_ahead() -> None:
    bench = Bench(("1m",), patience=60 * SECOND)
    bench.hear([MarketEvent("feed_down", BELL + 400 * SECOND, source="alive")])
    alive = [Tick("S1", 10.0, 1.0, BELL + n * 60 * SECOND, 0, n + 1, "alive") for n in range(6)]
    bench.batch([Tick("S1", 10.0, 1.0, BELL, 0, 1, "killed"), *alive])
    bench.batch([Progress("alive", BELL + 480 * SECOND, 0)])
    assert [bar["activity"] for bar in bench.bars["S1", "1m"]] == ["traded"] * 6 + ["feed_down"] * 2


def test_a_source_that_comes_back_is_judged_by_when_it_was_there() -> None:
    bench = Bench(("1m",), patience=60 * SECOND)
    bench.hear([MarketEvent("feed_down", BELL + 61 * SECOND, source="one")])
    one = [Tick("S1", 10.0, 1.0, BELL + at * SECOND, 0, at + 1, "one") for at in (0, 300)]
    two = [Tick("S1", 10.0, 1.0, BELL + at * SECOND, 0, at + 1, "two") for at in (0, 580)]
    bench.batch(
        [two[0], *one, two[1], Progress("one", BELL + 600 * SECOND, 0), Progress("two", BELL + 600 * SECOND, 0)]
    )
    kinds = ["traded", *["quiet"] * 4, "traded", *["feed_down"] * 3, "traded"]
    assert [bar["activity"] for bar in bench.bars["S1", "1m"]] == kinds
