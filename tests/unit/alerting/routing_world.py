"""A world for the router: alerts that come and go, a clock, and who was told what."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.decision import Decision, Notification
from tickstream.alerting.domain.routing.plan import Plan
from tickstream.alerting.domain.routing.router import Around, Router
from tickstream.alerting.domain.routing.silence import Silence
from tickstream.alerting.domain.routing.state import Piece, State
from tickstream.alerting.routing_spec import RoutingSpec, environment_of

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
START = 1_700_000_000 * SECOND

HOOK = {"url": "https://hooks.test/x"}


def plan_of(**given: Any) -> Plan:
    """The plan of a configuration with receivers a, b and c."""
    receivers = [{"name": name, "webhook": HOOK} | given.pop(name, {}) for name in "abc"]
    route = {"receivers": "a", "group_wait": "10s", "group_interval": "1m", "repeat_interval": "1h"}
    spec = {"receivers": receivers, **given, "route": route | given.get("route", {})}
    found = RoutingSpec.model_validate(spec, context=environment_of({}))
    assert list(found.problems()) == []
    return found.plan()


def change(name: str, state: Any, revision: int, **given: Any) -> Change:
    """A transition of the alert of this name; its rule is the name's first part (`rule/SYMBOL`)."""
    rule, _, symbol = name.partition("/")
    return Change(
        alert_id=str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
        revision=revision,
        state=state,
        rule_id=str(uuid.uuid5(uuid.NAMESPACE_URL, rule)),
        rule=rule,
        symbol=symbol.partition("#")[0] or "SPY",
        severity=given.pop("severity", "warning"),
        own_labels=given,
        ts_event=START,
        value=1.0,
        threshold=1.0,
        summary=f"{name} is {state}",
        reason="because",
    )


@dataclass
class World:
    """Drives a router as the service does, with its state kept as the database keeps it."""

    plan: Plan
    now: int = START
    silences: list[Silence] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    notifications: list[Notification] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    kept: dict[Piece, bytes] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.router = Router(self.plan)

    def says(self, name: str, state: str, **given: Any) -> Change:
        """An alert changes its state now."""
        self.revisions[name] = self.revisions.get(name, -1) + 1
        said = change(name, state, self.revisions[name], **given)
        self.names[said.alert_id] = name
        self.turn([said])
        return said

    def fires(self, *names: str, **given: Any) -> None:
        for name in names:
            self.says(name, "firing", **given)

    def ends(self, *names: str, **given: Any) -> None:
        for name in names:
            self.says(name, "resolved", **given)

    def turn(self, changes: Sequence[Change] = ()) -> None:
        self.router.decide(self.now, changes, Around(self.silences, self.acknowledged))
        made = self.router.take_changes()
        self.notifications += made.notifications
        self.decisions += made.decisions
        for piece in made.pieces:
            value = self.router.state.dump(piece)
            if value is None:
                self.kept.pop(piece, None)
            else:
                self.kept[piece] = orjson.dumps(value)

    def passes(self, span: int, step: int = SECOND) -> None:
        """Time goes by, with a turn each second."""
        until = self.now + span
        while self.now < until:
            self.now = min(until, self.now + step)
            self.turn()

    def restarts(self, plan: Plan | None = None) -> None:
        """Everything that isn't kept is forgotten."""
        state = State()
        state.restore((part, name, orjson.loads(value)) for (part, name), value in self.kept.items())
        self.plan = plan or self.plan
        self.router = Router(self.plan, state)
        self.router.adopt(self.now)

    def told(self, receiver: str = "a") -> list[tuple[list[str], list[str]]]:
        """What a receiver was told: names of alerts that fire and that ended, a notification each."""
        return [
            (self._names(n.firing), self._names(n.resolved))
            for n in self.notifications
            if n.receiver == receiver and n.held is None
        ]

    def outcomes(self, name: str, receiver: str | None = None) -> list[str]:
        """What was decided about an alert."""
        return [
            d.outcome
            for d in self.decisions
            if self.names[d.alert_id] == name and (receiver is None or d.receiver == receiver)
        ]

    def _names(self, changes: Sequence[Change]) -> list[str]:
        return sorted(self.names[each.alert_id] for each in changes)
