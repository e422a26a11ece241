"""Trades in a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.errors import FatalError
from tickstream.producer.adapters.rows import BadRows
from tickstream.producer.adapters.tables import Columns, TableReader

_BATCH: Final = 65_536


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """One Parquet file.

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
            with pq.ParquetFile(self.path) as file:
                columns = Columns.of(self.path, file.schema_arrow.names)
                reader = TableReader(columns, self.zone, interners.sources.code(source), interners)
                row = 1
                for batch in file.iter_batches(_BATCH, columns=list(columns.found.values()), use_threads=False):
                    yield from _trades(reader, batch, row, bad)
                    row += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise FatalError(f"{self.path} can't be read: {error}") from error


def _trades(reader: TableReader, batch: pa.RecordBatch, row: int, bad: BadRows) -> Iterator[TickColumns]:
    try:
        rows = reader.rows(batch)
    except pa.ArrowInvalid as error:
        if len(batch) == 1:
            bad.report(reader.columns.path, row, str(error))
            return
        half = len(batch) // 2
        yield from _trades(reader, batch.slice(0, half), row, bad)
        yield from _trades(reader, batch.slice(half), row + half, bad)
    else:
        yield rows.trades(reader.columns.path, row, bad)
