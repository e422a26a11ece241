from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.market import message
from tests.support.records import TICKS
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick
from tickstream.ws_bridge.adapters.intake import runs
from tickstream.ws_bridge.adapters.reading import Ticks
from tickstream.ws_bridge.adapters.wire import body_of

PLACED = st.lists(st.tuples(TICKS, st.sampled_from(["A", "B"]), st.integers(0, 2)), max_size=12)


@given(PLACED, st.sets(st.integers(0, 11)))
def test_runs_have_the_chosen_trades_by_symbol_and_partition_in_their_order(
    placed: list[tuple[Tick, str, int]], chosen: set[int]
) -> None:
    trades = [(replace(tick, symbol=symbol), partition) for tick, symbol, partition in placed]
    ticks = Ticks(
        TickColumns.of([tick for tick, _partition in trades], TickInterners()),
        np.array([partition for _tick, partition in trades], dtype=np.int64),
        np.arange(len(trades), dtype=np.int64),
        [message(tick, row, partition) for row, (tick, partition) in enumerate(trades)],
    )
    rows = sorted(chosen & set(range(len(trades))))
    made = list(runs(ticks, np.array(rows, dtype=np.intp)))
    expected: dict[tuple[str, int], list[int]] = {}
    for row in rows:
        expected.setdefault((trades[row][0].symbol, trades[row][1]), []).append(row)
    assert {(run.route[2], run.partition): list(run.offsets) for run in made} == expected
    for run in made:
        assert run.body == b",".join(body_of(trades[row][0]) for row in run.offsets)
        assert run.ts_ingest == trades[run.offsets[-1]][0].ts_ingest
    assert len({run.intake for run in made}) <= 1
