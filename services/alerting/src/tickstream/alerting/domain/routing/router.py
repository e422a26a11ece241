"""The state machine of routing: transitions and the passing of time in, notifications and decisions out.

An alert that fires joins a group for each receiver of each route that takes it. A group is looked
at when it is due: after the group wait at first, then at the group's interval while something is
new or withheld, and at the repeat interval while it goes on firing. Silences, inhibitions and
flapping withhold that an alert fires; that it ended is told to whoever was told that it fires.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.decision import (
    Decision,
    Notification,
    Outcome,
    labels_text,
    span_text,
    time_text,
)
from tickstream.alerting.domain.routing.group import Group, Member
from tickstream.alerting.domain.routing.inhibiting import Inhibitors
from tickstream.alerting.domain.routing.meter import Meter
from tickstream.alerting.domain.routing.plan import Cap, Plan, Route
from tickstream.alerting.domain.routing.series import Series
from tickstream.alerting.domain.routing.silence import Silence
from tickstream.alerting.domain.routing.state import Known, Piece, State, member_piece

_IDS: Final = uuid.UUID("3e0f8a0c-3f5b-5b39-8f0e-6d1c9d1f7c52")
"""The namespace of the ids of notifications."""

_NO_CAP: Final = Cap(1, 0)
"""What was held back for a receiver that has a cap no more is told at once."""

_UNTOLD: Final = {
    "pending": "it is pending: receivers are told once it fires",
    "resolved": "it has ended, and nobody was told that it fires",
    "unknown": "there is no data, and nobody was told that it fires",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What people said that routing goes by: silences, and which alerts are acknowledged."""

    silences: Sequence[Silence] = ()
    acknowledged: Collection[str] = frozenset()


@dataclass(slots=True)
class Changes:
    """What came of it, to be made durable together."""

    decisions: list[Decision] = field(default_factory=list)
    notifications: list[Notification] = field(default_factory=list)
    pieces: set[Piece] = field(default_factory=set)


@dataclass(slots=True)
class _Look:
    """What is found when a group is looked at."""

    begun: list[str] = field(default_factory=list)
    going: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    withheld: bool = False


class Router:
    """Where everything stands.

    Args:
        plan: what was configured.
        state: as it was left.

    Attributes:
        changes: since they were last taken.
    """

    def __init__(self, plan: Plan, state: State | None = None) -> None:
        self.state = state or State()
        self.changes = Changes()
        self._plan = plan
        self._routes = {route.key: route for route in plan.all_routes()}
        self._inhibitors = Inhibitors(plan.inhibitions)
        for known in self.state.alerts.values():
            if known.active:
                self._inhibitors.add(known.change)

    def take_changes(self) -> Changes:
        """What has changed since the last time."""
        taken, self.changes = self.changes, Changes()
        return taken

    def adopt(self, now: int) -> None:
        """Bring a state that another configuration left in line with this one.

        Groups that are configured no more are given up, and present alerts join those that they belong to now.
        """
        for key, group in list(self.state.groups.items()):
            route = self._routes.get(group.route)
            if route is None or group.receiver not in _receivers(route):
                for alert_id in list(group.members):
                    self._leave(key, alert_id)
        for known in list(self.state.alerts.values()):
            if known.active:
                self._join_all(now, known.change, anew=False)
            else:
                self._forget_unheld(known.change)

    def decide(self, now: int, changes: Sequence[Change], around: Around) -> None:
        """Take transitions into account, and then the time.

        Args:
            now: nanoseconds since the epoch, never less than the last time.
            changes: transitions, each alert's in order; one that was taken before changes nothing.
            around: as it is now.
        """
        for change in changes:
            known = self.state.alerts.get(change.alert_id)
            if known is None or change.revision > known.change.revision:
                self._take(now, change, known)
        due = [(group.due, key) for key, group in self.state.groups.items() if group.due <= now]
        for _, key in sorted(due):
            if key in self.state.groups:
                self._look(now, key, around)
        for receiver in sorted(self.state.meters):
            self._summarise(now, receiver)

    def _take(self, now: int, change: Change, known: Known | None) -> None:
        was = known is not None and known.active
        if not (change.state == "firing" or (change.state == "unknown" and was)):
            self._end(now, change, known)
            return
        self.state.alerts[change.alert_id] = Known(change, active=True)
        self._touch(("alert", change.alert_id))
        self._inhibitors.add(change)
        if self._plan.flapping and not was:
            self.state.series.setdefault(change.series, Series()).fire(self._plan.flapping, change.alert_id, now)
            self._touch(("series", change.series))
        self._join_all(now, change, anew=True)

    def _end(self, now: int, change: Change, known: Known | None) -> None:
        if known is None:
            self._decide(change, "", "untold", _UNTOLD[change.state])
            return
        self._inhibitors.discard(known.change)
        self.state.alerts[change.alert_id] = Known(change, active=False)
        self._touch(("alert", change.alert_id))
        for key, group, route in list(self._holding(change)):
            if group.members[change.alert_id].told:
                at = time_text(group.hasten(now + route.timing.group_wait_ns, route.timing))
                self._touch(("group", key))
                self._decide(change, group.receiver, "grouped", f"that it ended is told at {at}")
            else:
                self._leave(key, change.alert_id)
                self._decide(change, group.receiver, "untold", "it has ended before it was told that it fires")
        self._forget_unheld(change)

    def _join_all(self, now: int, change: Change, *, anew: bool) -> None:
        """Let an alert join the groups that it belongs to; `anew` is that there is a transition to account for."""
        for route in self._plan.root.taking(change.labels):
            for receiver in route.receivers:
                self._join(now, route, receiver, change, route.timing.group_wait_ns, anew=anew)

    def _join(self, now: int, route: Route, receiver: str, change: Change, wait_ns: int, *, anew: bool) -> None:
        labels = {name: change.labels.get(name, "") for name in route.group_by}
        key = _group_key(route, receiver, labels)
        group = self.state.groups.get(key)
        if group is None:
            group = self.state.groups[key] = Group(route.key, receiver, labels, now + wait_ns)
        member = group.members.get(change.alert_id)
        if member and member.told:
            if anew:
                self._decide(change, receiver, "untold", "it was told before that it fires")
            return
        if member and not anew:
            return
        group.members.setdefault(change.alert_id, Member())
        due = group.hasten(now + wait_ns, route.timing)
        self._touch(("group", key), member_piece(key, change.alert_id))
        waits = f"waits until {time_text(due)} for others with {labels_text(labels)}"
        self._decide(change, receiver, "grouped", waits)

    def _look(self, now: int, key: str, around: Around) -> None:
        """A group is due."""
        group = self.state.groups[key]
        route = self._routes[group.route]
        found = self._found(now, key, group, around)
        repeats = bool(found.going) and now >= group.sent + route.timing.repeat_interval_ns
        if found.begun or found.ended or repeats:
            self._tell(now, key, group, found)
        self._escalate(now, key, found, around)
        for alert_id in found.ended:
            self._leave(key, alert_id)
            self._forget_unheld(self.state.alerts[alert_id].change)
        group.looked = now
        if key in self.state.groups:
            group.due = _next_look(now, group, route, withheld=found.withheld)
            self._touch(("group", key))

    def _found(self, now: int, key: str, group: Group, around: Around) -> _Look:
        found = _Look()
        for alert_id, member in group.members.items():
            known = self.state.alerts[alert_id]
            quiet = self._quiet(now, known, around)
            if quiet is not None:
                found.withheld = True
                self._say(key, group, known.change, member, *quiet)
            elif not known.active:
                found.ended.append(alert_id)
            elif member.told:
                found.going.append(alert_id)
            else:
                found.begun.append(alert_id)
        return found

    def _quiet(self, now: int, known: Known, around: Around) -> tuple[Outcome, str] | None:
        """Why nothing is told of an alert now."""
        change, flapping = known.change, self._plan.flapping
        series = self.state.series.get(change.series)
        until = series.flaps_until(flapping, now) if series and flapping else 0
        if series and until and (not known.active or series.announced != change.alert_id):
            return "flapping", f"{change.rule} flaps for {change.symbol}, until {time_text(until)} at least"
        if not known.active:
            return None
        labels = change.labels
        for silence in around.silences:
            if silence.covers(labels, now):
                said = f": {silence.comment}" if silence.comment else ""
                return "silenced", f"silence {silence.id} by {silence.by} until {time_text(silence.ends)}{said}"
        source = self._inhibitors.of(change)
        if source is not None:
            return "inhibited", f"alert {source.alert_id} fires: {source.rule}, {source.summary}"
        return None

    def _tell(self, now: int, key: str, group: Group, found: _Look) -> None:
        """Tell the receiver how the group stands, or let the summary do so."""
        state = self.state
        group.number += 1
        group.sent = now
        firing = [state.alerts[alert_id].change for alert_id in (*found.begun, *found.going)]
        notification = Notification(
            id=str(uuid.uuid5(_IDS, f"{key}|{group.number}|{now}")),
            receiver=group.receiver,
            stream=key,
            group=group.labels,
            created=now,
            firing=tuple(firing),
            resolved=tuple(state.alerts[alert_id].change for alert_id in found.ended),
            repeated=not (found.begun or found.ended),
            flapping=frozenset(change.alert_id for change in firing if self._flaps(change, now)),
        )
        outcome, reason, sent = self._admit(now, notification)
        said = {"begun": "it fires", "ended": "it has ended", "going": "it still fires"}
        for name in ("begun", "ended", *(["going"] if notification.repeated else [])):
            for alert_id in getattr(found, name):
                self._decide(state.alerts[alert_id].change, group.receiver, outcome, f"{said[name]}{reason}", sent)
        for alert_id in found.begun:
            group.members[alert_id] = Member(told=True, told_at=now)
            self._touch(member_piece(key, alert_id))

    def _admit(self, now: int, notification: Notification) -> tuple[Outcome, str, str | None]:
        cap = self._plan.caps.get(notification.receiver)
        if cap is not None:
            meter = self.state.meters.setdefault(notification.receiver, Meter())
            self._touch(("meter", notification.receiver))
            if not meter.admits(cap, now):
                meter.hold(notification)
                most = f"{cap.notifications} notifications in {span_text(cap.per_ns)}"
                return "capped", f"; {notification.receiver} has had its {most}: a summary tells of it", None
        self.changes.notifications.append(notification)
        return "notified", "", notification.id

    def _summarise(self, now: int, receiver: str) -> None:
        held = self.state.meters[receiver].take(self._plan.caps.get(receiver, _NO_CAP), now)
        if held is not None:
            name = str(uuid.uuid5(_IDS, f"{receiver}|summary|{now}"))
            summary = Notification(name, receiver, f"{receiver}/summary", {}, now, held=held)
            self.changes.notifications.append(summary)
            self._touch(("meter", receiver))

    def _escalate(self, now: int, key: str, found: _Look, around: Around) -> None:
        """Let alerts that nobody has acknowledged in time join the group of who is told next."""
        group = self.state.groups[key]
        route = self._routes[group.route]
        escalation = route.escalation
        if escalation is None or group.receiver not in route.receivers:
            return
        for alert_id in (*found.begun, *found.going):
            member, change = group.members[alert_id], self.state.alerts[alert_id].change
            if member.settled or now < member.told_at + escalation.after_ns:
                continue
            member.settled = True
            self._touch(member_piece(key, alert_id))
            after = span_text(escalation.after_ns)
            if alert_id in around.acknowledged:
                self._decide(change, escalation.receiver, "acknowledged", f"someone has seen to it within {after}")
                continue
            self._decide(change, escalation.receiver, "escalated", f"nobody has seen to it for {after}")
            self._join(now, route, escalation.receiver, change, 0, anew=True)

    def _flaps(self, change: Change, now: int) -> bool:
        series, flapping = self.state.series.get(change.series), self._plan.flapping
        return bool(series and flapping and series.flaps_until(flapping, now))

    def _holding(self, change: Change) -> Iterator[tuple[str, Group, Route]]:
        """The groups that hold an alert."""
        labels = change.labels
        for route in self._plan.root.taking(labels):
            common = {name: labels.get(name, "") for name in route.group_by}
            for receiver in _receivers(route):
                key = _group_key(route, receiver, common)
                group = self.state.groups.get(key)
                if group and change.alert_id in group.members:
                    yield key, group, route

    def _leave(self, key: str, alert_id: str) -> None:
        group = self.state.groups[key]
        del group.members[alert_id]
        self._touch(member_piece(key, alert_id))
        if not group.members:
            del self.state.groups[key]
            self._touch(("group", key))

    def _forget_unheld(self, change: Change) -> None:
        if next(self._holding(change), None) is None:
            self.state.alerts.pop(change.alert_id, None)
            self._touch(("alert", change.alert_id))

    def _say(self, key: str, group: Group, change: Change, member: Member, outcome: Outcome, reason: str) -> None:
        """Write down why nothing is told, once for each reason."""
        said = f"{change.revision} {outcome} {reason}"
        if member.said != said:
            member.said = said
            self._touch(member_piece(key, change.alert_id))
            self._decide(change, group.receiver, outcome, reason)

    def _decide(self, change: Change, receiver: str, outcome: Outcome, reason: str, sent: str | None = None) -> None:
        self.changes.decisions.append(Decision(change.alert_id, change.revision, receiver, outcome, reason, sent))

    def _touch(self, *pieces: Any) -> None:
        self.changes.pieces.update(pieces)


def _receivers(route: Route) -> tuple[str, ...]:
    return (*route.receivers, *([route.escalation.receiver] if route.escalation else []))


def _group_key(route: Route, receiver: str, labels: dict[str, str]) -> str:
    return f"{route.key}/{receiver}/{json.dumps(labels)}"


def _next_look(now: int, group: Group, route: Route, *, withheld: bool) -> int:
    """When a group that was looked at is due again, if nothing happens."""
    timing, escalation = route.timing, route.escalation
    moments = [group.sent + timing.repeat_interval_ns]
    if escalation and group.receiver in route.receivers:
        moments += [m.told_at + escalation.after_ns for m in group.members.values() if m.told and not m.settled]
    ahead = [moment for moment in moments if moment > now]
    if withheld or not ahead:
        ahead.append(now + timing.group_interval_ns)
    return min(ahead)
