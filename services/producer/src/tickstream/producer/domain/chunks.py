"""Trades on their way out, by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Codes, Ints, Strings, TickColumns, nulls


@dataclass(frozen=True, slots=True)
class Chunk:
    """Trades in the order of their publication.

    Attributes:
        columns: the trades.
        due: the event time at which each is to go out, never falling: a trade that lies behind a
            later one in its recording goes out right after it.
        until: nothing that follows this chunk is due before this event time.
        ended: the sources that have nothing after this chunk.
    """

    columns: TickColumns
    due: Ints
    until: int
    ended: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.due)

    def take(self, rows: NDArray[np.bool_]) -> Chunk:
        """The same stretch of time with the chosen trades only."""
        if rows.all():
            return self
        return replace(self, columns=self.columns.take(rows), due=self.due[rows])


def part(columns: TickColumns, start: int, stop: int) -> TickColumns:
    """The trades from `start` to before `stop`, as views."""
    if start == 0 and stop >= len(columns):
        return columns
    ids = columns.trade_id
    return TickColumns(
        symbol=_part(columns.symbol, start, stop),
        price=columns.price[start:stop],
        volume=columns.volume[start:stop],
        ts_event=columns.ts_event[start:stop],
        ts_ingest=columns.ts_ingest[start:stop],
        seq=columns.seq[start:stop],
        source=_part(columns.source, start, stop),
        venue=_part(columns.venue, start, stop),
        conditions=_part(columns.conditions, start, stop),
        flags=columns.flags[start:stop],
        trade_id=None if ids is None else ids[start:stop],
    )


def concat(parts: Sequence[TickColumns]) -> TickColumns:
    """One batch after the other; all of them have their codes from the same interners."""
    if len(parts) == 1:
        return parts[0]
    return TickColumns(
        symbol=_concat([columns.symbol for columns in parts]),
        price=np.concatenate([columns.price for columns in parts]),
        volume=np.concatenate([columns.volume for columns in parts]),
        ts_event=np.concatenate([columns.ts_event for columns in parts]),
        ts_ingest=np.concatenate([columns.ts_ingest for columns in parts]),
        seq=np.concatenate([columns.seq for columns in parts]),
        source=_concat([columns.source for columns in parts]),
        venue=_concat([columns.venue for columns in parts]),
        conditions=_concat([columns.conditions for columns in parts]),
        flags=np.concatenate([columns.flags for columns in parts]),
        trade_id=_concat_ids(parts),
    )


def unsent(  # noqa: PLR0913 - a column each
    symbol: Strings,
    price: NDArray[np.float64],
    volume: NDArray[np.float64],
    ts_event: Ints,
    source: Strings,
    *,
    venue: Strings | None = None,
    conditions: Strings | None = None,
    flags: Ints | None = None,
    trade_id: Sequence[str | None] | None = None,
) -> TickColumns:
    """Trades that have neither been counted (seq is 0) nor received (ts_ingest is 0) yet."""
    zeros = np.zeros(len(price), dtype=np.int64)
    return TickColumns(
        symbol=symbol,
        price=price,
        volume=volume,
        ts_event=ts_event,
        ts_ingest=zeros,
        seq=zeros,
        source=source,
        venue=nulls(len(price)) if venue is None else venue,
        conditions=nulls(len(price)) if conditions is None else conditions,
        flags=zeros if flags is None else flags,
        trade_id=trade_id,
    )


def nothing() -> TickColumns:
    """No trades."""
    none = np.zeros(0, dtype=np.float64)
    return unsent(nulls(0), none, none, np.zeros(0, dtype=np.int64), nulls(0))


def constant(code: int, values: Sequence[str], length: int) -> Strings:
    """A column that says the same everywhere."""
    return Strings(np.full(length, code, dtype=np.int32), values)


def _part(strings: Strings, start: int, stop: int) -> Strings:
    return Strings(strings.codes[start:stop], strings.values)


def _concat(parts: Sequence[Strings]) -> Strings:
    codes: Codes = np.concatenate([strings.codes for strings in parts])
    return Strings(codes, max((strings.values for strings in parts), key=len))


def _concat_ids(parts: Sequence[TickColumns]) -> list[str | None] | None:
    if all(columns.trade_id is None for columns in parts):
        return None
    ids: list[str | None] = []
    for columns in parts:
        ids.extend(columns.trade_id if columns.trade_id is not None else [None] * len(columns))
    return ids
