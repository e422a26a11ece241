"""Who is told of what, by scenarios such as those of Alertmanager's users."""

from __future__ import annotations

import pytest

from tests.unit.alerting.routing_world import HOUR, MINUTE, SECOND, START, World, change, plan_of
from tickstream.alerting.domain.routing.inhibiting import Inhibitors
from tickstream.alerting.domain.routing.matching import Match
from tickstream.alerting.domain.routing.plan import Inhibition
from tickstream.alerting.domain.routing.silence import Silence


def silence(world: World, seconds: int, **patterns: str) -> Silence:
    match = Match.of({name: [pattern] for name, pattern in patterns.items()})
    return Silence("s", match, world.now, world.now + seconds * SECOND, "Ada", "maintenance")


def test_alerts_of_a_group_are_told_together_after_the_group_wait() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(5 * SECOND)
    world.fires("high/B", "low/A")
    world.passes(4 * SECOND)
    assert world.told() == []
    world.passes(SECOND)
    assert world.told() == [(["high/A", "high/B"], [])]
    world.passes(10 * SECOND)
    assert world.told()[1:] == [(["low/A"], [])]
    assert world.outcomes("high/B") == ["grouped", "notified"]


def test_what_is_new_waits_for_the_group_interval() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(10 * SECOND)
    world.fires("high/B")
    world.passes(59 * SECOND)
    assert len(world.told()) == 1
    world.passes(SECOND)
    assert world.told()[1] == (["high/A", "high/B"], [])


def test_the_end_is_told_once_and_then_nothing() -> None:
    world = World(plan_of())
    world.fires("high/A", "high/B")
    world.passes(10 * SECOND)
    world.ends("high/A")
    world.passes(MINUTE)
    assert world.told()[1:] == [(["high/B"], ["high/A"])]
    world.ends("high/B")
    world.passes(5 * HOUR, MINUTE)
    assert world.told()[2:] == [([], ["high/B"])]
    assert world.kept == {}


def test_an_alert_that_ends_before_it_is_told_is_told_to_nobody() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.ends("high/A")
    world.passes(HOUR, MINUTE)
    assert world.told() == []
    assert world.outcomes("high/A") == ["grouped", "untold"]
    assert world.kept == {}


def test_pending_alerts_and_ends_that_nobody_knew_of_are_told_to_nobody() -> None:
    world = World(plan_of())
    world.says("high/A", "pending")
    world.ends("high/A")
    world.passes(MINUTE)
    assert world.told() == []
    assert world.outcomes("high/A") == ["untold", "untold"]


def test_what_goes_on_firing_is_told_again_at_the_repeat_interval() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(2 * HOUR + 11 * SECOND)
    assert world.told() == [(["high/A"], [])] * 3
    assert [n.repeated for n in world.notifications] == [False, True, True]
    assert [n.created - START for n in world.notifications] == [10 * SECOND, HOUR + 10 * SECOND, 2 * HOUR + 10 * SECOND]


def test_a_dead_feed_resolves_nothing() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(MINUTE)
    world.says("high/A", "unknown")
    world.passes(10 * MINUTE)
    assert world.told() == [(["high/A"], [])]
    world.says("high/A", "firing")
    world.ends("high/A")
    world.passes(MINUTE)
    assert world.told() == [(["high/A"], []), ([], ["high/A"])]


def test_a_retracted_alert_is_told_as_ended_with_its_reason() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(MINUTE)
    world.ends("high/A")
    world.passes(MINUTE)
    [resolved] = world.notifications[-1].resolved
    assert resolved.reason == "because"
    assert world.notifications[-1].body()["resolved"][0]["reason"] == "because"


def test_the_first_route_that_takes_an_alert_gets_it_unless_it_continues() -> None:
    routes = [
        {"match": {"severity": "critical"}, "receivers": ["b", "c"], "continue": True},
        {"match": {"symbol": "B*", "team": "!core"}, "receivers": "c", "routes": [{"match": {"symbol": "BTC-*"}}]},
    ]
    world = World(plan_of(route={"routes": routes}))
    world.fires("high/A", severity="critical")
    world.fires("high/BTC-USD", severity="critical", team="edge")
    world.fires("high/BAC", team="core")
    world.fires("high/BAC#2")
    world.passes(MINUTE)
    assert world.told("b") == [(["high/A", "high/BTC-USD"], [])]
    assert sorted(world.told("c")) == [
        (["high/A", "high/BTC-USD"], []),
        (["high/BAC#2"], []),
        (["high/BTC-USD"], []),
    ]
    assert world.told("a") == [(["high/BAC"], [])]


def test_a_silenced_alert_is_told_when_the_silence_is_over() -> None:
    world = World(plan_of())
    world.silences = [silence(world, 300, symbol="A")]
    world.fires("high/A", "high/B")
    world.passes(4 * MINUTE)
    assert world.told() == [(["high/B"], [])]
    assert world.outcomes("high/A") == ["grouped", "silenced"]
    [said] = [decision for decision in world.decisions if decision.outcome == "silenced"]
    assert "Ada" in said.reason
    assert "maintenance" in said.reason
    world.passes(2 * MINUTE)
    assert world.told()[1:] == [(["high/A", "high/B"], [])]


def test_who_was_told_that_an_alert_fires_is_told_that_it_ended_silenced_or_not() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(10 * SECOND)
    world.silences = [silence(world, 36_000, rule="high")]
    world.passes(2 * HOUR, 10 * SECOND)
    assert world.told() == [(["high/A"], [])]
    world.ends("high/A")
    world.passes(MINUTE)
    assert world.told()[1:] == [([], ["high/A"])]


def test_an_alert_is_inhibited_while_another_fires() -> None:
    inhibit = [{"when": {"rule": "feed"}, "mute": {"severity": "!critical"}, "equal": ["symbol"]}]
    world = World(plan_of(inhibit=inhibit))
    world.fires("feed/A", severity="critical")
    world.fires("high/A", "high/B")
    world.passes(MINUTE)
    assert world.told() == [(["feed/A"], []), (["high/B"], [])]
    assert world.outcomes("high/A") == ["grouped", "inhibited"]
    world.ends("feed/A", severity="critical")
    world.passes(2 * MINUTE)
    assert sorted(world.told()[2:]) == [([], ["feed/A"]), (["high/A", "high/B"], [])]


def test_an_alert_never_inhibits_itself_nor_its_likes() -> None:
    both = Match.of({"rule": ["feed", "high"]})
    inhibitors = Inhibitors([Inhibition(both, Match.of({"rule": ["high", "low"]}))])
    first, second, low, feed = (change(name, "firing", 0) for name in ("high/A", "high/B", "low/A", "feed/A"))
    inhibitors.add(first)
    inhibitors.add(second)
    assert inhibitors.of(first) is None
    assert inhibitors.of(low) in (first, second)
    inhibitors.add(feed)
    assert inhibitors.of(first) == feed
    for each in (first, second, feed):
        inhibitors.discard(each)
    assert inhibitors.of(low) is None


def test_beyond_the_cap_a_summary_tells_of_the_rest() -> None:
    world = World(plan_of(a={"cap": {"notifications": 2, "per": "5m"}}, route={"group_by": ["symbol"]}))
    world.fires(*(f"high/S{number}" for number in range(10)))
    world.passes(MINUTE)
    assert len(world.told()) == 2
    capped = [name for name in world.revisions if "capped" in world.outcomes(name)]
    assert len(capped) == 8
    world.passes(5 * MINUTE)
    [summary] = [n for n in world.notifications if n.held]
    held = summary.body()["held"]
    assert held == {"notifications": 8, "firing": 8, "resolved": 0, "rules": {"high": 8}}
    world.ends("high/S0")
    world.passes(MINUTE)
    assert world.told()[2:] == [([], ["high/S0"])]


def test_what_a_cap_held_back_is_told_when_the_cap_is_gone() -> None:
    world = World(plan_of(a={"cap": {"notifications": 1, "per": "1h"}}, route={"group_by": ["symbol"]}))
    world.fires("high/A", "high/B")
    world.passes(MINUTE)
    world.restarts(plan_of(route={"group_by": ["symbol"]}))
    world.passes(SECOND)
    assert [n.held.notifications for n in world.notifications if n.held] == [1]


def test_a_rule_that_flaps_is_told_once_and_then_when_it_is_quiet() -> None:
    world = World(plan_of(flapping={"firings": 3, "within": "10m"}, route={"group_wait": "0s", "group_by": ["symbol"]}))
    for number in range(8):
        world.fires(f"high/A#{number}")
        world.passes(MINUTE)
        world.ends(f"high/A#{number}")
        world.passes(MINUTE)
    fired = [firing for firing, _ in world.told() if firing]
    assert fired == [["high/A#0"], ["high/A#1"], ["high/A#2"]]
    assert world.notifications[-1].body()["firing"][0]["flapping"]
    assert world.outcomes("high/A#5") == ["grouped", "flapping", "untold"]
    world.passes(10 * MINUTE)
    assert world.told()[-1] == ([], ["high/A#2"])
    world.fires("high/A#9")
    world.passes(MINUTE)
    assert world.told()[-1] == (["high/A#9"], [])


def test_an_alert_that_nobody_acknowledges_reaches_another_receiver() -> None:
    world = World(plan_of(route={"escalate": {"after": "15m", "receiver": "b"}}))
    world.fires("high/A", "high/B")
    world.passes(MINUTE)
    world.acknowledged = {said.alert_id for said in world.notifications[0].firing if said.symbol == "B"}
    assert world.told("b") == []
    world.passes(15 * MINUTE)
    assert world.told("b") == [(["high/A"], [])]
    assert world.outcomes("high/A", "b") == ["escalated", "grouped", "notified"]
    assert world.outcomes("high/B", "b") == ["acknowledged"]
    world.ends("high/A")
    world.passes(2 * MINUTE)
    assert world.told("b")[1:] == [([], ["high/A"])]
    world.ends("high/B")
    world.passes(2 * MINUTE)
    assert world.kept == {}


def test_a_restart_tells_nothing_twice_and_forgets_nothing() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(10 * SECOND)
    world.restarts()
    world.passes(30 * MINUTE)
    assert world.told() == [(["high/A"], [])]
    world.fires("high/B")
    world.restarts()
    world.passes(MINUTE)
    assert world.told()[1:] == [(["high/A", "high/B"], [])]


def test_another_configuration_tells_present_alerts_to_those_it_names() -> None:
    world = World(plan_of())
    world.fires("high/A")
    world.passes(10 * SECOND)
    world.restarts(plan_of(route={"receivers": "b"}))
    world.passes(MINUTE)
    assert world.told("b") == [(["high/A"], [])]
    world.ends("high/A")
    world.passes(MINUTE)
    assert world.told("b")[1:] == [([], ["high/A"])]
    assert world.told("a") == [(["high/A"], [])]
    assert world.kept == {}


def test_a_transition_that_comes_again_changes_nothing() -> None:
    world = World(plan_of())
    said = world.says("high/A", "firing")
    decided = list(world.decisions)
    world.turn([said, said])
    assert world.decisions == decided


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [("B*", "BAC", True), ("!B*", "BAC", False), ("[A]", "A", False), ("[A]", "[A]", True), ("B?C", "BAC", True)],
)
def test_patterns_know_stars_and_question_marks_alone(pattern: str, value: str, fits: bool) -> None:
    assert Match.of({"symbol": [pattern]}).fits({"symbol": value}) is fits


def test_an_absent_label_is_empty() -> None:
    assert Match.of({"team": ["!core"]}).fits({})
    assert Match.of({"team": ["!?*"]}).fits({})
    assert not Match.of({"team": ["core"]}).fits({})


def test_a_storm_is_told_in_few_notifications_and_leaves_nothing_behind() -> None:
    world = World(plan_of(a={"cap": {"notifications": 5, "per": "1m"}}, route={"group_by": ["rule"]}))
    names = [f"rule{rule}/S{symbol}" for rule in range(20) for symbol in range(100)]
    for start in range(0, len(names), 100):
        world.fires(*names[start : start + 100])
        world.passes(SECOND)
    world.passes(5 * MINUTE)
    assert {world.outcomes(name)[-1] for name in names} == {"notified", "capped"}
    assert sum(n.held.firing for n in world.notifications if n.held) + sum(
        len(n.firing) for n in world.notifications if not n.held
    ) >= len(names)
    assert len(world.notifications) <= 6 * 6
    for start in range(0, len(names), 100):
        world.ends(*names[start : start + 100])
    world.passes(10 * MINUTE)
    assert {part for part, _ in world.kept} == {"meter"}
