from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.lifecycle import Observation, Standing, step
from tickstream.alerting.domain.rule import PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.shard import Shard
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick

_LEVELS = st.builds(
    PriceLevel,
    st.sampled_from(["above", "below"]),
    st.integers(97, 103).map(float),
    st.sampled_from([0.0, 1.0]),
    st.booleans(),
)
_RULES = st.lists(
    st.tuples(_LEVELS, st.sampled_from([0, 3]), st.sampled_from([0, 5]), st.sampled_from([0, 2])), max_size=8
)


@given(_RULES, st.lists(st.tuples(st.integers(0, 2), st.integers(95, 105)), max_size=60), st.integers(1, 60))
def test_rules_that_sleep_miss_nothing(
    given_rules: list[tuple[PriceLevel, int, int, int]], steps: list[tuple[int, int]], batch: int
) -> None:
    rules = [
        Rule(f"r{number}", "level", condition, hold_ns=hold, cooldown_ns=cooldown, keep_ns=keep)
        for number, (condition, hold, cooldown, keep) in enumerate(given_rules)
    ]
    ts, ticks = 1, []
    for seq, (gap, price) in enumerate(steps, 1):
        ts += gap
        ticks.append(Tick("SPY", float(price), 1.0, ts, ts, seq, "s"))

    shard, book, interners = Shard(), RuleBook(rules), TickInterners()
    bounds = [*range(0, len(ticks), batch), len(ticks)]
    for low, high in pairwise(bounds):
        observe_ticks(book, shard, TickColumns.of(ticks[low:high], interners))
    found = sorted((t.rule_id, t.alert_id, t.revision, t.state, t.ts_event) for t in shard.changes.transitions)
    assert found == sorted(line for rule in rules for line in _one_by_one(rule, ticks))


def _one_by_one(rule: Rule, ticks: list[Tick]) -> list[tuple[str, str, int, str, int]]:
    standing, found = Standing(), []
    for tick in ticks:
        condition = rule.condition
        assert isinstance(condition, PriceLevel)
        above = condition.direction == "above"
        begins = tick.price > condition.level if above else tick.price < condition.level
        back = condition.level - condition.hysteresis if above else condition.level + condition.hysteresis
        ends = tick.price <= back if above else tick.price >= back
        standing, transitions = step(rule, "SPY", standing, Observation(tick.ts_event, tick.price, begins - ends))
        found += [(t.rule_id, t.alert_id, t.revision, str(t.state), t.ts_event) for t in transitions]
    return found
