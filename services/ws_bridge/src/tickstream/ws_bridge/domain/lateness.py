"""How late records leave this node, and when that is worth telling: it can't keep up, and what clients have is old."""

from __future__ import annotations

from typing import Final, Literal

Announcement = Literal["lagging", "caught_up"]

_PERIOD_SECONDS: Final = 1.0
_PERIODS: Final = 2
"""In a row, until something is believed."""
_NANOS: Final = 1_000_000_000
_NONE: Final = 1 << 63
"""Later than every record."""


class Lateness:
    """Follows the oldest record on its way to the clients, and judges once a second.

    A record is due when the node could have had it. It is late by what has passed until the end of the flush that it
    goes with. The worst of a second counts; the node lags once that has been beyond the limit in two seconds on end,
    until it has been below half of it in two. So neither a hiccup nor a good moment is told.

    Args:
        limit: seconds.

    Attributes:
        lag: seconds that records were late by in the last second, at the worst.
        lagging: whether clients have been told so.
    """

    def __init__(self, limit: float) -> None:
        self.lag = 0.0
        self.lagging = False
        self._limit = limit
        self._waiting = self._boarded = _NONE
        self._worst = 0.0
        self._began = 0.0
        self._contrary = 0
        self._told = 0.0

    def taken(self, due_ns: int) -> None:
        """Records go with the next flush; the oldest was due at `due_ns`."""
        self._waiting = min(self._waiting, due_ns)

    def flush_began(self) -> None:
        """What was taken until now goes with this flush."""
        self._boarded, self._waiting = self._waiting, _NONE

    def flush_ended(self, now_ns: int) -> None:
        """What went with the flush has left."""
        self._note(self._boarded, now_ns)
        self._boarded = _NONE

    def forget(self) -> None:
        """What came until now has another excuse."""
        self._waiting = self._boarded = _NONE
        self._worst = 0.0
        self._contrary = 0

    def judge(self, now: float, now_ns: int, at_least: float = 0.0) -> Announcement | None:
        """What the clients should be told now.

        Args:
            now: seconds, on a clock that never goes back.
            now_ns: the same as a time of the day, as that of records.
            at_least: seconds that something is late by for sure.
        """
        self._note(min(self._waiting, self._boarded), now_ns)
        self._worst = max(self._worst, at_least)
        if now - self._began < _PERIOD_SECONDS:
            return None
        self._began = now
        self.lag, self._worst = self._worst, 0.0
        contrary = self.lag < self._limit / 2 if self.lagging else self.lag > self._limit
        self._contrary = self._contrary + 1 if contrary else 0
        if self._contrary == _PERIODS:
            self._contrary = 0
            self.lagging = not self.lagging
        elif contrary or not self.lagging or self._told / 2 < self.lag < 2 * self._told:
            return None
        self._told = self.lag
        return "lagging" if self.lagging else "caught_up"

    def _note(self, due_ns: int, now_ns: int) -> None:
        self._worst = max(self._worst, (now_ns - due_ns) / _NANOS)
