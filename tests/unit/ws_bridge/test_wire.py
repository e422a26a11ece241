from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.records import TICKS
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Bar, IndicatorSet, MarketEvent, Tick
from tickstream.ws_bridge.adapters.wire import body_of, tick_bodies

TICK = Tick("SPY", 165.48, 100.0, 1_381_239_000_123_456_789, 1_381_239_000_999_999_999, 7, "replay", "Q", None, "@", 1)


def test_a_trade_has_the_topics_fields_with_times_in_milliseconds_and_null_for_what_is_absent() -> None:
    assert json.loads(body_of(TICK)) == {
        "symbol": "SPY",
        "price": 165.48,
        "volume": 100.0,
        "ts_event_ms": 1_381_239_000_123,
        "ts_ingest_ms": 1_381_239_000_999,
        "seq": 7,
        "source": "replay",
        "venue": "Q",
        "trade_id": None,
        "conditions": "@",
        "flags": 1,
    }


@given(st.lists(TICKS, max_size=8), st.booleans())
@example([TICK], True)
def test_a_trade_of_a_batch_reads_the_same_as_one_by_itself(ticks: list[Tick], with_ids: bool) -> None:
    columns = TickColumns.of(ticks, TickInterners(), trade_ids=with_ids)
    alone = [tick if with_ids else replace(tick, trade_id=None) for tick in ticks]
    assert tick_bodies(columns) == [body_of(tick) for tick in alone]


def test_bars_and_indicators_have_start_and_end_in_milliseconds_and_no_nan() -> None:
    bar = Bar(
        "SPY", "1m", 60_000_000_000, 120_000_000_000, 1, 2, 0.5, 1.5, 10, float("nan"), 3, "closed", 0, "traded", "pre"
    )
    shown = json.loads(body_of(bar))
    assert (shown["start_ms"], shown["end_ms"], shown["vwap"]) == (60_000, 120_000, None)
    figures = IndicatorSet("SPY", "1m", 0, 60_000_000_000, "partial", 0, {"rsi_14": 55.5}, ("obv",))
    assert json.loads(body_of(figures))["values"] == {"rsi_14": 55.5}
    assert json.loads(body_of(figures))["warming"] == ["obv"]
    assert json.loads(body_of(MarketEvent("halt", 5_000_000))) == {
        "type": "halt",
        "ts_event_ms": 5,
        "symbol": None,
        "source": None,
        "detail": {},
    }


def test_a_body_that_is_kept_takes_no_more_memory_than_its_bytes() -> None:
    figures = IndicatorSet("SPY", "1s", 0, 1, "closed", 0, {f"figure_{number}": number / 3 for number in range(20)})
    tracemalloc.start()
    try:
        before, _peak = tracemalloc.get_traced_memory()
        kept = [body_of(figures) for _ in range(200)]
        after, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / sum(map(len, kept)) < 1.5
