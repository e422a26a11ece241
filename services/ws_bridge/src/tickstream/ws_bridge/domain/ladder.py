"""How a client that doesn't keep up is slowed down step by step, and let up again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tickstream.ws_bridge.domain.pace import Pace

RATES_HZ: Final = (None, 10, 1)
"""Frames a second on each rung; on the first, one at each flush."""

_GRACE_SECONDS: Final = 1.0
"""A frame may be on its way so long: over polling the client has to come for the next one first."""
_UNSEEN_SECONDS: Final = 3.0
_MOST_PATIENT: Final = 16


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may be behind, and has to keep up.

    Attributes:
        step: seconds behind until it is slowed down.
        limit: seconds behind on the last rung until it is given up.
        recover: seconds of keeping up until it is let up a rung.
    """

    step: float
    limit: float
    recover: float


class Step(Enum):
    """What changes for a client."""

    DOWN = "down"
    UP = "up"
    OFF = "off"


class Ladder:
    """One client's rung.

    A client is behind while it hasn't taken the last frame and the next is due, or gets more than the node can do, for
    more than a second on end; at full rate also while its room overflows. On a lower rung that may be the rung's fault.
    Time behind adds up, time of
    keeping up takes it away: a client that is behind more often than not goes down. A rung up that didn't last makes
    the next one take twice as long, up to 16 times, until the client has kept up at full rate for that long.

    Args:
        patience: when to act.
        tolerance: half the flush interval, as for `Pace`.
    """

    __slots__ = (
        "_behind",
        "_counted",
        "_fine_since",
        "_grace",
        "_late_since",
        "_looked",
        "_overflowed",
        "_pace",
        "_patience",
        "_recover",
        "_rose",
        "_tolerance",
        "rung",
    )

    def __init__(self, patience: Patience, tolerance: float) -> None:
        self.rung = 0
        self._patience = patience
        self._tolerance = tolerance
        self._pace = Pace(None, tolerance)
        self._grace = min(_GRACE_SECONDS, patience.step)
        self._recover = patience.recover
        self._rose = False
        self._looked = 0.0
        self._overflowed: float | None = None
        self._late_since: float | None = None
        self._counted = 0.0
        self._behind = 0.0
        self._fine_since: float | None = None

    @property
    def rate_hz(self) -> int | None:
        """Frames a second at most; None: as many as there are flushes."""
        return RATES_HZ[self.rung]

    def due(self, now: float) -> bool:
        """Whether the rung allows a frame now."""
        return not self.rung or self._pace.due(now)

    def went(self, now: float) -> None:
        """A frame went now."""
        if self.rung:
            self._pace.went(now)

    def overflowed(self, now: float) -> None:
        """There wasn't room for all that waited for the client."""
        self._overflowed = now

    def judge(self, now: float, *, taken: bool, too_much: bool = False) -> Step | None:
        """Take one more look into account, made when something waited and a frame was due.

        Args:
            now: seconds, on a clock that never goes back.
            taken: whether the client has taken everything that was sent.
            too_much: whether the node can't keep up with what such clients want.
        """
        elapsed = now - self._looked
        self._looked = now
        if elapsed > _UNSEEN_SECONDS:
            self._late_since = None  # nothing waited in between
        if taken and not too_much and not self._overflows(now):
            self._late_since = None
            self._behind = max(0.0, self._behind - elapsed)
            return self._fine(now)
        if self._late_since is None:
            self._late_since = self._counted = now
        if now - self._late_since < self._grace:
            return None
        self._behind += now - self._counted
        self._counted = now
        self._fine_since = None
        return self._late()

    def _overflows(self, now: float) -> bool:
        return self.rung == 0 and self._overflowed is not None and now - self._overflowed < self._grace

    def _fine(self, now: float) -> Step | None:
        if self._fine_since is None:
            self._fine_since = now
        if now - self._fine_since < self._recover:
            return None
        if self.rung == 0:
            self._recover = self._patience.recover
            self._rose = False
            return None
        self._rose = True
        self._move(self.rung - 1)
        self._fine_since = now
        return Step.UP

    def _late(self) -> Step | None:
        last = self.rung == len(RATES_HZ) - 1
        if self._behind < (self._patience.limit if last else self._patience.step):
            return None
        if last:
            return Step.OFF
        if self._rose:
            self._recover = min(2 * self._recover, _MOST_PATIENT * self._patience.recover)
            self._rose = False
        self._move(self.rung + 1)
        return Step.DOWN

    def _move(self, rung: int) -> None:
        self.rung = rung
        self._pace = Pace(self.rate_hz, self._tolerance)
        self._behind = 0.0
