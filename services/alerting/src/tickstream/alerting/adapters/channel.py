"""What every way of telling someone has in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tickstream.core.errors import TickstreamError

TIMEOUT: Final = 10.0
"""Seconds that a receiver has for an answer."""


class RefusedError(TickstreamError):
    """The receiver won't take this notification, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notification on its way.

    Attributes:
        id: the same at each attempt.
        stream: notifications about the same group have it in common.
        body: as it was written down.
    """

    id: str
    stream: str
    title: str
    text: str
    body: Mapping[str, Any]


class Channel(Protocol):
    """A way to one receiver."""

    def send(self, message: Message, now: int) -> None:
        """Hand a message over; returns when the other side has taken it.

        Args:
            message: what to send.
            now: nanoseconds since the epoch.

        Raises:
            RetryableError: it may work later.
            RefusedError: it won't.
        """
        ...
