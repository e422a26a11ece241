"""Where routing stands, in pieces that are kept and restored one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from tickstream.alerting.domain.routing.alert import Change
from tickstream.alerting.domain.routing.group import Group, Member
from tickstream.alerting.domain.routing.meter import Meter
from tickstream.alerting.domain.routing.series import Series

Part = Literal["alert", "group", "member", "meter", "series"]
Piece = tuple[Part, str]
"""A piece of the state: its kind, and its name within that kind."""

_IN: str = "\n"


@dataclass(slots=True)
class Known:
    """An alert that some group holds; `active` while it fires, or isn't known not to."""

    change: Change
    active: bool


@dataclass(slots=True)
class State:
    """Everything that routing remembers."""

    alerts: dict[str, Known] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)

    def dump(self, piece: Piece) -> dict[str, Any] | None:
        """A piece as JSON has it; None when it is there no more."""
        part, name = piece
        if part == "member":
            group, _, alert_id = name.partition(_IN)
            holder = self.groups.get(group)
            found: Any = holder.members.get(alert_id) if holder else None
        else:
            found = self._all(part).get(name)
        if found is None:
            return None
        if isinstance(found, Known):
            return {"change": _fields(found.change), "active": found.active}
        return _fields(found)

    def restore(self, pieces: Iterable[tuple[Part, str, Mapping[str, Any]]]) -> None:
        """Take up what was dumped; members of groups that aren't there are left out."""
        members = []
        for part, name, value in pieces:
            if part == "member":
                members.append((name.partition(_IN), Member(**value)))
            elif part == "alert":
                self.alerts[name] = Known(Change(**value["change"]), value["active"])
            else:
                kind: Any = {"group": Group, "meter": Meter, "series": Series}[part]
                self._all(part)[name] = kind(**value)
        for (group, _, alert_id), member in members:
            if group in self.groups and alert_id in self.alerts:
                self.groups[group].members[alert_id] = member

    def _all(self, part: Part) -> dict[str, Any]:
        named: dict[str, dict[str, Any]] = {
            "alert": self.alerts,
            "group": self.groups,
            "meter": self.meters,
            "series": self.series,
        }
        return named[part]


def _fields(found: Any) -> dict[str, Any]:
    """Its fields, without what are pieces of their own."""
    return {each.name: getattr(found, each.name) for each in fields(found) if each.name != "members"}


def member_piece(group: str, alert_id: str) -> Piece:
    """The piece of an alert's membership in a group."""
    return "member", f"{group}{_IN}{alert_id}"
