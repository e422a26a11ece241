"""The records that travel on the topics, one class a topic.

Field names and meanings are those of the topics. Times are nanoseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

State = Literal["partial", "closed"]
Activity = Literal["traded", "quiet", "feed_down", "halted"]
SessionName = Literal["pre", "regular", "post", "closed", "continuous"]
AlertState = Literal["pending", "firing", "resolved", "unknown"]
Severity = Literal["info", "warning", "critical"]

FLAG_SUSPICIOUS: Final = 1
"""Bit 0 of `Tick.flags`: a print that bars leave out unless told otherwise."""

_NO_TEXT: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tick:
    """A trade print; `(source, symbol, seq)` is its identity."""

    symbol: str
    price: float
    volume: float
    ts_event: int
    ts_ingest: int
    seq: int
    source: str
    venue: str | None = None
    trade_id: str | None = None
    conditions: str | None = None
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices and volume of one symbol over [start, end)."""

    symbol: str
    interval: str
    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    trades: int
    state: State
    revision: int
    activity: Activity
    session: SessionName


@dataclass(frozen=True, slots=True)
class IndicatorSet:
    """The indicators of one bar; a name in `warming` has no value yet."""

    symbol: str
    interval: str
    start: int
    end: int
    state: State
    revision: int
    values: Mapping[str, float]
    warming: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnalyticsFigure:
    """Figures of a symbol, or of the whole market when `scope` is "market"."""

    scope: str
    name: str
    ts_event: int
    window: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """A change in the life of one alert."""

    alert_id: str
    rule_id: str
    symbol: str
    state: AlertState
    severity: Severity
    ts_event: int
    value: float
    threshold: float
    summary: str
    revision: int = 0
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_TEXT)


@dataclass(frozen=True, slots=True)
class MarketEvent:
    """Something that happened to a session, a feed or a symbol's trading."""

    type: str
    ts_event: int
    symbol: str | None = None
    source: str | None = None
    detail: Mapping[str, str] = field(default_factory=lambda: _NO_TEXT)


@dataclass(frozen=True, slots=True)
class SystemMetrics:
    """A service's own figures at one moment."""

    service: str
    instance: str
    ts_event: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source has come in one partition of stock_ticks.

    Every trade of `source` with an event time before `ts_event` that belongs in this partition
    lies below `offset`. After a `final` one the source publishes nothing more in this run.
    """

    source: str
    ts_event: int
    offset: int
    final: bool = False


Record = Tick | Bar | IndicatorSet | AnalyticsFigure | AlertEvent | MarketEvent | SystemMetrics | Progress
