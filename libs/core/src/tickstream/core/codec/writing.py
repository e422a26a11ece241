"""Avro bodies written field by field across many records.

Each column knows how many bytes it takes in every record. `assemble` gives each record a place
in one buffer, lets the columns write in the order of the fields, and cuts the records out.
Columns write whole 8-byte words: what goes beyond a field is overwritten by the next one, and
what goes beyond the record falls into the gap that `reach` leaves after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tickstream.core.codec import varints
from tickstream.core.codec.varints import WORD_BYTES, Words
from tickstream.core.columns import NULL_CODE, Floats, Ints, Strings

NULL: Final = b"\x00"
"""The branch of a nullable text that is null."""
PRESENT: Final = b"\x02"
"""The branch of a nullable text that is a text."""


class Output:
    """A buffer that takes words, and rows of bytes, at any place."""

    __slots__ = ("data", "words")

    def __init__(self, size: int) -> None:
        self.data = np.empty(size, dtype=np.uint8)
        self.words: Words = np.ndarray((size - WORD_BYTES + 1,), "<u8", self.data, strides=(1,))

    def rows(self, width: int) -> NDArray[np.uint8]:
        """The buffer as overlapping rows of `width` bytes, one from each place."""
        return np.ndarray((len(self.data) - width + 1, width), np.uint8, self.data, strides=(1, 1))


class Column(Protocol):
    """One field, or several that follow each other, of many records."""

    @property
    def lengths(self) -> Ints:
        """Bytes taken in each record."""
        ...

    @property
    def reach(self) -> int:
        """How many bytes from its own place a write may touch."""
        ...

    def write(self, output: Output, at: Ints) -> None:
        """Write each record's bytes at its place."""
        ...


def assemble(columns: Sequence[Column]) -> list[bytes]:
    """The records whose fields are the columns, in that order."""
    lengths = np.add.reduce([column.lengths for column in columns])
    gap = max(column.reach for column in columns)
    ends = np.cumsum(lengths + gap) - gap
    starts = ends - lengths
    output = Output(int(ends[-1]) + gap if len(ends) else gap)
    at = starts
    for column in columns:
        column.write(output, at)
        at = at + column.lengths
    data = output.data.tobytes()
    return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


class Longs:
    """A long or an int."""

    __slots__ = ("_unsigned", "lengths")
    reach: Final = 2 * WORD_BYTES

    def __init__(self, values: Ints) -> None:
        self._unsigned = varints.zigzag(values.astype(np.int64, copy=False))
        self.lengths = varints.sizes(self._unsigned)

    def write(self, output: Output, at: Ints) -> None:
        """Write the first 8 bytes of each, and where there are more the others."""
        first, last = varints.spread(self._unsigned, self.lengths)
        output.words[at] = first
        over = self.lengths > WORD_BYTES
        if over.any():
            output.words[at[over] + WORD_BYTES] = last[over]


class Doubles:
    """Some doubles that follow each other."""

    __slots__ = ("_columns", "lengths", "reach")

    def __init__(self, *columns: Floats) -> None:
        self._columns = columns
        self.reach = WORD_BYTES * len(columns)
        self.lengths = np.full(len(columns[0]), self.reach)

    def write(self, output: Output, at: Ints) -> None:
        """Write one double after the other."""
        for index, column in enumerate(self._columns):
            output.words[at + WORD_BYTES * index] = np.ascontiguousarray(column, dtype=np.float64).view(np.uint64)


class Pieces:
    """Bytes of any length, of which each record has one piece.

    Args:
        data: what the pieces are of; padded here.
        starts: where each record's piece begins.
        lengths: and how long it is.
    """

    __slots__ = ("_longest", "_starts", "_words", "lengths", "reach")

    def __init__(self, data: bytes, starts: Ints, lengths: Ints) -> None:
        padded = data + bytes(WORD_BYTES)
        self._words: Words = np.ndarray((len(padded) - WORD_BYTES + 1,), "<u8", padded, strides=(1,))
        self._starts = starts
        self._longest = int(lengths.max(initial=0))
        self.lengths = lengths
        self.reach = self._longest + WORD_BYTES

    @classmethod
    def of(cls, distinct: Sequence[bytes], which: NDArray[np.integer]) -> Pieces:
        """Each record has `distinct[which]`."""
        lengths = np.fromiter(map(len, distinct), dtype=np.int64, count=len(distinct))
        starts = np.cumsum(lengths) - lengths
        return cls(b"".join(distinct), starts[which], lengths[which])

    def write(self, output: Output, at: Ints) -> None:
        """Write a word of each, then the next word of those that are longer, and so on."""
        starts = self._starts
        for skip in range(0, self._longest, WORD_BYTES):
            longer = self.lengths > skip
            if longer.all():
                output.words[at + skip] = self._words[starts + skip]
            else:
                output.words[at[longer] + skip] = self._words[starts[longer] + skip]


def text(value: str) -> bytes:
    """A text as Avro writes it: the number of its bytes, and they."""
    raw = value.encode()
    return varint(len(raw)) + raw


def varint(value: int) -> bytes:
    """A single long that isn't negative."""
    rest = value << 1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def used(column: Strings) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts that a column has, and which of them each row has (-1: null)."""
    present = np.zeros(len(column.values) + 1, dtype=np.bool_)
    present[column.codes] = True
    present[NULL_CODE] = False
    codes = np.flatnonzero(present)
    position = np.full(len(present), NULL_CODE, dtype=np.intp)
    position[codes] = np.arange(len(codes))
    return [column.values[code] for code in codes.tolist()], position[column.codes]
