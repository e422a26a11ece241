"""Trades in a CSV file with a header; `.gz` is read as it is."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast
from zoneinfo import ZoneInfo

import pyarrow as pa

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import FatalError
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.adapters.tables import Columns, TableReader
from tickstream.producer.adapters.text import blocks, table, trades

_LONGEST_HEADER: Final = 1 << 16
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_TYPES: Final = {
    "symbol": _TEXT,
    "ts_event": pa.string(),
    "price": pa.float64(),
    "volume": pa.float64(),
    "venue": _TEXT,
    "trade_id": pa.string(),
    "conditions": _TEXT,
    "flags": pa.int64(),
    "suspicious": pa.string(),
}


@dataclass(frozen=True, slots=True)
class CsvFile:
    """One CSV file.

    Attributes:
        path: the file.
        zone: of times that name none.
    """

    path: Path
    zone: ZoneInfo | None

    def read(self, source: str, interners: TickInterners, bad: BadRows) -> Iterator[TickColumns]:
        """The trades, by the batch.

        Raises:
            FatalError: the file can't be read, or lacks a column.
        """
        try:
            with self._open() as stream:
                names = self._header(stream)
                columns = Columns.of(self.path, names)
                reader = TableReader(columns, self.zone, interners.sources.code(source), interners)
                types = {name: _TYPES[column] for column, name in columns.found.items()}
                for line, block in blocks(stream, 2):
                    yield from trades(
                        block, line, lambda lines: reader.rows(table(lines, names, types)), self.path, bad
                    )
        except (OSError, EOFError, zlib.error) as error:
            raise FatalError(f"{self.path} can't be read: {error}") from error

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", gzip.open(self.path)) if self.path.suffix == ".gz" else self.path.open("rb")

    def _header(self, stream: IO[bytes]) -> list[str]:
        line = stream.readline(_LONGEST_HEADER)
        try:
            names = next(csv.reader([line.decode("utf-8-sig")]), [])
        except UnicodeDecodeError as error:
            raise FatalError(f"{self.path} has no header in UTF-8") from error
        return [f"{name}#{at}" if name in names[:at] else name for at, name in enumerate(names)]
