"""Indicators to bytes by the batch."""

from __future__ import annotations

from collections.abc import Sequence

from tickstream.core.codec.records import RecordCodec
from tickstream.core.columns import Floats, Ints, Strings
from tickstream.core.model import IndicatorSet


class IndicatorCodec(RecordCodec[IndicatorSet]):
    """Encodes and decodes the values of indicators."""

    def encode_rows(
        self,
        symbol: Strings,
        interval: Strings,
        start: Ints,
        end: Ints,
        state: Strings,
        revision: Ints,
        names: Sequence[str],
        values: Floats,
    ) -> list[bytes]:
        """The bytes of each row's indicators.

        Args:
            symbol, interval, start, end, state, revision: columns of n rows, the bars'.
            names: the k indicators' names.
            values: n x k; NaN where the indicator is warming.
        """
        rows = zip(
            symbol.to_list(),
            interval.to_list(),
            start.tolist(),
            end.tolist(),
            state.to_list(),
            revision.tolist(),
            values.tolist(),
            strict=True,
        )
        return [
            self.encode(
                IndicatorSet(
                    *row,
                    values={name: value for name, value in zip(names, figures, strict=True) if value == value},
                    warming=tuple(name for name, value in zip(names, figures, strict=True) if value != value),
                )
            )
            for *row, figures in rows
        ]
