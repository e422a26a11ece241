"""When a trade's time has come."""

from __future__ import annotations

import math
from typing import Final

from tickstream.core.clock import NANOS_PER_SECOND

_FOREVER: Final = (1 << 63) - 1


class Pacer:
    """Lets event time run against a clock, by an absolute schedule: delays don't add up.

    Args:
        speed: seconds of event time a second; infinite for no waiting at all.
        event: the event time, in nanoseconds, that is due at the start.
        now: the start by a monotonic clock, in seconds.
    """

    def __init__(self, speed: float, event: int, now: float) -> None:
        self._speed = speed
        self._event = event
        self._start = now

    @property
    def speed(self) -> float:
        return self._speed

    def due(self, now: float) -> int:
        """The event time that has been reached."""
        if math.isinf(self._speed):
            return _FOREVER
        return self._event + int((now - self._start) * self._speed * NANOS_PER_SECOND)

    def wait(self, event: int, now: float) -> float:
        """Seconds until an event time is due; negative when it is overdue."""
        if math.isinf(self._speed):
            return 0.0
        return (event - self._event) / NANOS_PER_SECOND / self._speed - (now - self._start)

    def rebase(self, speed: float, event: int, now: float) -> None:
        """Go on from `event` at another speed."""
        self._speed, self._event, self._start = speed, event, now
