from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.alerting.domain.evaluate import end_feeds, observe_ticks
from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.memory import TickMemory
from tickstream.alerting.domain.rule import Condition, PercentMove, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import MarketEvent, Tick

INTERNERS = TickInterners()
ABOVE = PriceLevel("above", 100.0)
Step = Tick | MarketEvent


def trade(ts: int, price: float, source: str = "a", symbol: str = "SPY") -> Tick:
    return Tick(symbol, price, 1.0, ts, ts, ts, source)


def down(ts: int, source: str = "a") -> MarketEvent:
    return MarketEvent("feed_down", ts, source=source)


def up(ts: int, source: str = "a") -> MarketEvent:
    return MarketEvent("feed_up", ts, source=source)


def halt(ts: int, symbol: str = "SPY") -> MarketEvent:
    return MarketEvent("halt", ts, symbol=symbol)


def resume(ts: int, symbol: str = "SPY") -> MarketEvent:
    return MarketEvent("resume", ts, symbol=symbol)


def book_of(*conditions: Condition, **other: Any) -> RuleBook:
    return RuleBook(Rule(f"r{i}", f"rule {i}", given, **other) for i, given in enumerate(conditions or (ABOVE,)))


def live(steps: Sequence[Step], *conditions: Condition, batch: int = 1, **other: Any) -> list[tuple[Any, ...]]:
    """Trades and events as they come, some trades at a time; an event is heard once all before it was."""
    book = RuleBook(
        Rule(f"r{i}", f"rule {i}", condition, **other) for i, condition in enumerate(conditions or (ABOVE,))
    )
    shard, feeds, waiting = Shard(), Feeds(), list[Tick]()

    def observe() -> None:
        observe_ticks(book, shard, TickColumns.of(waiting, INTERNERS), feeds)
        waiting.clear()
        shard.memories = {s: TickMemory.load(json.loads(json.dumps(m.dump()))) for s, m in shard.memories.items()}

    for step in steps:
        if isinstance(step, Tick):
            waiting.append(step)
            if len(waiting) >= batch:
                observe()
        else:
            observe()
            feeds.take(step)
            end_feeds(book, shard, feeds)
    observe()
    return told(shard)


def replayed(steps: Sequence[Step], *conditions: Condition, **other: Any) -> list[tuple[Any, ...]]:
    """The same, but all events are heard before the first trade."""
    book = RuleBook(
        Rule(f"r{i}", f"rule {i}", condition, **other) for i, condition in enumerate(conditions or (ABOVE,))
    )
    shard, feeds = Shard(), Feeds()
    for step in steps:
        if isinstance(step, MarketEvent):
            feeds.take(step)
    observe_ticks(book, shard, TickColumns.of([step for step in steps if isinstance(step, Tick)], INTERNERS), feeds)
    end_feeds(book, shard, feeds)
    return told(shard)


def told(shard: Shard) -> list[tuple[Any, ...]]:
    found = shard.changes.transitions
    return sorted((t.rule_id, t.symbol, t.ts_event, t.alert_id, t.revision, t.state, t.value) for t in found)


def short(found: Sequence[tuple[Any, ...]]) -> list[tuple[str, int]]:
    return [(state, ts) for _, _, ts, _, _, state, _ in found]


def test_an_alert_is_unknown_while_its_feed_is_down_and_never_resolved_by_that() -> None:
    steps: list[Step] = [trade(1, 101), down(5), up(20), trade(22, 102), trade(23, 99)]
    assert short(live(steps[:2])) == [("firing", 1), ("unknown", 5)]
    assert short(live(steps)) == [("firing", 1), ("unknown", 5), ("firing", 22), ("resolved", 23)]
    assert short(live([trade(1, 101), down(5), trade(22, 99)])) == [("firing", 1), ("unknown", 5), ("resolved", 22)]


def test_a_trade_of_the_moment_at_which_the_feed_goes_down_was_before_it() -> None:
    steps: list[Step] = [trade(1, 99), trade(5, 101), down(5), trade(9, 101)]
    assert short(live(steps)) == short(replayed(steps)) == [("firing", 5), ("unknown", 5), ("firing", 9)]


def test_a_feed_that_is_up_again_says_nothing_of_the_price_before_its_next_trade() -> None:
    assert short(live([trade(1, 101), down(5), up(6)])) == [("firing", 1), ("unknown", 5)]


def test_a_hold_time_that_was_over_before_counts_and_one_that_was_not_starts_anew() -> None:
    steps: list[Step] = [trade(10, 101), down(50), up(60), trade(61, 101), trade(75, 101)]
    assert short(live(steps, hold_ns=20)) == [("pending", 10), ("firing", 30), ("unknown", 50), ("firing", 61)]
    assert short(live(steps, hold_ns=45)) == [("pending", 10), ("unknown", 50), ("pending", 61)]
    assert short(live(steps, hold_ns=41)) == short(live(steps, hold_ns=45))


def test_a_symbol_is_lost_when_all_its_sources_are_down() -> None:
    steps: list[Step] = [trade(1, 101), trade(2, 101, "b"), down(5), down(9, "b"), trade(30, 101, "b")]
    assert short(live(steps)) == [("firing", 1), ("unknown", 9), ("firing", 30)]


def test_a_source_that_was_not_heard_of_for_a_day_does_not_count() -> None:
    day = 86_400_000_000_000
    steps: list[Step] = [trade(1, 99, "b"), trade(day + 2, 101), down(day + 9)]
    assert short(live(steps)) == [("firing", day + 2), ("unknown", day + 9)]


def test_other_symbols_and_halts_change_nothing() -> None:
    steps: list[Step] = [trade(1, 101), trade(2, 101, "b", "AIG"), halt(5), down(6, "b"), trade(9, 101)]
    assert [(symbol, state) for _, symbol, _, _, _, state, _ in live(steps)] == [
        ("AIG", "firing"), ("AIG", "unknown"), ("SPY", "firing")
    ]  # fmt: skip


def test_while_a_symbol_is_halted_time_passes_up_to_what_was_told() -> None:
    steps: list[Step] = [trade(10, 101), halt(29), resume(31)]
    assert short(live(steps[:2], hold_ns=20)) == [("pending", 10)]
    assert short(live(steps, hold_ns=20)) == [("pending", 10), ("firing", 30)]
    assert short(live([trade(10, 101), halt(30)], hold_ns=20)) == [("pending", 10), ("firing", 30)]
    assert short(live([trade(10, 101), halt(30, "AIG")], hold_ns=20)) == [("pending", 10)]


def test_an_event_that_is_heard_too_late_changes_nothing() -> None:
    assert short(live([trade(1, 101), trade(9, 101), down(5)])) == [("firing", 1)]


def test_a_repeated_recording_goes_down_at_its_new_end_too() -> None:
    steps: list[Step] = [up(1), trade(1, 101), down(5), up(1), trade(1, 101), trade(7, 101), down(9)]
    assert short(live(steps)) == [("firing", 1), ("unknown", 5), ("firing", 7), ("unknown", 9)]


@st.composite
def worlds(draw: st.DrawFn) -> list[Step]:
    """Trades of two symbols from two sources, each silent while it is down or halted, as they are published."""
    ts, steps, downs, halted = 0, list[Step](), dict.fromkeys("ab", False), dict.fromkeys(("SPY", "AIG"), False)
    for seq in range(1, draw(st.integers(1, 40))):
        # Trades may be of the moment at which a feed goes down, none of that moment comes after it.
        ts += draw(st.integers(int(bool(steps) and isinstance(steps[-1], MarketEvent)), 4))
        source = draw(st.sampled_from("ab"))
        symbol = draw(st.sampled_from(["SPY", "AIG"]))
        kind = draw(st.integers(0, 7))
        if kind == 0:
            halted[symbol] = not halted[symbol]
            steps.append((halt if halted[symbol] else resume)(ts, symbol))
        elif kind == 1:
            downs[source] = not downs[source]
            steps.append((down if downs[source] else up)(ts, source))
        elif not downs[source] and not halted[symbol]:
            steps.append(replace(trade(ts, draw(st.integers(95, 105)), source, symbol), seq=seq))
    return steps


@settings(max_examples=300)
@given(worlds(), st.integers(1, 9), st.integers(0, 6))
def test_live_and_replay_say_the_same_however_far_ahead_events_are_heard(
    steps: list[Step], batch: int, hold: int
) -> None:
    conditions = (
        ABOVE,
        replace(ABOVE, level=98.0, direction="below", hysteresis=1.0, crossing=True),
        PercentMove("either", 3.0, 9),
    )
    whole = replayed(steps, *conditions, hold_ns=hold)
    assert live(steps, *conditions, hold_ns=hold) == whole
    assert live(steps, *conditions, hold_ns=hold, batch=batch) == whole


@given(worlds())
def test_nothing_resolves_but_by_a_trade(steps: list[Step]) -> None:
    trades = {step.ts_event for step in steps if isinstance(step, Tick)}
    assert not [ts for state, ts in short(replayed(steps)) if state == "resolved" and ts not in trades]
