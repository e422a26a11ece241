"""One engine for several partitions, which come and go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.processor.bench import (
    CUTS,
    MINUTE,
    OPEN,
    PARTITION,
    QUICK,
    SECOND,
    Bench,
    Op,
    batches,
    logs,
)
from tickstream.core.columns import Interner, TickColumns
from tickstream.core.model import MarketEvent, Progress, Tick
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.state import Loaded, Offsets

WIDTH = 3
PATIENCE = 90 * SECOND


class Shared(Bench):
    """A bench whose engine has several partitions, each with the changelog of its own."""

    def __init__(self) -> None:
        super().__init__(patience=PATIENCE)
        self.engine.forget(PARTITION)
        self.logs: list[dict[bytes, bytes | None]] = [{} for _ in range(WIDTH)]
        for partition in range(WIDTH):
            self.engine.restore(partition, Loaded())

    def take(self, batch: Sequence[tuple[int, Op]]) -> None:
        ticks = [(partition, op) for partition, op in batch if isinstance(op, Tick)]
        if ticks:
            columns = TickColumns.of([op for _, op in ticks], self.names)
            taken = self.engine.take(columns, np.array([partition for partition, _ in ticks]))
            self.late += [ticks[row][1] for row in taken.too_late.tolist()]
            self.duplicates += taken.duplicates
            symbols, sources = self.symbols.values, self.sources.values
            self.gaps += [(symbols[gap.symbol], sources[gap.source], gap.first, gap.last) for gap in taken.gaps]
        for partition, op in batch:
            if isinstance(op, Progress):
                self.engine.mark(partition, op)
        self.put(self.engine.close())
        for partition, records in self.engine.changes(dict.fromkeys(self.engine.partitions, Offsets(0, 0))).items():
            self.logs[partition] = without_gone(self.logs[partition] | dict(records))

    def move(self, partition: int) -> None:
        """Get a partition anew."""
        loaded = Loaded()
        for key, value in self.logs[partition].items():
            loaded.take(key, value)
        self.engine.restore(partition, loaded)
        self.engine.hear_all(partition, [(event, 0, offset) for offset, event in enumerate(self.news)])


def without_gone(records: dict[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    return {key: value for key, value in records.items() if value is not None}


def told_by(bench: Bench, name: str) -> dict[tuple[str, str], list[str]]:
    """Bars or values by series; as texts, because NaN is unlike itself."""
    return {series: list(map(repr, rows)) for series, rows in getattr(bench, name).items() if rows}


def own(symbol: str) -> int:
    return int(symbol.removeprefix("S")) % WIDTH


def spread(op: Op) -> list[tuple[int, Op]]:
    """An operation, and the partitions that it is in: a trade's own one, or all of them for a mark."""
    return [(own(op.symbol), op)] if isinstance(op, Tick) else [(partition, op) for partition in range(WIDTH)]


@settings(QUICK, max_examples=30)
@given(
    logs(symbols=5, sources=2, disorder=True, patience=PATIENCE),
    CUTS,
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, WIDTH - 1)), max_size=6),
    st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.integers(0, 9000)), max_size=3),
)
def test_each_partition_comes_to_what_it_does_alone_while_partitions_come_and_go(
    ops: list[Op], cuts: set[int], moves: list[tuple[int, int]], told: list[tuple[bool, int, int]]
) -> None:
    news = [MarketEvent("halt" if on else "resume", OPEN + at * SECOND, symbol=f"S{n}") for on, n, at in told]
    shared, alone = Shared(), [Bench(patience=PATIENCE) for _ in range(WIDTH)]
    for bench in (shared, *alone):
        bench.hear(news)
    for turn, batch in enumerate(batches(ops, cuts)):
        parts = [part for op in batch for part in spread(op)]
        shared.take(parts)
        for partition, bench in enumerate(alone):
            bench.batch([op for owner, op in parts if owner == partition])
        for partition in [partition for at, partition in moves if at == turn]:
            shared.move(partition)
    for name in ("bars", "values"):
        assert told_by(shared, name) == {
            series: rows for bench in alone for series, rows in told_by(bench, name).items()
        }
    assert shared.duplicates == sum(bench.duplicates for bench in alone)
    assert sorted(shared.gaps) == sorted(gap for bench in alone for gap in bench.gaps)
    assert sorted(map(repr, shared.late)) == sorted(repr(tick) for bench in alone for tick in bench.late)


def test_a_partition_that_is_gone_leaves_no_bar_behind() -> None:
    bench = Shared()
    bench.take([(1, Tick("S1", 10.0, 1.0, OPEN, 0, 1, "src")), (2, Tick("S2", 10.0, 1.0, OPEN, 0, 1, "src"))])
    bench.engine.form()
    bench.take([(1, Tick("S1", 11.0, 1.0, OPEN + 1, 0, 2, "src")), (2, Tick("S2", 11.0, 1.0, OPEN + 1, 0, 2, "src"))])
    bench.engine.forget(1)
    assert {bench.symbols.values[bar["symbol"]] for bar in bench.engine.form().bars} == {"S2"}
    bench.engine.hear(MarketEvent("halt", OPEN, symbol="S1"), 0, 0)
    bench.engine.mark(2, Progress("src", OPEN + 10 * MINUTE, 0))
    bars = bench.engine.close().bars
    assert {bench.symbols.values[bar["symbol"]] for bar in bars} == {"S2"}
    assert bench.engine.symbol_count == 1


def test_what_several_sources_share_goes_with_its_partition() -> None:
    bench = Shared()
    for partition, symbol in ((1, "S1"), (2, "S2")):
        sources = [Tick(symbol, 10.0, 1.0, OPEN, 0, 1, source) for source in ("one", "two")]
        bench.take([(partition, tick) for tick in sources])
    bench.engine.forget(1)
    bench.take([(2, Progress(source, OPEN + 2 * MINUTE, 0)) for source in ("one", "two")])
    bench.take([(2, Tick("S2", 11.0, 1.0, OPEN + 2 * MINUTE, 0, 2, "one"))])
    assert [bar["trades"] for bar in bench.bars["S2", "1m"]] == [2, 0]
    bench.move(1)
    bench.take([(1, Progress(source, OPEN + 2 * MINUTE, 0)) for source in ("one", "two")])
    assert [bar["trades"] for bar in bench.bars["S1", "1m"]][:1] == [2]


def test_one_symbol_in_two_partitions_is_two() -> None:
    """As a topic has it that was given more partitions, or whose producers don't agree."""
    bench = Shared()
    bench.take([(0, Tick("S1", 10.0, 1.0, OPEN, 0, 1, "src")), (1, Tick("S1", 20.0, 1.0, OPEN, 0, 1, "src"))])
    assert bench.duplicates == 0
    bench.take([(0, Progress("src", OPEN + MINUTE, 0))])
    assert [bar["close"] for bar in bench.bars["S1", "1m"]] == [10.0]
    bench.take([(1, Progress("src", OPEN + MINUTE, 0))])
    assert [bar["close"] for bar in bench.bars["S1", "1m"]] == [10.0, 20.0]


def test_lanes_stay_the_same_and_are_apart_by_partition() -> None:
    names = Interner(["a", "b"])
    lanes = Lanes(names)
    codes = lanes.codes(np.array([1, 0, 1, 1]), np.array([1, 1, 0, 1], dtype=np.int32))
    assert codes.tolist() == [0, 1, 2, 0]
    assert [lanes.values[code] for code in codes.tolist()] == ["b", "b", "a", "b"]
    assert lanes.partitions.tolist() == [1, 0, 1]
    assert (lanes.code(1, "a"), lanes.code(200, "new"), lanes.code(1, "a")) == (2, 3, 2)
    assert (lanes.find(1, "b"), lanes.find(0, "a"), lanes.find(7, "b"), lanes.find(0, "unknown")) == (0, -1, -1, -1)
    assert lanes.of(1).tolist() == [0, 2]
