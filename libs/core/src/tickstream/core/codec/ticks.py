"""Trades to bytes and back by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec.fields import INT32_MAX
from tickstream.core.codec.interning import NOT_A_TEXT, TextTable
from tickstream.core.codec.reading import Cursor, Spans
from tickstream.core.codec.records import HEADER_BYTES, Format, RecordCodec
from tickstream.core.columns import Floats, Interner, Ints, Strings, TickColumns, TickInterners
from tickstream.core.errors import BadRecordError
from tickstream.core.model import Tick

_MIN_BATCH: Final = 24
"""Fewer records than this are decoded faster one by one."""
_MAX_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class DecodedTicks:
    """What a batch of values held.

    Attributes:
        columns: the trades that could be read, in order.
        rows: where each of them was in the batch.
        rejected: (where it was, why not) of the others.
    """

    columns: TickColumns
    rows: NDArray[np.intp]
    rejected: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Read:
    """The fields of a batch as they lie in it."""

    symbol: Spans
    price: Floats
    volume: Floats
    ts_event: Ints
    ts_ingest: Ints
    seq: Ints
    source: Spans
    venue: Spans
    trade_id: Spans
    conditions: Spans
    flags: Ints

    def take(self, rows: NDArray[np.intp]) -> _Read:
        """The chosen rows."""
        return _Read(*(_taken(getattr(self, column.name), rows) for column in fields(self)))

    def valid(self) -> NDArray[np.bool_]:
        """Where every rule for trades is kept."""
        return (
            (self.symbol.length > 0)
            & (self.source.length > 0)
            & (self.price > 0)
            & (self.price < np.inf)
            & (self.volume >= 0)
            & (self.volume < np.inf)
            & (self.seq >= 1)
            & (self.flags >= 0)
            & (self.flags <= INT32_MAX)
        )


class TickCodec(RecordCodec[Tick]):
    """Encodes and decodes the values of stock_ticks."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._tables: WeakKeyDictionary[Interner, TextTable] = WeakKeyDictionary()

    def decode_columns(
        self, values: Sequence[bytes | None], interners: TickInterners, *, trade_ids: bool = False
    ) -> DecodedTicks:
        """Decode a batch into columns; what can't be read is set aside with the reason.

        Records in today's Avro schema are decoded across the batch, the others one by one.

        Args:
            values: the records' values.
            interners: give the texts their codes.
            trade_ids: whether the trades' ids are wanted.

        Raises:
            RetryableError: a schema is needed from the registry, which doesn't answer.
        """
        if len(values) < _MIN_BATCH:
            return self._one_by_one(values, range(len(values)), interners, trade_ids)
        columns, rows = self._across(values, interners, trade_ids)
        if len(rows) == len(values):
            return DecodedTicks(columns, rows, [])
        left = np.ones(len(values), dtype=np.bool_)
        left[rows] = False
        others = self._one_by_one(values, np.flatnonzero(left).tolist(), interners, trade_ids)
        order = np.argsort(np.concatenate((rows, others.rows)))
        both = TickColumns.concatenate((columns, others.columns))
        return DecodedTicks(both.take(order), np.concatenate((rows, others.rows))[order], others.rejected)

    def encode_columns(self, columns: TickColumns, format: Format = "avro") -> list[bytes]:  # noqa: A002 - as `encode`
        """The bytes of each trade.

        Raises:
            BadRecordError: a trade breaks a rule.
        """
        return self.encode_many(columns.to_ticks(), format)

    def _one_by_one(
        self, values: Sequence[bytes | None], rows: Sequence[int], interners: TickInterners, trade_ids: bool
    ) -> DecodedTicks:
        ticks, kept, rejected = [], [], []
        for row in rows:
            try:
                tick = self.decode(values[row])
                interners.learn(tick)
            except (BadRecordError, OverflowError) as error:
                rejected.append((row, str(error)))
            else:
                ticks.append(tick)
                kept.append(row)
        columns = TickColumns.of(ticks, interners, trade_ids=trade_ids)
        return DecodedTicks(columns, np.array(kept, dtype=np.intp), rejected)

    def _across(
        self, values: Sequence[bytes | None], interners: TickInterners, trade_ids: bool
    ) -> tuple[TickColumns, NDArray[np.intp]]:
        short, lengths = _short(values)
        ends = np.cumsum(lengths)
        cursor = Cursor(short, ends - lengths)
        read = self._read(cursor)
        rows = np.flatnonzero(cursor.ok & (cursor.at == ends) & read.valid() & cursor.ascii(read.trade_id))
        if len(rows) < len(values):
            read = read.take(rows)
        columns = self._columns(cursor, read, interners, trade_ids)
        texts = (columns.symbol, columns.source, columns.venue, columns.conditions)
        known = np.logical_and.reduce([text.codes != NOT_A_TEXT for text in texts])
        return (columns, rows) if known.all() else (columns.take(known), rows[known])

    def _read(self, cursor: Cursor) -> _Read:
        cursor.ok &= cursor.words(HEADER_BYTES) == int.from_bytes(self.header, "little")
        return _Read(
            symbol=cursor.texts(),
            price=cursor.doubles(),
            volume=cursor.doubles(),
            ts_event=cursor.longs(),
            ts_ingest=cursor.longs(),
            seq=cursor.longs(),
            source=cursor.texts(),
            venue=cursor.optional_texts(),
            trade_id=cursor.optional_texts(),
            conditions=cursor.optional_texts(),
            flags=cursor.longs(),
        )

    def _columns(self, cursor: Cursor, read: _Read, interners: TickInterners, trade_ids: bool) -> TickColumns:
        return TickColumns(
            symbol=self._interned(cursor, read.symbol, interners.symbols),
            price=read.price,
            volume=read.volume,
            ts_event=read.ts_event,
            ts_ingest=read.ts_ingest,
            seq=read.seq,
            source=self._interned(cursor, read.source, interners.sources),
            venue=self._interned(cursor, read.venue, interners.venues),
            conditions=self._interned(cursor, read.conditions, interners.conditions),
            flags=read.flags,
            trade_id=cursor.ascii_texts(read.trade_id) if trade_ids else None,
        )

    def _interned(self, cursor: Cursor, spans: Spans, interner: Interner) -> Strings:
        table = self._tables.get(interner)
        if table is None:
            table = self._tables[interner] = TextTable(interner)
        return Strings(table.codes(cursor, spans), interner.values)


def _short(values: Sequence[bytes | None]) -> tuple[Sequence[bytes], Ints]:
    """The values and their lengths; empty ones in place of those that are absent or very long."""
    try:
        lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    except TypeError:
        return _short([value or b"" for value in values])
    if lengths.max(initial=0) > _MAX_BYTES:
        return _short([value if len(value) <= _MAX_BYTES else b"" for value in values])
    return values, lengths


def _taken(column: Any, rows: NDArray[np.intp]) -> Any:
    return column.take(rows) if isinstance(column, Spans) else column[rows]
