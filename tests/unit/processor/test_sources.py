"""Several sources on one symbol: what counts as late, and who counts as up, follows from the log of trades."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.processor.bench import (
    CUTS,
    FOREVER,
    QUICK,
    SECOND,
    Bench,
    Op,
    assert_same,
    expected,
    logs,
)
from tickstream.core.model import MarketEvent, Tick

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
@given(LOGS, CUTS, DELAYS, OUTAGES)
def test_activities_are_those_of_the_oracle_whenever_windows_close(
    log: tuple[int, list[Op]], cuts: set[int], delays: list[int], drawn: list[tuple[int, int, int]]
) -> None:
    patience, ops = log
    down = outages(ops, drawn)
    bench, other = Bench(("1m", "1h"), patience=patience), Bench(("1m", "1h"), patience=patience)
    bench.hear(news(down))
    bench.run(ops, cuts, delays)
    assert_same(bench, expected(ops, ("1m", "1h"), patience=patience, down=down))
    other.hear(news(down))
    other.run(ops, cuts, delays, restart=True)
    assert_same_output(bench, other)
