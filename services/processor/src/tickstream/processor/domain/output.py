"""What an engine gives for the trades that it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats
from tickstream.processor.domain.bars import Table, stacked
from tickstream.processor.domain.closing import BAR


@dataclass(frozen=True, slots=True)
class Gap:
    """Trades that a source skipped, both numbers included."""

    symbol: int
    source: int
    first: int
    last: int
    ts_event: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch of trades: `too_late` are rows of it, `late` how many change closed bars."""

    duplicates: int
    suspicious: int
    late: int
    too_late: NDArray[np.intp]
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Output:
    """Bars, and indicators: `values[i]`, by the catalogue's names, is of `indicated[i]`.

    The `revision` of a bar in `indicated` is that of its values.
    """

    bars: Table
    indicated: Table
    values: Floats

    @classmethod
    def concatenate(cls, parts: Sequence[Output]) -> Output:
        """The bars of all parts."""
        return cls(
            stacked([part.bars for part in parts], BAR),
            stacked([part.indicated for part in parts], BAR),
            np.concatenate([part.values for part in parts]) if parts else np.zeros((0, 0)),
        )
