"""Wall-clock times of a zone to UTC, by the column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tickstream.core.columns import Ints

_MINUTE: Final = 60_000_000_000
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall-clock time, of whichever zone


def to_utc(local: Ints, zone: ZoneInfo) -> Ints:
    """Nanoseconds since the epoch, UTC, of nanoseconds since 1970-01-01 00:00 on the zone's clocks.

    A time that the clocks show twice is the first of the two; one that they skip is read with the
    offset from before the change.
    """
    minutes, rows = np.unique(local // _MINUTE, return_inverse=True)
    offsets = np.array([_offset(int(minute), zone) for minute in minutes], dtype=np.int64)
    shifted: Ints = local - offsets[rows]
    return shifted


def _offset(minute: int, zone: ZoneInfo) -> int:
    wall = (_EPOCH + timedelta(minutes=minute)).replace(tzinfo=zone)
    offset = wall.replace(tzinfo=UTC) - wall.astimezone(UTC)
    return int(offset / timedelta(microseconds=1)) * 1000
