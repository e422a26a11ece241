"""Bars to bytes by the batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec.fields import INT32_MAX
from tickstream.core.codec.records import FEW, RecordCodec
from tickstream.core.codec.writing import Doubles, Longs, assemble
from tickstream.core.columns import BarColumns
from tickstream.core.model import Bar


class BarCodec(RecordCodec[Bar]):
    """Encodes and decodes the values of bars."""

    def encode_columns(self, columns: BarColumns) -> list[bytes]:
        """The bytes of each bar.

        Raises:
            BadRecordError: a bar breaks a rule.
        """
        if len(columns) < FEW:
            return self.encode_many(columns.to_bars())
        good = _valid(columns)
        if not good.all():
            self.encode(columns.take(np.flatnonzero(~good)[:1]).to_bars()[0])
        return assemble(
            [
                self._texts("symbol", columns.symbol, self.header),
                self._texts("interval", columns.interval),
                Longs(columns.start),
                Longs(columns.end),
                Doubles(columns.open, columns.high, columns.low, columns.close, columns.volume, columns.vwap),
                Longs(columns.trades),
                self._texts("state", columns.state),
                Longs(columns.revision),
                self._texts("activity", columns.activity),
                self._texts("session", columns.session),
            ]
        )


def _valid(bars: BarColumns) -> NDArray[np.bool_]:
    figures = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.vwap)
    finite = np.logical_and.reduce([np.isfinite(figure) for figure in figures])
    good: NDArray[np.bool_] = finite & (bars.trades >= 0) & (bars.revision >= 0) & (bars.revision <= INT32_MAX)
    return good
