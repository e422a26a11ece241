"""Trades to bytes and back by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec.fields import INT32_MAX, TEXT_BYTES
from tickstream.core.codec.interning import NOT_A_TEXT, TextTable
from tickstream.core.codec.reading import Cursor, Spans
from tickstream.core.codec.records import FEW, HEADER_BYTES, Format, RecordCodec
from tickstream.core.codec.writing import NULL, PRESENT, Column, Doubles, Longs, Pieces, assemble, text, varint
from tickstream.core.columns import Floats, Interner, Ints, Strings, TickColumns, TickInterners
from tickstream.core.errors import BadRecordError
from tickstream.core.model import Tick

_CHUNK: Final = 16_384
"""As many records are decoded together, so that their columns stay in the processor's cache."""
_MAX_BYTES: Final = 1024
_ID_PREFIXES: Final = (*(PRESENT + varint(length) for length in range(TEXT_BYTES + 1)), NULL)
"""What stands before a trade's id of each length; the last one is for none."""


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
        parts = [
            self._decode(values[start : start + _CHUNK], interners, trade_ids=trade_ids)
            for start in range(0, max(len(values), 1), _CHUNK)
        ]
        return parts[0] if len(parts) == 1 else _in_sequence(parts)

    def encode_columns(self, columns: TickColumns, format: Format = "avro") -> list[bytes]:  # noqa: A002 - as `encode`
        """The bytes of each trade.

        Raises:
            BadRecordError: a trade breaks a rule.
        """
        if format == "json" or len(columns) < FEW:
            return self.encode_many(columns.to_ticks(), format)
        good = _valid(columns)
        if not good.all():
            self.encode(columns.take(np.flatnonzero(~good)[:1]).to_ticks()[0])
        return assemble(
            [
                self._texts("symbol", columns.symbol, self.header),
                Doubles(columns.price, columns.volume),
                Longs(columns.ts_event),
                Longs(columns.ts_ingest),
                Longs(columns.seq),
                self._texts("source", columns.source),
                self._texts("venue", columns.venue, PRESENT),
                *self._ids(columns),
                self._texts("conditions", columns.conditions, PRESENT),
                Longs(columns.flags),
            ]
        )

    def _ids(self, columns: TickColumns) -> Sequence[Column]:
        ids = columns.trade_id
        if ids is None or ids.count(None) == len(ids):
            return [Pieces.of([NULL], np.zeros(len(columns), dtype=np.intp))]
        joined = "".join([trade_id or "" for trade_id in ids])
        if not joined.isascii():
            read = self._fields["trade_id"].read
            each = [NULL if trade_id is None else PRESENT + text(read(trade_id)) for trade_id in ids]
            return [Pieces.of(each, np.arange(len(each)))]
        lengths = np.fromiter(
            (-1 if trade_id is None else len(trade_id) for trade_id in ids), dtype=np.int64, count=len(ids)
        )
        if lengths.max(initial=0) > TEXT_BYTES:
            self._fields["trade_id"].read(max(ids, key=lambda trade_id: len(trade_id or "")))
        present = np.maximum(lengths, 0)
        return [
            Pieces.of(_ID_PREFIXES, lengths),
            Pieces(joined.encode(), np.cumsum(present) - present, present),
        ]

    def _decode(self, values: Sequence[bytes | None], interners: TickInterners, *, trade_ids: bool) -> DecodedTicks:
        if len(values) < FEW:
            return self._one_by_one(values, range(len(values)), interners, trade_ids=trade_ids)
        columns, rows = self._across(values, interners, trade_ids=trade_ids)
        if len(rows) == len(values):
            return DecodedTicks(columns, rows, [])
        left = np.ones(len(values), dtype=np.bool_)
        left[rows] = False
        others = self._one_by_one(values, np.flatnonzero(left).tolist(), interners, trade_ids=trade_ids)
        all_rows = np.concatenate((rows, others.rows))
        order = np.argsort(all_rows)
        both = TickColumns.concatenate((columns, others.columns))
        return DecodedTicks(both.take(order), all_rows[order], others.rejected)

    def _one_by_one(
        self, values: Sequence[bytes | None], rows: Sequence[int], interners: TickInterners, *, trade_ids: bool
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
        self, values: Sequence[bytes | None], interners: TickInterners, *, trade_ids: bool
    ) -> tuple[TickColumns, NDArray[np.intp]]:
        short, lengths = _short(values)
        ends = np.cumsum(lengths)
        cursor = Cursor(short, ends - lengths)
        read = self._read(cursor)
        named = (read.symbol.length > 0) & (read.source.length > 0)
        rows = np.flatnonzero(cursor.ok & (cursor.at == ends) & named & _valid(read) & cursor.ascii(read.trade_id))
        if len(rows) < len(values):
            read = read.take(rows)
        columns = self._columns(cursor, read, interners, trade_ids=trade_ids)
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

    def _columns(self, cursor: Cursor, read: _Read, interners: TickInterners, *, trade_ids: bool) -> TickColumns:
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


def _in_sequence(parts: Sequence[DecodedTicks]) -> DecodedTicks:
    """One batch of the chunks that it was cut into."""
    starts = range(0, len(parts) * _CHUNK, _CHUNK)
    return DecodedTicks(
        TickColumns.concatenate([part.columns for part in parts]),
        np.concatenate([start + part.rows for start, part in zip(starts, parts, strict=True)]),
        [(start + row, reason) for start, part in zip(starts, parts, strict=True) for row, reason in part.rejected],
    )


def _valid(trades: _Read | TickColumns) -> NDArray[np.bool_]:
    """Where the numbers keep every rule for trades."""
    return (
        (trades.price > 0)
        & (trades.price < np.inf)
        & (trades.volume >= 0)
        & (trades.volume < np.inf)
        & (trades.seq >= 1)
        & (trades.flags >= 0)
        & (trades.flags <= INT32_MAX)
    )


def _short(values: Sequence[bytes | None]) -> tuple[Sequence[bytes], Ints]:
    """The values and their lengths; empty ones in place of those that are absent or very long."""
    present = cast("Sequence[bytes]", values)
    try:
        lengths = np.fromiter(map(len, present), dtype=np.int64, count=len(values))
    except TypeError:
        return _short([value or b"" for value in values])
    if lengths.max() > _MAX_BYTES:
        return _short([value if len(value) <= _MAX_BYTES else b"" for value in present])
    return present, lengths


def _taken(column: Any, rows: NDArray[np.intp]) -> Any:
    return column.take(rows) if isinstance(column, Spans) else column[rows]
