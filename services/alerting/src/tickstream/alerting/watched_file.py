"""A file of the configuration that is read again when it has changed, or when SIGHUP asks for it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

from tickstream.alerting.figures import Figures
from tickstream.core.errors import TickstreamError
from tickstream.core.logging import logger

_LOG = logger(__name__)
T = TypeVar("T")


class Hangups:
    """How often the service was asked to read its files again."""

    def __init__(self) -> None:
        self.count = 0

    def on_signal(self) -> None:
        """Let SIGHUP ask."""

        def hear(_number: int, _frame: FrameType | None) -> None:
            self.count += 1

        signal.signal(signal.SIGHUP, hear)


class WatchedFile(Generic[T]):
    """What a file says; while what lies there now is refused, what it said before.

    Args:
        path: where it lies.
        read: raises TickstreamError with what is wrong in it.
        hangups: when it is read again though it seems to be the same.
        figures: say whether it is in force.
    """

    def __init__(self, path: Path, read: Callable[[Path], T], hangups: Hangups, figures: Figures) -> None:
        self._path = path
        self._read = read
        self._hangups = hangups
        self._in_force = figures.files_in_force.labels(str(path))
        self._seen = self._looks()
        self.content = read(path)
        self._in_force.set(1)

    def look(self) -> bool:
        """Whether it says something new, in `content` from now on."""
        looks = self._looks()
        if looks == self._seen:
            return False
        self._seen = looks
        try:
            self.content = self._read(self._path)
        except TickstreamError as error:
            self._in_force.set(0)
            _LOG.error("file_refused", path=str(self._path), reason=str(error))
            return False
        self._in_force.set(1)
        _LOG.info("file_read", path=str(self._path))
        return True

    def _looks(self) -> tuple[int, ...]:
        """What is another when the file is."""
        try:
            found = self._path.stat()
        except OSError:
            return (self._hangups.count,)
        return self._hangups.count, found.st_mtime_ns, found.st_size, found.st_ino
