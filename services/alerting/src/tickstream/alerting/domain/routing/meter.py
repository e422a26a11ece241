"""How much a receiver has been told lately."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tickstream.alerting.domain.routing.decision import Held, Notification
from tickstream.alerting.domain.routing.plan import Cap

_MOST_RULES: Final = 50
_OTHERS: Final = "(other rules)"


@dataclass(slots=True)
class Meter:
    """Counts a receiver's notifications, and what its cap holds back; `since` is the window's beginning."""

    since: int = 0
    sent: int = 0
    held: int = 0
    firing: int = 0
    resolved: int = 0
    rules: dict[str, int] = field(default_factory=dict)

    def admits(self, cap: Cap, now: int) -> bool:
        """Whether one more may be sent now; it is counted then."""
        if not self.held and now >= self.since + cap.per_ns:
            self.since, self.sent = now, 0
        if self.held or self.sent >= cap.notifications:
            return False
        self.sent += 1
        return True

    def hold(self, notification: Notification) -> None:
        """Keep for the summary what isn't sent."""
        self.held += 1
        self.firing += len(notification.firing)
        self.resolved += len(notification.resolved)
        for change in (*notification.firing, *notification.resolved):
            rule = change.rule if change.rule in self.rules or len(self.rules) < _MOST_RULES else _OTHERS
            self.rules[rule] = self.rules.get(rule, 0) + 1

    def take(self, cap: Cap, now: int) -> Held | None:
        """What the summary is to say, once its time has come; counting begins anew."""
        if not self.held or now < self.since + cap.per_ns:
            return None
        held = Held(self.held, self.firing, self.resolved, dict(self.rules))
        self.since, self.sent, self.held, self.firing, self.resolved, self.rules = now, 0, 0, 0, 0, {}
        return held
