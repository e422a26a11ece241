"""What reaches into a running feed: signals, a changed settings file, and the turn of the clock."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.core.service import Stop, instance_name
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import Account
from tickstream.producer.config_file import Changeable, ConfigFile
from tickstream.producer.figures import Figures

_LOG = logger(__name__)
_LOOK_EVERY: Final = 1.0
_SAY_EVERY: Final = 5.0


class Outside:
    """Answers a feed's questions, and keeps the figures while it asks.

    Args:
        stop: ends everything.
        own: what is set by settings.
        file: read at the start and on SIGHUP; what it sets wins.
        account: what became of the trades.
        announcer: publishes the figures.
        figures: kept up to date.
        clock: tells when it is time for that.

    Attributes:
        now: what holds now.
        changed: told of it when it changes.
        may_publish: asked often; false ends the run.
    """

    def __init__(
        self,
        stop: Stop,
        own: Changeable,
        file: Path | None,
        account: Account,
        announcer: Announcer,
        figures: Figures,
        clock: Clock,
    ) -> None:
        self._stop = stop
        self._own = own
        self._file = file
        self._account = account
        self._announcer = announcer
        self._figures = figures
        self._clock = clock
        self._instance = instance_name()
        self._looked = self._said = clock.monotonic()
        self._reload = False
        self.now = own if file is None else own.over(ConfigFile.read(file))
        self.changed: Callable[[Changeable], None] = lambda _changeable: None
        self.may_publish: Callable[[], bool] = lambda: True

    @property
    def speed(self) -> float:
        """The speed that is wanted now."""
        return self.now.speed

    def ending(self) -> bool:
        """Whether the run is to end."""
        return bool(self._stop) or not self.may_publish()

    def on_hangup(self) -> None:
        """Let SIGHUP read the file again."""

        def hear(_number: int, _frame: FrameType | None) -> None:
            self._reload = True

        signal.signal(signal.SIGHUP, hear)

    def turn(self, behind: float, now: float) -> None:
        """Keep the figures, and take a changed file over.

        Args:
            behind: seconds behind the schedule.
            now: the clock's monotonic time, in seconds.
        """
        if self._reload:
            self._reload = False
            self._read_again()
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        self._figures.update(self._account, behind, now)
        if now - self._said >= _SAY_EVERY:
            self._said = now
            self._announcer.figures(self._figures.registry, self._instance, self._clock)

    def _read_again(self) -> None:
        if self._file is None:
            _LOG.warning("nothing_to_reload", reason="PRODUCER_CONFIG_FILE is not set")
            return
        try:
            self.now = self._own.over(ConfigFile.read(self._file))
        except ValueError as error:
            _LOG.error("not_reloaded", file=str(self._file), reason=str(error))
            return
        _LOG.info("reloaded", file=str(self._file), speed=self.now.speed, symbols=self.now.symbols, rate=self.now.rate)
        self.changed(self.now)
