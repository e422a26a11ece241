"""Log lines on stderr: JSON for programs, pretty on a terminal."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from tickstream.core.settings import ServiceSettings

_HIDDEN = ("password", "token", "secret", "api_key", "apikey", "authorization")


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose name says that it is a secret."""
    for name in event:
        if any(word in name.lower() for word in _HIDDEN):
            event[name] = "(hidden)"
    return event


def configure(settings: ServiceSettings, service: str) -> None:
    """Set the process's logging up, once, in the composition root."""
    pretty = settings.log_format == "pretty" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if pretty
        else [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return log
