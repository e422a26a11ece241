"""When a notification that didn't arrive is tried again, and when a channel is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import NANOS_PER_SECOND

_FIRST: Final = 1 * NANOS_PER_SECOND
_LONGEST: Final = 300 * NANOS_PER_SECOND
_FAILURES: Final = 5
_OPEN: Final = 10 * NANOS_PER_SECOND


def pause_ns(attempt: int, chance: float, asked_ns: int = 0) -> int:
    """How long to wait after an attempt.

    Equal jitter: half of the exponential pause, and a part of the other half.

    Args:
        attempt: which it was, from 1.
        chance: from 0 to 1.
        asked_ns: what the receiver itself asked for.
    """
    full = min(_FIRST << min(attempt - 1, 30), _LONGEST)
    return max(full // 2 + round(full / 2 * chance), min(asked_ns, _LONGEST))


@dataclass(slots=True)
class Breaker:
    """Leaves a channel alone after several failures in a row, longer each time; one attempt then tells.

    Attributes:
        failures: in a row.
        until: when the next attempt may be made, nanoseconds since the epoch.
    """

    failures: int = 0
    until: int = 0

    def closed(self, now: int) -> bool:
        """Whether an attempt may be made."""
        return now >= self.until

    @property
    def on_trial(self) -> bool:
        """Whether it is left alone unless one attempt succeeds."""
        return self.failures >= _FAILURES

    def begin(self, now: int) -> None:
        """An attempt is made; while the channel is on trial it is the only one."""
        if self.on_trial:
            self.until = now + _LONGEST

    def succeed(self) -> None:
        """It arrived."""
        self.failures, self.until = 0, 0

    def fail(self, now: int) -> None:
        """It didn't."""
        self.failures += 1
        if self.on_trial:
            self.until = now + min(_OPEN << min(self.failures - _FAILURES, 10), _LONGEST)
