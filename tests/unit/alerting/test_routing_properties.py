"""What holds of routing whatever happens, in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.routing_world import HOUR, MINUTE, SECOND, World, plan_of
from tickstream.alerting.domain.routing.backoff import Breaker, pause_ns
from tickstream.alerting.domain.routing.matching import Match
from tickstream.alerting.domain.routing.plan import Plan
from tickstream.alerting.domain.routing.silence import Silence

SERIES = ("high/A", "high/B", "low/A", "feed/A")
STATES = ("pending", "firing", "unknown", "resolved")

_steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(SERIES), st.sampled_from(STATES)),
        st.tuples(st.just("pass"), st.integers(1, 300)),
        st.tuples(st.just("silence"), st.sampled_from(["A", "B", "*"]), st.integers(1, 600)),
        st.tuples(st.just("acknowledge")),
        st.tuples(st.just("restart")),
    ),
    max_size=40,
)
_plans = st.fixed_dictionaries(
    {
        "inhibit": st.sampled_from([[], [{"when": {"rule": "feed"}, "mute": {"rule": ["high", "low"]}}]]),
        "flapping": st.sampled_from([None, {"firings": 3, "within": "3m"}]),
        "a": st.sampled_from([{}, {"cap": {"notifications": 2, "per": "2m"}}]),
        "route": st.sampled_from(
            [
                {},
                {"group_by": [], "group_wait": "0s"},
                {"group_by": ["rule", "symbol"], "escalate": {"after": "2m", "receiver": "b"}},
                {
                    "routes": [
                        {"match": {"rule": "high"}, "receivers": ["a", "b"], "continue": True},
                        {"receivers": "c"},
                    ]
                },
            ]
        ),
    }
)


def _run(plan: Plan, steps: list[Any], *, restarts: bool) -> World:
    world, numbers, present = World(plan), dict.fromkeys(SERIES, 0), dict.fromkeys(SERIES, "")
    for kind, *rest in steps:
        if kind == "say":
            series, state = rest
            if present[series] in ("", "resolved"):
                numbers[series] += 1
            if state != "resolved" or present[series] not in ("", "resolved"):
                world.says(f"{series}#{numbers[series]}", state)
                present[series] = state
        elif kind == "pass":
            world.passes(rest[0] * SECOND, 5 * SECOND)
        elif kind == "silence":
            match = Match.of({"symbol": [rest[0]]})
            world.silences.append(Silence("s", match, world.now, world.now + rest[1] * SECOND, "Ada", ""))
        elif kind == "acknowledge":
            world.acknowledged |= set(world.router.state.alerts)
        elif restarts:
            world.restarts()
    return world


@settings(max_examples=60)
@given(given_plan=_plans, steps=_steps)
def test_nobody_is_told_of_an_end_unless_of_the_beginning_nor_of_either_twice(
    given_plan: dict[str, Any], steps: list[Any]
) -> None:
    world = _run(plan_of(**given_plan), steps, restarts=True)
    capped = "a" if given_plan["a"] else ""
    told: dict[tuple[str, str, str], str] = {}
    for each in world.notifications:
        for change in each.firing:
            assert told.get((each.receiver, each.stream, change.alert_id)) != "resolved"
            told[each.receiver, each.stream, change.alert_id] = "firing"
        for change in each.resolved:
            place = (each.receiver, each.stream, change.alert_id)
            before = told.get(place)
            assert before == "firing" or (before is None and each.receiver == capped)
            told[place] = "resolved"


@settings(max_examples=60)
@given(given_plan=_plans, steps=_steps)
def test_everybody_learns_how_it_stands_in_the_end_and_nothing_is_kept(
    given_plan: dict[str, Any], steps: list[Any]
) -> None:
    world = _run(plan_of(**given_plan), steps, restarts=True)
    present = {known.change.alert_id for known in world.router.state.alerts.values() if known.active}
    world.passes(HOUR // 2, 10 * SECOND)
    if not given_plan["inhibit"]:
        fired = {change.alert_id for each in world.notifications for change in each.firing}
        assert present <= fired or given_plan["a"]
    for alert_id in present:
        name = world.names[alert_id]
        world.ends(name)
    world.passes(HOUR // 2, 10 * SECOND)
    standing: dict[tuple[str, str], str] = {}
    for each in world.notifications:
        standing |= {(each.stream, change.alert_id): "firing" for change in each.firing}
        standing |= {(each.stream, change.alert_id): "resolved" for change in each.resolved}
    if not given_plan["a"]:
        assert set(standing.values()) <= {"resolved"}
    assert {part for part, _ in world.kept} <= {"meter", "series"}


@settings(max_examples=60)
@given(given_plan=_plans, steps=_steps)
def test_restarts_make_no_difference(given_plan: dict[str, Any], steps: list[Any]) -> None:
    plan = plan_of(**given_plan)
    without, with_restarts = (_run(plan, steps, restarts=restarts) for restarts in (False, True))
    assert with_restarts.notifications == without.notifications
    assert with_restarts.decisions == without.decisions
    assert with_restarts.kept == without.kept


@settings(max_examples=60)
@given(given_plan=_plans, steps=_steps)
def test_every_transition_has_a_decision_and_every_notification_its_alerts(
    given_plan: dict[str, Any], steps: list[Any]
) -> None:
    world = _run(plan_of(**given_plan), steps, restarts=False)
    decided = {(decision.alert_id, decision.revision) for decision in world.decisions}
    names = {name: alert_id for alert_id, name in world.names.items()}
    assert decided == {(names[name], number) for name, last in world.revisions.items() for number in range(last + 1)}
    notified = {decision.notification for decision in world.decisions if decision.outcome == "notified"}
    assert notified == {each.id for each in world.notifications if each.held is None}
    assert len({each.id for each in world.notifications}) == len(world.notifications)


@given(attempt=st.integers(1, 1000), chance=st.floats(0, 1), asked=st.integers(0, 10**13))
def test_pauses_grow_up_to_five_minutes(attempt: int, chance: float, asked: int) -> None:
    pause = pause_ns(attempt, chance, asked)
    full = min(2 ** (attempt - 1), 300) * SECOND
    assert full / 2 <= pause <= 300 * SECOND
    assert pause >= min(asked, 300 * SECOND)
    assert pause <= max(full, asked)


def test_a_channel_that_fails_is_left_alone_longer_and_longer_until_it_works() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.fail(0)
    assert breaker.closed(0)
    pauses = []
    for _ in range(8):
        breaker.fail(0)
        pauses.append(breaker.until // SECOND)
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    assert breaker.closed(5 * MINUTE)
    breaker.begin(5 * MINUTE)
    assert not breaker.closed(5 * MINUTE)
    breaker.succeed()
    assert breaker.closed(5 * MINUTE)
