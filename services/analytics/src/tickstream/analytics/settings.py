"""What the analytics service takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from tickstream.analytics.adapters.groups import read_groups
from tickstream.analytics.domain.correlation.comoments import ENOUGH
from tickstream.analytics.domain.studies import Choices
from tickstream.core.sessions import Sessions
from tickstream.core.settings import LISTED, ServiceSettings


def _readable(path: Path) -> Path:
    read_groups(path)
    return path


def _calendar(name: str) -> str:
    try:
        Sessions.of(name)
    except ValueError as error:
        raise ValueError(str(error)) from None
    return name


def _enough(windows: tuple[int, ...]) -> tuple[int, ...]:
    if min(windows) < ENOUGH:
        raise ValueError(f"{min(windows)} minutes are less than the {ENOUGH} returns that a correlation needs")
    return windows


Minutes = Annotated[tuple[Annotated[int, Field(ge=5, le=390)], ...], LISTED, Field(min_length=1)]


class AnalyticsSettings(ServiceSettings):
    """Figures of symbols, of groups of them and of the market; and the newest prices in Redis."""

    shared_names: ClassVar[frozenset[str]] = frozenset({"redis_url"})

    redis_url: SecretStr | None = Field(None, description="Redis, as a URL; without one nothing is cached")
    calendar: Annotated[str, AfterValidator(_calendar)] = Field(
        "XNYS", description="exchange calendar of the trading days of all symbols; 24/7 for UTC days"
    )
    windows: Minutes = Field((30,), description="lengths in minutes of the windows that figures look at, 5 to 390 each")
    history_days: int = Field(
        5, ge=1, le=60, description="trading days before its own that a figure may look at; they are held in memory"
    )
    ewma_lambda: float = Field(
        0.94,
        gt=0,
        lt=1,
        description="of the EWMA volatility: what the variance known so far weighs beside a new return",
    )
    groups_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="YAML file of groups of symbols that have figures like the market's: a name, its symbols"
    )
    correlation_windows: Annotated[Minutes, AfterValidator(_enough)] = Field(
        (30, 60), description="lengths in minutes of the windows of correlations and betas, 20 to 390 each"
    )
    correlation_symbols: int = Field(
        200, ge=2, le=500, description="symbols whose returns are compared with each other's, the most active ones"
    )
    benchmark: str = Field("SPY", description="symbol that betas are given against, beside the market")
    until_caught_up: bool = Field(default=False, description="end at the log ends as they were at the start")

    @property
    def chosen(self) -> Choices:
        """What is chosen about the figures."""
        groups = read_groups(self.groups_file) if self.groups_file is not None else {}
        return Choices(
            windows=tuple(dict.fromkeys(self.windows)),
            history=self.history_days,
            decay=self.ewma_lambda,
            groups=groups,
            correlated=tuple(dict.fromkeys(self.correlation_windows)),
            compared=self.correlation_symbols,
            benchmark=self.benchmark,
        )
