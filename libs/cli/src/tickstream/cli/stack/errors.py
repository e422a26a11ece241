"""What can go wrong with the native servers."""

from __future__ import annotations

from tickstream.core.errors import TickstreamError


class StackError(TickstreamError):
    """A native server can't be had, started or stopped."""


class MissingToolError(StackError):
    """A program that a server is built or run with isn't on this machine."""


class ChecksumError(StackError):
    """What was fetched is not what the lock file names."""


class NotReadyError(StackError):
    """A server doesn't answer yet, or doesn't answer as it should."""
