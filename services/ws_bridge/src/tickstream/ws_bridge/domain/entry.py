"""One record on its way to the clients, encoded once and shared by all of them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from tickstream.core.access import CHANNELS as CHANNELS  # noqa: PLC0414 - what the bridge calls channels is here
from tickstream.core.access import Channel as Channel  # noqa: PLC0414 - as above
from tickstream.core.model import AlertEvent, AnalyticsFigure, Bar, IndicatorSet, MarketEvent, Record, Tick

WITH_INTERVAL: Final = frozenset({"bars", "indicators"})
"""The channels whose subscriptions name an interval."""

NO_SYMBOL: Final = ""
"""Stands for the symbol of a market event that concerns all of them."""

Route = tuple[str, str, str]
"""Channel, interval ("" where there is none), symbol: what decides who gets a record."""


@dataclass(slots=True, eq=False)
class Entry:
    """A record as the clients get it.

    Attributes:
        route: what decides who gets it.
        key: under conflation a later entry of the same key replaces this one; None: never replaced.
        body: the record in JSON.
        partition: of its topic.
        offset: in that partition.
        ts_ingest: when Tickstream first had it, in nanoseconds; 0 when the record doesn't say.
        packed: the record in MessagePack, once someone reads it so.
    """

    route: Route
    key: Hashable | None
    body: bytes
    partition: int = 0
    offset: int = 0
    ts_ingest: int = 0
    packed: bytes | None = None


def entry_of(record: Record, body: bytes, partition: int, offset: int) -> Entry:
    """The entry of a record whose JSON is `body`.

    Raises:
        ValueError: no channel carries such records.
    """
    match record:
        case Tick(symbol=symbol):
            route = ("ticks", "", symbol)
            return Entry(route, route, body, partition, offset, record.ts_ingest)
        case Bar(symbol=symbol, interval=interval):
            route = ("bars", interval, symbol)
            return Entry(route, route if record.state == "partial" else None, body, partition, offset)
        case IndicatorSet(symbol=symbol, interval=interval):
            route = ("indicators", interval, symbol)
            return Entry(route, route if record.state == "partial" else None, body, partition, offset)
        case AnalyticsFigure(scope=scope):
            return Entry(("analytics", "", scope), (scope, record.name, record.window), body, partition, offset)
        case AlertEvent(symbol=symbol):
            return Entry(("alerts", "", symbol), None, body, partition, offset)
        case MarketEvent(symbol=symbol_or_none):
            return Entry(("market_events", "", symbol_or_none or NO_SYMBOL), None, body, partition, offset)
        case _:
            raise ValueError(f"no channel carries {type(record).__name__}")
