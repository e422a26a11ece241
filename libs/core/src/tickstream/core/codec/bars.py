"""Bars to bytes by the batch."""

from __future__ import annotations

from tickstream.core.codec.records import RecordCodec
from tickstream.core.columns import BarColumns
from tickstream.core.model import Bar


class BarCodec(RecordCodec[Bar]):
    """Encodes and decodes the values of bars."""

    def encode_columns(self, columns: BarColumns) -> list[bytes]:
        """The bytes of each bar.

        Raises:
            BadRecordError: a bar breaks a rule.
        """
        return self.encode_many(columns.to_bars())
