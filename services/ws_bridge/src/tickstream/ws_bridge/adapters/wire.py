"""Records in JSON as clients get them: the topic's field names, times in whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

import orjson

from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.columns import TickColumns
from tickstream.core.model import AlertEvent, AnalyticsFigure, Bar, IndicatorSet, MarketEvent, Record, Tick

_TIMES: Final = frozenset({"ts_event", "ts_ingest", "start", "end"})
_FIELDS: Final[dict[type, list[tuple[str, str]]]] = {
    kind: [(field.name, field.name + "_ms" if field.name in _TIMES else field.name) for field in fields(kind)]
    for kind in (Tick, Bar, IndicatorSet, AnalyticsFigure, AlertEvent, MarketEvent)
}


def body_of(record: Record) -> bytes:
    """The JSON of a record; times are rounded down to the millisecond, a value that isn't finite is null."""
    values: dict[str, object] = {}
    for name, shown in _FIELDS[type(record)]:
        value = getattr(record, name)
        if name in _TIMES:
            value //= NANOS_PER_MILLI
        elif isinstance(value, Mapping):
            value = dict(value)
        values[shown] = value
    return orjson.dumps(values)


def tick_body(columns: TickColumns, row: int) -> bytes:
    """The JSON of one trade of a batch, the same as `body_of` gives for it."""
    ids = columns.trade_id
    return orjson.dumps(
        {
            "symbol": columns.symbol[row],
            "price": float(columns.price[row]),
            "volume": float(columns.volume[row]),
            "ts_event_ms": int(columns.ts_event[row]) // NANOS_PER_MILLI,
            "ts_ingest_ms": int(columns.ts_ingest[row]) // NANOS_PER_MILLI,
            "seq": int(columns.seq[row]),
            "source": columns.source[row],
            "venue": columns.venue[row],
            "trade_id": None if ids is None else ids[row],
            "conditions": columns.conditions[row],
            "flags": int(columns.flags[row]),
        }
    )
