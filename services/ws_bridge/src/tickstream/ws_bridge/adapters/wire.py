"""Records in JSON as clients get them: the topic's field names, times in whole milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from itertools import repeat
from typing import Final

import numpy as np
import orjson
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.columns import NULL_CODE, Strings, TickColumns
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
    # What orjson gives holds on to the whole of its buffer, thousands of bytes; bodies are kept.
    return bytes(memoryview(orjson.dumps(values)))


def tick_bodies(columns: TickColumns) -> list[bytes]:
    """The JSON of each trade of a batch, the same as `body_of` gives for it: put together column by column."""
    ids = columns.trade_id
    parts = zip(
        _texts(b'{"symbol":', columns.symbol, b',"price":'),
        _numbers(columns.price),
        repeat(b',"volume":'),
        _numbers(columns.volume),
        repeat(b',"ts_event_ms":'),
        _numbers(columns.ts_event // NANOS_PER_MILLI),
        repeat(b',"ts_ingest_ms":'),
        _numbers(columns.ts_ingest // NANOS_PER_MILLI),
        repeat(b',"seq":'),
        _numbers(columns.seq),
        _texts(b',"source":', columns.source),
        _texts(b',"venue":', columns.venue, b',"trade_id":'),
        repeat(b"null") if ids is None else map(orjson.dumps, ids),
        _texts(b',"conditions":', columns.conditions, b',"flags":'),
        _numbers(columns.flags),
        repeat(b"}"),
    )
    return list(map(b"".join, parts))


def _numbers(column: NDArray[np.float64] | NDArray[np.int64]) -> list[bytes]:
    """The JSON of each number; null for what isn't finite."""
    return orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def _texts(before: bytes, column: Strings, after: bytes = b"") -> list[bytes]:
    """The JSON of each text between two others, made once of each distinct text."""
    codes = column.codes.tolist()
    made = {
        code: before + (b"null" if code == NULL_CODE else orjson.dumps(column.values[code])) + after
        for code in set(codes)
    }
    return [made[code] for code in codes]
