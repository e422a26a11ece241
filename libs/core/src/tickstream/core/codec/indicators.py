"""Indicators to bytes by the batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec.records import RecordCodec
from tickstream.core.codec.rules import check_revision
from tickstream.core.codec.varints import WORD_BYTES
from tickstream.core.codec.writing import Longs, Output, assemble, text, varint
from tickstream.core.columns import Floats, Ints, Strings
from tickstream.core.model import IndicatorSet

_END: Final = b"\x00"


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
            symbol: n rows, as the bars' are; so are the columns up to `revision`.
            interval: the bars'.
            start: the bars'.
            end: the bars'.
            state: the bars'.
            revision: the bars'.
            names: the k indicators' names.
            values: n x k; NaN where the indicator is warming.

        Raises:
            BadRecordError: a field is too large or breaks a rule.
        """
        for extreme in (revision.min(initial=0), revision.max(initial=0)):
            check_revision(self._fields["revision"].read(extreme))
        self._fields["warming"].read(tuple(names))
        return assemble(
            [
                self._texts("symbol", symbol, self.header),
                self._texts("interval", interval),
                Longs(start),
                Longs(end),
                self._texts("state", state),
                Longs(revision),
                _Figures(names, values),
            ]
        )


@dataclass(frozen=True, slots=True)
class _Template:
    """The bytes that rows with the same indicators warming share.

    Attributes:
        data: the map and the list, with room for the values.
        holes: (where a value belongs, its column).
    """

    data: bytes
    holes: list[tuple[int, int]]

    @classmethod
    def of(cls, names: Sequence[str], warming: NDArray[np.bool_]) -> _Template:
        data = bytearray()
        holes = []
        ready = np.flatnonzero(~warming).tolist()
        if ready:
            data += varint(len(ready))
        for column in ready:
            data += text(names[column])
            holes.append((len(data), column))
            data += bytes(WORD_BYTES)
        data += _END
        if len(ready) < len(names):
            data += varint(len(names) - len(ready))
            data += b"".join(text(names[column]) for column in np.flatnonzero(warming).tolist())
        return cls(bytes(data + _END), holes)


class _Figures:
    """The values by name, and the names of what has no value yet."""

    __slots__ = ("_groups", "_values", "lengths", "reach")

    def __init__(self, names: Sequence[str], values: Floats) -> None:
        self._values = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
        self.lengths = np.zeros(len(values), dtype=np.int64)
        self._groups: list[tuple[NDArray[np.intp], _Template]] = []
        warming = np.isnan(values)
        for rows in _alike(warming):
            template = _Template.of(names, warming[rows[0]])
            self.lengths[rows] = len(template.data)
            self._groups.append((rows, template))
        self.reach = int(self.lengths.max(initial=0)) + WORD_BYTES

    def write(self, output: Output, at: Ints) -> None:
        """Write what the rows of a group share, then each value into its place."""
        for rows, template in self._groups:
            places = at[rows]
            output.rows(len(template.data))[places] = np.frombuffer(template.data, dtype=np.uint8)
            for hole, column in template.holes:
                output.words[places + hole] = self._values[rows, column]


def _alike(flags: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """The rows, grouped by what they hold."""
    if not len(flags) or (flags == flags[0]).all():
        return [np.arange(len(flags))] if len(flags) else []
    packed = np.packbits(flags, axis=1)
    groups: dict[bytes, list[int]] = {}
    for row, bits in enumerate(packed):
        groups.setdefault(bits.tobytes(), []).append(row)
    return [np.array(rows) for rows in groups.values()]
