from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.rule import Condition, PercentMove, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick

INTERNERS = TickInterners()


def tick(ts: int, price: float, seq: int, **other: Any) -> Tick:
    return replace(Tick("SPY", price, 1.0, ts, ts, seq, "s"), **other)


def watch(ticks: Sequence[Tick], *conditions: Condition, batch: int = 1000, **other: Any) -> list[Transition]:
    book = RuleBook(Rule(f"r{i}", f"rule {i}", condition, **other) for i, condition in enumerate(conditions))
    shard: Shard = Shard()
    for start in range(0, len(ticks), batch):
        observe_ticks(book, shard, TickColumns.of(ticks[start : start + batch], INTERNERS))
        shard.memories = {s: TickMemory.load(json.loads(json.dumps(m.dump()))) for s, m in shard.memories.items()}
    return shard.changes.transitions


def short(transitions: list[Transition]) -> list[tuple[str, str, int, float]]:
    return [(t.symbol, t.state, t.ts_event, round(t.value, 6)) for t in transitions]


ABOVE = PriceLevel("above", 100.0)


def test_a_trade_seen_twice_counts_once() -> None:
    ticks = [tick(1, 99.0, 1), tick(2, 101.0, 2), tick(3, 99.0, 3)]
    assert watch([*ticks, *ticks], ABOVE) == watch(ticks, ABOVE)
    assert watch([*ticks, *ticks], ABOVE, batch=3) == watch(ticks, ABOVE)


def test_suspicious_and_out_of_date_trades_are_left_out() -> None:
    ticks = [tick(5, 99.0, 1), tick(6, 150.0, 2, flags=1), tick(4, 150.0, 3), tick(7, 99.5, 4)]
    assert watch(ticks, ABOVE) == []


def test_sources_count_for_themselves() -> None:
    ticks = [tick(1, 99.0, 7, source="a"), tick(2, 101.0, 1, source="b"), tick(3, 99.0, 8, source="a")]
    assert [t.state for t in watch(ticks, ABOVE)] == ["firing", "resolved"]


def test_a_rule_watches_its_symbols_alone() -> None:
    ticks = [tick(1, 101.0, 1, symbol=symbol) for symbol in ("SPY", "SPXL", "AIG")]
    assert {t.symbol for t in watch(ticks, ABOVE, symbols=("SP*",))} == {"SPY", "SPXL"}
    assert {t.symbol for t in watch(ticks, ABOVE, symbols=("AIG", "BAC"))} == {"AIG"}


def test_a_move_is_measured_from_the_windows_extreme() -> None:
    ticks = [
        tick(ts, price, seq) for seq, (ts, price) in enumerate([(0, 100.0), (5, 99.0), (9, 100.0), (20, 100.9)], 1)
    ]
    up, down = PercentMove("up", 1.0, 10), PercentMove("down", 1.0, 10)
    assert short(watch(ticks, up)) == [("SPY", "firing", 9, 1.010101), ("SPY", "resolved", 20, 0.0)]
    assert short(watch(ticks, down)) == [("SPY", "firing", 5, -1.0), ("SPY", "resolved", 9, 0.0)]
    either = watch(ticks, PercentMove("either", 1.0, 10))
    assert [(t.ts_event, t.state) for t in either] == [(5, "firing"), (20, "resolved")]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(95, 105), st.sampled_from(["SPY", "AIG"])), max_size=60),
    st.integers(1, 20),
)
def test_the_size_of_the_batches_changes_nothing(steps: list[tuple[int, int, str]], batch: int) -> None:
    times = np.cumsum([gap for gap, _, _ in steps])
    ticks = [
        tick(int(ts), float(price), seq, symbol=symbol)
        for seq, (ts, (_, price, symbol)) in enumerate(zip(times, steps, strict=True), 1)
    ]
    conditions = (
        ABOVE,
        PriceLevel("below", 98.0, hysteresis=1.0, crossing=True),
        PercentMove("either", 3.0, 5, hysteresis=1.0),
    )
    whole = watch(ticks, *conditions, hold_ns=2)
    parts = watch(ticks, *conditions, hold_ns=2, batch=batch)
    order = lambda t: (t.rule_id, t.symbol, t.ts_event, t.alert_id, t.revision)  # noqa: E731 - a sort key
    assert sorted(parts, key=order) == sorted(whole, key=order)


def test_a_changed_rule_ends_its_alerts_and_starts_afresh() -> None:
    shard: Shard = Shard()
    old = Rule("r", "above", ABOVE)
    observe_ticks(RuleBook([old]), shard, TickColumns.of([tick(1, 101.0, 1)], INTERNERS))
    same = RuleBook([replace(old, name="renamed", severity="critical", version=2)])
    shard.reconcile(same)
    assert [t.state for t in shard.changes.transitions] == ["firing"]
    shard.reconcile(RuleBook([replace(old, condition=PriceLevel("above", 99.0), version=3)]))
    assert [t.state for t in shard.changes.transitions] == ["firing", "resolved"]
    assert "version 3" in shard.changes.transitions[-1].reason
    assert not shard.stood


def test_a_deleted_rule_ends_its_alerts() -> None:
    shard: Shard = Shard()
    observe_ticks(RuleBook([Rule("r", "above", ABOVE)]), shard, TickColumns.of([tick(1, 101.0, 1)], INTERNERS))
    shard.reconcile(RuleBook())
    assert [t.state for t in shard.changes.transitions] == ["firing", "resolved"]
