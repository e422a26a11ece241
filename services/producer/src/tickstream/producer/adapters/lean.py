"""Trades in QuantConnect LEAN's equity format: a zip a symbol and day, holding one CSV.

A line is `time,price,volume,exchange,conditions,suspicious`: milliseconds since midnight in New
York, the price times 10,000, shares, a letter, hexadecimal flags, 0 or 1.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from tickstream.core.clock import NANOS_PER_MILLI, NANOS_PER_SECOND
from tickstream.core.columns import Ints, TickColumns, TickInterners
from tickstream.core.errors import FatalError
from tickstream.core.model import FLAG_SUSPICIOUS
from tickstream.producer.adapters.rows import BadRows, Numbers, Rows, floats, texts
from tickstream.producer.adapters.text import blocks, table, trades
from tickstream.producer.adapters.times import BAD_TIME
from tickstream.producer.domain.chunks import constant, unsent
from tickstream.producer.domain.localtime import to_utc
from tickstream.producer.domain.names import is_symbol

NEW_YORK: Final = ZoneInfo("America/New_York")

_NAME: Final = re.compile(r"(?P<day>\d{8})_trade\.zip", re.IGNORECASE)
_MEMBER: Final = re.compile(r"(?P<day>\d{8})_(?P<symbol>[^_]+)_trade_tick\.csv", re.IGNORECASE)
_PRICE_UNITS: Final = 10_000.0
_COLUMNS: Final = ["time", "price", "volume", "venue", "conditions", "suspicious"]
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_TYPES: Final = {
    "time": pa.float64(),
    "price": pa.float64(),
    "volume": pa.float64(),
    "venue": _TEXT,
    "conditions": _TEXT,
    "suspicious": pa.int64(),
}


@dataclass(frozen=True, slots=True)
class LeanFile:
    """The trades of one symbol on one day, by the names of a zip and its member."""

    path: Path
    member: str
    symbol: str
    day: str

    @classmethod
    def of(cls, path: Path) -> LeanFile | None:
        """What a zip holds; None when it holds no trades by the tick (but quotes, or bars).

        Raises:
            FatalError: it is no zip, or its member's name says no valid symbol and day.
        """
        if not _NAME.fullmatch(path.name):
            return None
        try:
            with zipfile.ZipFile(path) as archive:
                members = [_MEMBER.fullmatch(name) for name in archive.namelist()]
        except (zipfile.BadZipFile, OSError) as error:
            raise FatalError(f"{path} can't be read: {error}") from error
        found = next((member for member in members if member), None)
        if found is None:
            return None
        symbol, day = found["symbol"].upper(), found["day"]
        if not is_symbol(symbol) or _midnight(day) is None:
            raise FatalError(f"{path} holds {found[0]}, which names no symbol and day")
        return cls(path, found[0], symbol, day)

    @property
    def midnight(self) -> int:
        """The start of the day, in nanoseconds on the clocks of New York."""
        midnight = _midnight(self.day)
        if midnight is None:
            raise FatalError(f"{self.path}: {self.day} is no day")
        return midnight

    @property
    def first(self) -> int:
        """No trade is earlier than this, UTC."""
        return int(to_utc(np.array([self.midnight], dtype=np.int64), NEW_YORK)[0])

    def read(self, source: str, interners: TickInterners, bad: BadRows) -> Iterator[TickColumns]:
        """The trades, by the batch.

        Raises:
            FatalError: the zip is broken.
        """
        rows = _Reader(self, interners.symbols.code(self.symbol), interners.sources.code(source), interners)
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                for line, block in blocks(stream, 1):
                    yield from trades(block, line, rows.parse, self.path, bad)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError) as error:
            raise FatalError(f"{self.path} can't be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns a file's lines into trades with the codes of their symbol and source."""

    file: LeanFile
    symbol: int
    origin: int
    interners: TickInterners

    def parse(self, lines: bytes) -> Rows:
        batch = table(lines, _COLUMNS, _TYPES)
        numbers = Numbers(
            price=floats(batch["price"]) / _PRICE_UNITS,
            volume=floats(batch["volume"]),
            ts_event=self._times(batch["time"]),
            flags=np.where(floats(batch["suspicious"]) == 1, FLAG_SUSPICIOUS, 0),
        )
        columns = unsent(
            constant(self.symbol, self.interners.symbols.values, len(batch)),
            numbers.price,
            numbers.volume,
            numbers.ts_event,
            constant(self.origin, self.interners.sources.values, len(batch)),
            venue=texts(batch["venue"], self.interners.venues, self.file.path),
            conditions=texts(batch["conditions"], self.interners.conditions, self.file.path),
            flags=numbers.flags,
        )
        return Rows(columns, numbers.problems())

    def _times(self, millis: pa.Array) -> Ints:
        since_midnight = np.rint(floats(millis) * NANOS_PER_MILLI)
        valid = (since_midnight >= 0) & (since_midnight < 86_400 * NANOS_PER_SECOND)
        local = self.file.midnight + np.where(valid, since_midnight, 0).astype(np.int64)
        return np.where(valid, to_utc(local, NEW_YORK), BAD_TIME)


def _midnight(day: str) -> int | None:
    try:
        return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * NANOS_PER_SECOND
    except ValueError:
        return None
