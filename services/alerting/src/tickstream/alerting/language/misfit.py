"""A part that doesn't fit where it stands."""

from __future__ import annotations

from tickstream.alerting.language.errors import At


class Misfit(Exception):  # noqa: N818 - it becomes an ExpressionError as soon as the whole text is at hand
    """What doesn't fit, and why."""

    def __init__(self, at: At, reason: str) -> None:
        self.at = at
        self.reason = reason
        super().__init__(reason)
