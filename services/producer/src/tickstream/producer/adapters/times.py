"""Times as files have them, to nanoseconds since the epoch, UTC.

A number is seconds, milliseconds, microseconds or nanoseconds since the epoch, by its size; a text is
ISO 8601. `BAD_TIME` stands for what is no time.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tickstream.core.columns import Ints
from tickstream.producer.domain.localtime import to_utc

BAD_TIME: Final = -1

_NUMBER: Final = r"^\s*[0-9]+(\.[0-9]+)?\s*$"
_ZONED: Final = r"([Zz]|[+-][0-9]{2}:?([0-9]{2})?)\s*$"
_DECIMAL: Final = pa.decimal128(28, 9)
_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Below each bound a number counts units of so many nanoseconds: 10^11 s is the year 5138, 10^11 ms is 1973."""


def times(column: pa.Array, zone: ZoneInfo | None) -> Ints:
    """Nanoseconds since the epoch; `BAD_TIME` where the column has none.

    Args:
        column: numbers, texts or Arrow's timestamps.
        zone: of times that name none.

    Raises:
        ArrowInvalid: a value is no time, or names no zone and `zone` is None.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind):
        return _timestamps(column, zone)
    if pa.types.is_integer(kind):
        return _scaled(_ints(column.cast(pa.int64())))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _decimals(column.cast(_DECIMAL, safe=False))
    return _texts(column.cast(pa.string()), zone)


def _texts(column: pa.Array, zone: ZoneInfo | None) -> Ints:
    if not _all(pc.match_substring_regex(column, _NUMBER)):
        trimmed = pc.utf8_trim_whitespace(column)
        zoned = _all(pc.match_substring_regex(trimmed, r"[T ][0-9:.]+" + _ZONED))
        return _timestamps(trimmed.cast(pa.timestamp("ns", "UTC") if zoned else pa.timestamp("ns")), zone)
    trimmed = pc.utf8_trim_whitespace(column)
    if _any(pc.match_substring(trimmed, ".")):
        return _decimals(trimmed.cast(_DECIMAL))
    return _scaled(_ints(trimmed.cast(pa.int64())))


def _timestamps(column: pa.Array, zone: ZoneInfo | None) -> Ints:
    local = column.type.tz is None
    if local and zone is None:
        raise pa.ArrowInvalid("the time names no zone, and none is set with --timezone")
    nanos = _ints(column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64()))
    if not local or zone is None:
        return nanos
    missing = nanos == BAD_TIME
    return np.where(missing, BAD_TIME, to_utc(np.where(missing, 0, nanos), zone))


def _scaled(numbers: Ints) -> Ints:
    scaled = numbers
    for bound, nanos in reversed(_UNITS):
        scaled = np.where(numbers < bound, numbers * nanos, scaled)
    return np.where(numbers < 0, BAD_TIME, scaled)


def _decimals(column: pa.Array) -> Ints:
    """Nine decimals are exact in a Decimal, and would not be in a double."""
    floor = pc.floor(column)
    whole = _ints(floor.cast(pa.int64()))
    fraction = pc.subtract(column, floor).cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    billionths = np.rint(fraction * 10**9).astype(np.int64)
    nanos = np.full(len(whole), 1, dtype=np.int64)
    for bound, unit in reversed(_UNITS):
        nanos = np.where(whole < bound, unit, nanos)
    return np.where(whole < 0, BAD_TIME, whole * nanos + billionths * nanos // 10**9)


def _ints(column: pa.Array) -> Ints:
    values: Ints = column.fill_null(BAD_TIME).to_numpy(zero_copy_only=False)
    return values


def _all(truths: pa.Array) -> bool:
    return bool(pc.all(truths, skip_nulls=True).as_py() is not False)


def _any(truths: pa.Array) -> bool:
    return bool(pc.any(truths).as_py())
