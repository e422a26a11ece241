"""Records in JSON as clients get them: the topic's field names, times in whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from itertools import repeat
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
_TICK_NAMES: Final = [shown for _name, shown in _FIELDS[Tick]]


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


def tick_bodies(columns: TickColumns) -> list[bytes]:
    """The JSON of each trade of a batch, the same as `body_of` gives for it."""
    rows = zip(
        columns.symbol.to_list(),
        columns.price.tolist(),
        columns.volume.tolist(),
        (columns.ts_event // NANOS_PER_MILLI).tolist(),
        (columns.ts_ingest // NANOS_PER_MILLI).tolist(),
        columns.seq.tolist(),
        columns.source.to_list(),
        columns.venue.to_list(),
        columns.trade_id if columns.trade_id is not None else repeat(None, len(columns)),
        columns.conditions.to_list(),
        columns.flags.tolist(),
        strict=True,
    )
    return [orjson.dumps(dict(zip(_TICK_NAMES, row, strict=True))) for row in rows]
