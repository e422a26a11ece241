"""How every service starts, hears signals and ends.

Exit codes: 0 after a clean end, 1 when it can't go on, 2 for bad settings.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

from tickstream.core import logging
from tickstream.core.errors import SettingsError, TickstreamError
from tickstream.core.settings import ServiceSettings, load

_YOUNG_OBJECTS: Final = 100_000
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
_Settings = TypeVar("_Settings", bound=ServiceSettings)


class Stop:
    """True once the service is to end; signals set it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """End the service."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past the end; says whether the end has come."""
        return self._event.wait(seconds)

    def __bool__(self) -> bool:
        return self._event.is_set()

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT end the service."""

        def hear(_number: int, _frame: FrameType | None) -> None:
            self._event.set()

        signal.signal(signal.SIGTERM, hear)
        signal.signal(signal.SIGINT, hear)


def instance_name() -> str:
    """What tells this process from its replicas."""
    return f"{socket.gethostname()}-{os.getpid()}"


def collect_less_often() -> None:
    """Records come in thousands and are in no cycle: looking for some costs a fifth of what reading them does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


def share_heaps() -> None:
    """Let all threads allocate from two heaps.

    By default glibc gives them up to eight a core. Kafka's clients come and go with threads of their own, and what they
    leave behind in each heap is never enough to be given back: a bridge whose clients often resume grew by half.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such setting, and no such heaps
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def run_service(service: str, settings: type[_Settings], body: Callable[[_Settings, Stop], None]) -> int:
    """Load the settings, run the body, and give the exit code.

    Args:
        service: its name in environment variables, such as "PRODUCER".
        settings: the class of its settings.
        body: does everything; returns when the service has drained and committed.
    """
    try:
        loaded = load(settings, service, sys.argv[1:], os.environ)
    except SettingsError as error:
        for problem in error.problems:
            sys.stderr.write(f"{problem}\n")
        return 2
    logging.configure(loaded, service.lower())
    log = logging.logger(__name__)
    stop = Stop()
    stop.on_signals()
    collect_less_often()
    share_heaps()
    try:
        body(loaded, stop)
    except TickstreamError as error:
        log.error("can_not_go_on", reason=str(error), kind=type(error).__name__)  # noqa: TRY400 - a sentence, not a trace
        return 1
    except Exception:
        log.exception("unexpected")
        return 1
    return 0
