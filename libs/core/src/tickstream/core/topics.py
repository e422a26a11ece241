"""The topics, declared once: names, keys, partitions, retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.model import (
    AlertEvent,
    AnalyticsFigure,
    Bar,
    IndicatorSet,
    MarketEvent,
    Progress,
    Record,
    SystemMetrics,
    Tick,
)

_DAY_MS: Final = 86_400_000
LARGEST_RECORD: Final = 8 * 2**20
"""Bytes; a record that is too large for any use still fits, so that it can go to the DLQ and be looked at."""
_HEADERS: Final = 64 * 2**10

DLQ_SUFFIX: Final = ".dlq"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is to be: `retention_ms` of -1 keeps everything, `compact` keeps each key's last."""

    name: str
    record: type[Record] | None
    partitions: int | None
    retention_ms: int
    compact: bool = False

    def config(self) -> dict[str, str]:
        """The topic's settings by Kafka's names."""
        return {
            "cleanup.policy": "compact" if self.compact else "delete",
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "CreateTime",
            "max.message.bytes": str(LARGEST_RECORD + (_HEADERS if self.name.endswith(DLQ_SUFFIX) else 0)),
        }


STOCK_TICKS: Final = Topic("stock_ticks", Tick, None, 7 * _DAY_MS)
BARS: Final = Topic("bars", Bar, None, 30 * _DAY_MS)
INDICATORS: Final = Topic("indicators", IndicatorSet, None, 30 * _DAY_MS)
ANALYTICS: Final = Topic("analytics", AnalyticsFigure, None, 7 * _DAY_MS)
ALERTS: Final = Topic("alerts", AlertEvent, None, 30 * _DAY_MS)
MARKET_EVENTS: Final = Topic("market_events", MarketEvent, None, 30 * _DAY_MS)
SYSTEM_METRICS: Final = Topic("system_metrics", SystemMetrics, 1, _DAY_MS)
PROGRESS: Final = Topic("progress", Progress, None, 7 * _DAY_MS)
"""Marks of the sources' progress; partition p speaks of stock_ticks' partition p."""
PROCESSOR_STATE: Final = Topic("processor_state", None, None, -1, compact=True)

_STREAMS: Final = (STOCK_TICKS, BARS, INDICATORS, ANALYTICS, ALERTS, MARKET_EVENTS, SYSTEM_METRICS)
_DLQS: Final = tuple(Topic(topic.name + DLQ_SUFFIX, None, 1, 30 * _DAY_MS) for topic in (*_STREAMS, PROGRESS))

TOPICS: Final = {topic.name: topic for topic in (*_STREAMS, PROGRESS, PROCESSOR_STATE, *_DLQS)}
"""Every topic by its name; a partition count of None is the cluster's setting, the same for all of them."""

INTERVALS: Final = {
    "1s": NANOS_PER_SECOND,
    "1m": 60 * NANOS_PER_SECOND,
    "5m": 300 * NANOS_PER_SECOND,
    "15m": 900 * NANOS_PER_SECOND,
    "1h": 3600 * NANOS_PER_SECOND,
    "1d": 86_400 * NANOS_PER_SECOND,
}
"""The time intervals of bars, in nanoseconds; a "1d" bar runs from midnight to midnight where the exchange is."""


def dlq_of(topic: str) -> str:
    """The name of the topic that takes what `topic` holds and nobody can read."""
    return topic + DLQ_SUFFIX
