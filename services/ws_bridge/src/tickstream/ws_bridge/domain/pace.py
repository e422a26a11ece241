"""How often: commands of a client, frames of a subscription, flushes."""

from __future__ import annotations

from typing import Final

_BUSY_SHARE: Final = 0.6
_GATHERINGS: Final = 6
_CALM_SECONDS: Final = 0.05
_MANY: Final = 1_000
"""So many records a second are sent as calmly as any number."""
_CROWD: Final = 100
"""Frames of a flush: to send so many, however often, is work."""
_FEW: Final = 4
"""Records of a frame: from so many on it pays to take them in together."""


class CommandBudget:
    """Allows `rate` commands a second, and twice as many at once.

    Args:
        rate: commands per second.
        now: seconds, on a clock that never goes back; as everywhere here.
    """

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._left = 2 * rate
        self._at = now

    def spend(self, now: float) -> bool:
        """Whether one more command is allowed now."""
        self._left = min(2 * self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Pace:
    """Keeps a subscription at or below its `maxHz`, on average, whatever the grid of the flushes.

    Args:
        max_hz: frames per second; None: one at each flush.
        tolerance: half the flush interval: a flush that comes this much too early counts as due.
    """

    __slots__ = ("_next", "_period", "_tolerance")

    def __init__(self, max_hz: float | None, tolerance: float) -> None:
        self._period = 1 / max_hz if max_hz else 0.0
        self._tolerance = tolerance
        self._next = 0.0

    def due(self, now: float) -> bool:
        """Whether a frame may go now."""
        return now + self._tolerance >= self._next

    def went(self, now: float) -> None:
        """A frame went now."""
        on_grid = now - self._next < self._period
        self._next = (self._next if on_grid else now) + self._period


class Tempo:
    """How often flushes come: the more there is to do, the fewer and larger frames are.

    Flushes leave the loop two fifths of its time. A frame costs about as much as some tens of records, so where many
    clients get hundreds of records a second each, they get them in some twenty frames, which is as smooth to look at
    as a hundred. A few clients get them as soon as can be: their frames cost little.

    Args:
        least: seconds from one flush to the next while there is little to do.
        most: the same while there is much.

    Attributes:
        interval: seconds from one flush to the next, now.
        gathers: whether what comes during a flush waits for the next one, to go through the hub in larger lots: its
            clients get many records a frame. Else it goes with those frames that are still to be sent.
    """

    __slots__ = ("_least", "_most", "gathers", "interval")

    def __init__(self, least: float, most: float) -> None:
        self._least = least
        self._most = most
        self.interval = least
        self.gathers = False

    @property
    def gathering(self) -> float:
        """Seconds that what has come may wait for more of it: little beside what it waits for a flush."""
        return self.interval / _GATHERINGS

    def flushed(self, busy: float, rate: float, frames: int) -> None:
        """A flush is done.

        Args:
            busy: CPU seconds of the loop since the last one; to wait for a processor isn't work of its own.
            rate: records a second that the clients that got some get, on average.
            frames: that were sent.
        """
        calm = min(rate / _MANY, 1.0) * min(frames / _CROWD, 1.0) * _CALM_SECONDS
        self.interval = max(self._least, min(max(busy / _BUSY_SHARE, calm), self._most))
        self.gathers = rate * self.interval >= _FEW
