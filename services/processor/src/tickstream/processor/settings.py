"""What the processor can be told."""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.intervals import Interval
from tickstream.core.sessions import Sessions
from tickstream.core.settings import Names
from tickstream.core.topics import INTERVALS
from tickstream.processor.adapters import plugins
from tickstream.processor.backfill.settings import BackfillSettings
from tickstream.processor.domain.catalogue import ENTRIES, Catalogue, name_of
from tickstream.processor.domain.rules import Rules
from tickstream.processor.roles import RoleSettings

_DAY: Final = 86_400 * NANOS_PER_SECOND


class ProcessorSettings(BackfillSettings, RoleSettings):
    """Turns trades into bars and indicators, exactly once, and stores them."""

    intervals: Names = Field(
        tuple(INTERVALS),
        description="the bars' intervals: time (30s, 1m, 4h, 1d), trades (100t), volume (10000v), value (1000000d)",
    )
    indicator_intervals: Names = Field(("1m", "5m", "15m", "1h", "1d"), description="those that get indicators")
    indicators: Names = Field(
        ENTRIES, description="NAME[:PARAMETER...][@INTERVAL...], of TA-Lib or a package of yours; see indicators.md"
    )
    forming_intervals: Names = Field(("1m", "5m", "15m", "1h", "1d"), description="those whose forming bars are shown")
    forming_seconds: float = Field(1.0, gt=0, le=60, description="between two looks at a forming bar, at least")
    include_suspicious: bool = Field(default=False, description="let suspicious prints into bars")
    grace: float = Field(0.0, ge=0, le=86_400, description="seconds of event time that a window waits after its end")
    patience: float = Field(
        60.0, gt=0, le=604_800, description="seconds of event time that a symbol's slowest source is waited for"
    )
    quiet_days: int = Field(7, ge=0, le=3660, description="days after its last trade that a symbol gets quiet bars")
    retention: float = Field(
        3600.0, ge=0, le=604_800, description="seconds of event time by which a trade may be late and still count"
    )
    ahead: float = Field(
        30 * 86_400.0, ge=0, description="seconds by which a trade's event time may lie ahead of its publishing"
    )
    calendar: str = Field("XNYS", description="24/7 or an exchange's calendar, for all symbols but those of CALENDARS")
    calendars: Names = Field((), description="PATTERN=CALENDAR for some symbols, such as BTC*=24/7")
    max_batch: int = Field(50_000, ge=1, le=500_000, description="trades in a batch, at most")

    @field_validator("intervals", "indicator_intervals", "forming_intervals")
    @classmethod
    def _are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        intervals = sorted({Interval.named(name) for name in names}, key=lambda interval: interval.rank)
        return tuple(interval.name for interval in intervals)

    @field_validator("intervals")
    @classmethod
    def _are_some(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("must name at least one interval")
        return names

    @field_validator("indicators")
    @classmethod
    def _are_indicators(cls, entries: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        _catalogue(entries, info.data.get("intervals"), info.data.get("indicator_intervals"))
        return entries

    @field_validator("calendar")
    @classmethod
    def _is_a_calendar(cls, name: str) -> str:
        Sessions.of(name)
        return name

    @model_validator(mode="after")
    def _calendars_exist(self) -> Self:
        for pattern, calendar in self.calendar_patterns:
            if not pattern or not calendar:
                given = ",".join(self.calendars)
                raise ValueError(f"PROCESSOR_CALENDARS must be a list of PATTERN=CALENDAR, was {given}")
            Sessions.of(calendar)
        return self

    @property
    def calendar_patterns(self) -> list[tuple[str, str]]:
        """(pattern, calendar) of the symbols with a calendar of their own."""
        parts = [entry.partition("=") for entry in self.calendars]
        return [(pattern, calendar) for pattern, _, calendar in parts]

    @property
    def rules(self) -> Rules:
        """What the engine goes by."""
        catalogue = _catalogue(self.indicators, self.intervals, self.indicator_intervals)
        return Rules(
            intervals=tuple(Interval.named(name) for name in self.intervals),
            indicated=self._places(tuple(filter(catalogue.is_on, self.intervals))),
            shown=self._places(self.forming_intervals),
            grace=int(self.grace * NANOS_PER_SECOND),
            patience=int(self.patience * NANOS_PER_SECOND),
            quiet_limit=self.quiet_days * _DAY,
            retention=int(self.retention * NANOS_PER_SECOND),
            include_suspicious=self.include_suspicious,
            catalogue=catalogue,
        )

    def _places(self, names: tuple[str, ...]) -> frozenset[int]:
        return frozenset(place for place, name in enumerate(self.intervals) if name in names)


def _catalogue(entries: tuple[str, ...], intervals: tuple[str, ...] | None, usual: tuple[str, ...] | None) -> Catalogue:
    return Catalogue.of(entries, plugins.factories(set(map(name_of, entries))), intervals, usual)
