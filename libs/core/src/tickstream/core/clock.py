"""Where the shells take the time from; the domain gets it as an argument."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Protocol

NANOS_PER_SECOND: Final = 1_000_000_000
NANOS_PER_MILLI: Final = 1_000_000


class Clock(Protocol):
    """A source of the present."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


def event_time(text: str) -> int:
    """Nanoseconds of an ISO 8601 time (UTC unless it says otherwise), or of an integer of nanoseconds.

    Raises:
        ValueError: it is neither.
    """
    if text.isdigit() and len(text) >= 16:
        return int(text)
    moment = datetime.fromisoformat(text)
    whole = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * NANOS_PER_SECOND + since.microseconds * 1000
