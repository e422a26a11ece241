"""How large the frames of a client may be."""

from __future__ import annotations

from typing import Final

_FIRST: Final = 1 / 16
_LEAST: Final = 1 / 512
_ENOUGH_SECONDS: Final = 0.25


class Portion:
    """What part of the largest frame a client gets: about what it takes within a quarter of a second.

    What is larger keeps everything behind it waiting: newer records, what the client is told of its rate, the end of
    its connection. A frame that took longer makes the next ones smaller by as much; a full one that didn't, twice as
    large.

    Attributes:
        share: of the largest frame, in records and in bytes.
    """

    __slots__ = ("_full", "_late", "_went", "share")

    def __init__(self) -> None:
        self.share = _FIRST
        self._went: float | None = None
        self._full = False
        self._late = 0.0

    def went(self, now: float, *, full: bool) -> None:
        """A frame went now.

        Args:
            now: seconds, on a clock that never goes back.
            full: whether it left something waiting.
        """
        self._went, self._full, self._late = now, full, 0.0

    def looked(self, now: float, *, taken: bool) -> None:
        """See whether the client has taken the last frame; looks may stop while nothing waits."""
        if self._went is None:
            return
        if not taken:
            self._late = now - self._went
            return
        if self._late > _ENOUGH_SECONDS:
            self.share = max(_LEAST, self.share * _ENOUGH_SECONDS / self._late)
        elif self._full:
            self.share = min(1.0, 2 * self.share)
        self._went = None
