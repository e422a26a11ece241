from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tickstream.alerting.domain.lifecycle import Observation, Standing, Transition, abandon, follow, step
from tickstream.alerting.domain.rule import PriceLevel, Rule

SECOND = 1_000_000_000
ABOVE_100 = PriceLevel("above", 100.0)


def rule(condition: PriceLevel = ABOVE_100, hold: int = 0, cooldown: int = 0) -> Rule:
    return Rule("r1", "above 100", condition, hold_ns=hold, cooldown_ns=cooldown)


def run(watching: Rule, prices: list[tuple[int, float]], standing: Standing | None = None) -> list[Transition]:
    ts = np.array([ts for ts, _ in prices], dtype=np.int64)
    values = np.array([price for _, price in prices])
    return follow(watching, "SPY", standing or Standing(), ts, values, watching.condition.signals(values))[1]


def short(transitions: list[Transition]) -> list[tuple[str, int, float]]:
    return [(t.state, t.ts_event, t.value) for t in transitions]


def test_without_a_hold_time_an_alert_fires_at_once() -> None:
    assert short(run(rule(), [(1, 99.0), (2, 101.0), (3, 102.0), (4, 100.0)])) == [
        ("firing", 2, 101.0),
        ("resolved", 4, 100.0),
    ]


def test_an_alert_fires_at_the_moment_its_hold_time_is_over_whenever_the_next_trade_comes() -> None:
    for next_trade in (12, 13, 500):
        found = run(rule(hold=10), [(2, 101.0), (5, 103.0), (next_trade, 99.0)])
        assert short(found) == [("pending", 2, 101.0), ("firing", 12, 103.0), ("resolved", next_trade, 99.0)]


def test_a_condition_that_ends_before_its_hold_time_never_fires() -> None:
    found = run(rule(hold=10), [(2, 101.0), (11, 99.0), (30, 99.0)])
    assert short(found) == [("pending", 2, 101.0), ("resolved", 11, 99.0)]
    assert "before it had held" in found[-1].reason


def test_hysteresis_keeps_an_alert_until_the_price_has_come_back_far_enough() -> None:
    found = run(rule(PriceLevel("above", 100.0, hysteresis=2.0)), [(1, 101.0), (2, 99.0), (3, 98.5), (4, 98.0)])
    assert short(found) == [("firing", 1, 101.0), ("resolved", 4, 98.0)]


def test_a_pending_alert_fires_with_the_last_price_beyond_the_limit() -> None:
    found = run(
        rule(PriceLevel("above", 100.0, hysteresis=2.0), hold=5), [(1, 101.0), (2, 102.0), (3, 99.0), (9, 99.0)]
    )
    assert short(found) == [("pending", 1, 101.0), ("firing", 6, 102.0)]


def test_no_alert_begins_during_the_cooldown_and_one_begins_after_it() -> None:
    found = run(rule(cooldown=10), [(1, 101.0), (2, 99.0), (3, 101.0), (11, 101.0), (12, 103.0), (13, 99.0)])
    assert short(found) == [("firing", 1, 101.0), ("resolved", 2, 99.0), ("firing", 12, 103.0), ("resolved", 13, 99.0)]


def test_a_crossing_needs_to_have_seen_the_other_side() -> None:
    crossing = rule(PriceLevel("above", 100.0, crossing=True), cooldown=10)
    assert run(crossing, [(1, 101.0), (2, 102.0)]) == []
    found = run(
        crossing, [(1, 101.0), (2, 99.0), (3, 101.0), (4, 99.0), (5, 101.0), (20, 101.0), (21, 99.0), (22, 101.0)]
    )
    assert short(found) == [("firing", 3, 101.0), ("resolved", 4, 99.0), ("firing", 22, 101.0)]


def test_a_new_alert_never_has_the_id_of_another() -> None:
    flicker = [(1, 101.0), (1, 99.0), (1, 101.0), (1, 99.0), (2, 101.0), (2, 99.0), (2, 101.0), (3, 101.0)]
    found = run(rule(), flicker)
    assert len({(t.alert_id, t.revision) for t in found}) == len(found)
    assert [t.ts_event for t in found if t.state == "firing"] == [1, 2, 3]


def test_an_id_depends_on_rule_symbol_and_beginning_alone() -> None:
    first, second = run(rule(), [(5, 101.0)]), run(rule(), [(1, 99.0), (5, 104.0), (6, 90.0)])
    assert first[0].alert_id == second[0].alert_id
    assert run(rule(hold=1), [(5, 101.0)])[0].alert_id != first[0].alert_id


def test_an_abandoned_alert_is_resolved_with_the_reason() -> None:
    standing, _ = step(rule(), "SPY", Standing(), Observation(5, 101.0, 1))
    ending = abandon("SPY", "r1", standing, 9, "the rule was deleted")
    assert ending is not None
    assert (ending.state, ending.revision, ending.ts_event, ending.value) == ("resolved", 1, 9, 101.0)
    assert abandon("SPY", "r1", Standing(), 9, "the rule was deleted") is None


_RULES = st.builds(
    lambda hysteresis, crossing, hold, cooldown: rule(
        PriceLevel("above", 100.0, hysteresis, crossing), hold=hold, cooldown=cooldown
    ),
    st.sampled_from([0.0, 1.0, 2.5]),
    st.booleans(),
    st.integers(0, 6),
    st.integers(0, 8),
)
_PRICES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([96.0, 98.0, 99.0, 99.5, 100.0, 100.5, 101.0, 103.0])), max_size=60
).map(
    lambda steps: [(int(t), price) for t, (_, price) in zip(np.cumsum([gap for gap, _ in steps]), steps, strict=True)]
)


def by_definition(watching: Rule, prices: list[tuple[int, float]]) -> list[tuple[str, int, float]]:
    """The transitions, told from the whole series at once: alert by alert, not observation by observation."""
    condition = watching.condition
    assert isinstance(condition, PriceLevel)
    found: list[tuple[str, int, float]] = []
    at, quiet_until, armed = 0, 0, False
    while at < len(prices):
        ts, price = prices[at]
        starts = price > condition.level
        if not starts or ts < quiet_until or (condition.crossing and not armed):
            ended = price <= condition.level - condition.hysteresis
            armed = armed if not starts and not ended else ended
            at += 1
            continue
        end = next((i for i in range(at, len(prices)) if prices[i][1] <= condition.level - condition.hysteresis), None)
        last = prices[end][0] if end is not None else prices[-1][0]
        due = ts + watching.hold_ns
        if watching.hold_ns:
            found.append(("pending", ts, price))
        fired = last >= due
        if fired:
            beyond = [p for t, p in prices[at:end] if (t < due or not watching.hold_ns) and p > condition.level]
            found.append(("firing", due, price if not watching.hold_ns else beyond[-1]))
        if end is None:
            break
        found.append(("resolved", prices[end][0], prices[end][1]))
        quiet_until = prices[end][0] + max(1, watching.cooldown_ns if fired else 0)
        at, armed = end + 1, True
    return found


@given(_RULES, _PRICES)
def test_transitions_are_those_of_the_definition(watching: Rule, prices: list[tuple[int, float]]) -> None:
    assert short(run(watching, prices)) == by_definition(watching, prices)


@given(_RULES, _PRICES, st.lists(st.integers(0, 60), max_size=5))
def test_batches_and_single_steps_give_the_same(
    watching: Rule, prices: list[tuple[int, float]], cuts: list[int]
) -> None:
    whole, standing, singly = run(watching, prices), Standing(), []
    for ts, price in prices:
        signal = int(watching.condition.signals(np.array([price]))[0])
        standing, more = step(watching, "SPY", standing, Observation(ts, price, signal))
        singly += more
    assert singly == whole

    bounds = [0, *sorted(min(cut, len(prices)) for cut in cuts), len(prices)]
    pieces, carried = [], Standing()
    for low, high in pairwise(bounds):
        ts_piece = np.array([ts for ts, _ in prices[low:high]], dtype=np.int64)
        values = np.array([price for _, price in prices[low:high]])
        carried, more = follow(watching, "SPY", carried, ts_piece, values, watching.condition.signals(values))
        pieces += more
    assert pieces == whole
    assert replace(carried, value=0.0) == replace(standing, value=0.0)


@given(_RULES, _PRICES)
def test_each_alert_goes_pending_firing_resolved_and_never_back(
    watching: Rule, prices: list[tuple[int, float]]
) -> None:
    lives: dict[str, list[Transition]] = {}
    for transition in run(watching, prices):
        lives.setdefault(transition.alert_id, []).append(transition)
    for life in lives.values():
        assert [t.revision for t in life] == list(range(len(life)))
        states = [t.state for t in life]
        order = ["pending", "firing", "resolved"]
        assert [order.index(state) for state in states] == sorted({order.index(state) for state in states})
        assert [t.ts_event for t in life] == sorted(t.ts_event for t in life)
