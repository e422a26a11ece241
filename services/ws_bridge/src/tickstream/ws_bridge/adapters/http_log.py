"""What aiohttp's server logs, less what anyone can make it log."""

from __future__ import annotations

import logging

from aiohttp.http import HttpProcessingError

from tickstream.ws_bridge.adapters.audit import Audit


class _NotHttp(logging.Filter):
    """Makes a line of the audit of a request that isn't HTTP, instead of a traceback for each."""

    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self._audit = audit

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        address = record.args[0] if isinstance(record.args, tuple) and record.args else None
        self._audit.refused(str(address or "unknown"), "bad_request", " ".join(error.message.split()))
        return False


def http_logger(audit: Audit) -> logging.Logger:
    """The server's logger."""
    name = "aiohttp.server"
    made = logging.Logger(name)  # noqa: LOG001 - a filter on the shared one would outlive this bridge
    made.parent = logging.getLogger(name)
    made.addFilter(_NotHttp(audit))
    return made
