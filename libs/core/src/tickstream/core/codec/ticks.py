"""Trades to bytes and back by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec.records import Format, RecordCodec
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Tick


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


class TickCodec(RecordCodec[Tick]):
    """Encodes and decodes the values of stock_ticks."""

    def decode_columns(
        self, values: Sequence[bytes | None], interners: TickInterners, *, trade_ids: bool = False
    ) -> DecodedTicks:
        """Decode a batch into columns; what can't be read is set aside with the reason.

        Args:
            values: the records' values.
            interners: give the texts their codes.
            trade_ids: whether the trades' ids are wanted.

        Raises:
            RetryableError: a schema is needed from the registry, which doesn't answer.
        """
        decoded = self.decode_many(values)
        columns = TickColumns.of(decoded.records, interners, trade_ids=trade_ids)
        return DecodedTicks(columns, np.array(decoded.rows, dtype=np.intp), decoded.rejected)

    def encode_columns(self, columns: TickColumns, format: Format = "avro") -> list[bytes]:  # noqa: A002 - as `encode`
        """The bytes of each trade.

        Raises:
            BadRecordError: a trade breaks a rule.
        """
        return self.encode_many(columns.to_ticks(), format)
