"""What was decided about a transition, and why; and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from tickstream.alerting.domain.routing.alert import Change
from tickstream.core.clock import NANOS_PER_MILLI, NANOS_PER_SECOND

Outcome = Literal[
    "grouped",
    "notified",
    "untold",
    "silenced",
    "inhibited",
    "capped",
    "flapping",
    "escalated",
    "acknowledged",
    "failed",
]
"""`untold` is that there is nothing to tell this receiver, `failed` that it can't be reached."""

MAX_LISTED: Final = 100
"""The most alerts that a notification lists; of the others it says how many they are."""

_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a transition comes to for one receiver; nobody in particular when the receiver is empty."""

    alert_id: str
    revision: int
    receiver: str
    outcome: Outcome
    reason: str
    notification: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What a receiver's cap held back: how many notifications, and what they were of."""

    notifications: int
    firing: int
    resolved: int
    rules: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver.

    Attributes:
        id: the same however often it is sent.
        stream: notifications of the same stream reach their receiver in order.
        group: the labels that its alerts have in common.
        created: nanoseconds since the epoch.
        repeated: nothing has changed since the last one.
        flapping: those of its alerts whose rule flaps for the symbol.
        held: of a summary, which lists no alerts.
    """

    id: str
    receiver: str
    stream: str
    group: Mapping[str, str]
    created: int
    firing: tuple[Change, ...] = ()
    resolved: tuple[Change, ...] = ()
    repeated: bool = False
    flapping: frozenset[str] = field(default_factory=frozenset)
    held: Held | None = None

    def body(self) -> dict[str, Any]:
        """As it is written down, and as webhooks get it."""
        firing = self.firing[:MAX_LISTED]
        resolved = self.resolved[: MAX_LISTED - len(firing)]
        return {
            "version": 1,
            "id": self.id,
            "receiver": self.receiver,
            "kind": "summary" if self.held else "alerts",
            "created_ms": self.created // NANOS_PER_MILLI,
            "repeated": self.repeated,
            "group": dict(self.group),
            "counts": {"firing": len(self.firing), "resolved": len(self.resolved)},
            "firing": [self._alert(change) for change in firing],
            "resolved": [self._alert(change) for change in resolved],
            "unlisted": len(self.firing) + len(self.resolved) - len(firing) - len(resolved),
            "held": self._held(),
        }

    def _alert(self, change: Change) -> dict[str, Any]:
        names = ("alert_id", "revision", "state", "rule_id", "rule", "symbol", "severity")
        return {
            **{name: getattr(change, name) for name in names},
            "labels": dict(change.own_labels),
            "ts_event_ms": change.ts_event // NANOS_PER_MILLI,
            **{name: getattr(change, name) for name in ("value", "threshold", "summary", "reason")},
            "flapping": change.alert_id in self.flapping,
        }

    def _held(self) -> dict[str, Any] | None:
        held = self.held
        if held is None:
            return None
        counts = {name: getattr(held, name) for name in ("notifications", "firing", "resolved")}
        return {**counts, "rules": dict(held.rules)}


def span_text(span_ns: int) -> str:
    """A span of time for people: `5m`, `90 s`."""
    seconds = span_ns / NANOS_PER_SECOND
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:.10g} s"


def time_text(moment: int) -> str:
    """A moment for people: `2026-03-02 14:30:00 UTC`."""
    return f"{datetime.fromtimestamp(moment // NANOS_PER_SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels for people: `rule=high, symbol=SPY`."""
    return ", ".join(f"{name}={value}" for name, value in labels.items()) or "everything"
