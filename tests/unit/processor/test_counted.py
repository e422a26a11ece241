"""Bars by trades, volume and value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.processor.bench import (
    CUTS,
    OPEN,
    QUICK,
    Bench,
    Op,
    logs,
)
from tickstream.core.model import Tick


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
