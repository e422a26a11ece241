"""What the analytics service takes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from tickstream.core.sessions import Sessions
from tickstream.core.settings import ServiceSettings


def _calendar(name: str) -> str:
    try:
        Sessions.of(name)
    except ValueError as error:
        raise ValueError(str(error)) from None
    return name


class AnalyticsSettings(ServiceSettings):
    """Figures across symbols: movers, breadth, volatility; and the newest prices in Redis."""

    shared_names: ClassVar[frozenset[str]] = frozenset({"redis_url"})

    redis_url: SecretStr | None = Field(None, description="Redis, as a URL; without one nothing is cached")
    calendar: Annotated[str, AfterValidator(_calendar)] = Field(
        "XNYS", description="exchange calendar of the trading days of symbols that don't trade round the clock"
    )
    until_caught_up: bool = Field(default=False, description="end at the log ends as they were at the start")
