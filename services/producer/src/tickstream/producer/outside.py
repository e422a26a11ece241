"""What reaches into a running feed: signals, a changed settings file, and the turn of the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.service import instance_name
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import Account
from tickstream.producer.figures import Figures

_LOOK_EVERY: Final = 1.0
_SAY_EVERY: Final = 5.0


class Surroundings:
    """Answers a feed's questions, and keeps the figures while it asks.

    Args:
        ending: whether the feed is to end.
        account: what became of the trades.
        announcer: publishes the figures.
        figures: kept up to date.
        clock: tells when it is time for that.

    Attributes:
        speed: the wanted one.
    """

    def __init__(
        self,
        speed: float,
        ending: Callable[[], bool],
        account: Account,
        announcer: Announcer,
        figures: Figures,
        clock: Clock,
    ) -> None:
        self.speed = speed
        self.ending = ending
        self._account = account
        self._announcer = announcer
        self._figures = figures
        self._clock = clock
        self._instance = instance_name()
        self._looked = self._said = clock.monotonic()

    def turn(self, behind: float, now: float) -> None:
        """Keep the figures.

        Args:
            behind: seconds behind the schedule.
            now: by the clock's monotonic time, in seconds.
        """
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        self._figures.update(self._account, behind, now)
        if now - self._said >= _SAY_EVERY:
            self._said = now
            self._announcer.figures(self._figures.registry, self._instance, self._clock)
