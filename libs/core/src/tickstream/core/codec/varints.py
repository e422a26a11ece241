"""Avro's variable-length integers, many at a time.

A varint carries 7 bits a byte, lowest first; the high bit says that another byte follows. Up to
8 of its bytes are handled as one little-endian 64-bit word.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints

Words = NDArray[np.uint64]
Sizes = NDArray[np.int64]

WORD_BYTES: Final = 8
MAX_VARINT_BYTES: Final = 10

_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_LOW_BITS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_WORD_PAYLOAD: Final = np.uint64((1 << 56) - 1)
_BOUNDS: Final = tuple(1 << bits for bits in range(7, 64, 7))
# Pairs of 7, 14 and 28 bits, and how far apart their halves are: (lower halves, upper halves when joined, gap).
_STEPS: Final = tuple(
    (np.uint64(lower), np.uint64(lower << width), np.uint64(gap))
    for lower, width, gap in (
        (0x007F007F007F007F, 7, 1),
        (0x00003FFF00003FFF, 14, 2),
        (0x000000000FFFFFFF, 28, 4),
    )
)
_CONTINUED: Final = np.array(
    [int(_HIGH_BITS) & ((1 << 8 * (min(size, 9) - 1)) - 1) if size else 0 for size in range(MAX_VARINT_BYTES + 1)],
    dtype=np.uint64,
)
_ONE: Final = np.uint64(1)
_OF_ONE_BYTE: Final = np.array([(byte >> 1) ^ -(byte & 1) for byte in range(128)], dtype=np.int64)
_SIGN_SHIFT: Final = 63


def zigzag(values: Ints) -> Words:
    """Signed to unsigned: 0, -1, 1, -2 … become 0, 1, 2, 3 …."""
    return ((values << 1) ^ (values >> _SIGN_SHIFT)).view(np.uint64)


def unzigzag(words: Words) -> Ints:
    """The inverse of `zigzag`."""
    return ((words >> _ONE) ^ (~(words & _ONE) + _ONE)).view(np.int64)


def unzigzag_bytes(heads: NDArray[np.uint8]) -> Ints:
    """The values of varints of one byte each."""
    return _OF_ONE_BYTE.take(heads)


def sizes(unsigned: Words) -> Sizes:
    """How many bytes each varint takes, 1 to 10."""
    found = np.ones(len(unsigned), dtype=np.int64)
    if not len(unsigned):
        return found
    low, high = int(unsigned.min()), int(unsigned.max())
    for bound in _BOUNDS:
        if high < bound:
            break
        found += 1 if low >= bound else unsigned >= np.uint64(bound)
    return found


def spread(unsigned: Words, found: Sizes) -> tuple[Words, Words]:
    """The varints' bytes: the first 8 as a word each, and the last 2."""
    first = unsigned & _WORD_PAYLOAD
    for lower, upper, gap in reversed(_STEPS):
        first = (first & lower) | ((first & upper) << gap)
    first |= _CONTINUED[found]
    rest = unsigned >> np.uint64(56)
    last = (rest & np.uint64(0x7F)) | ((rest >> np.uint64(7)) * np.uint64(0x0180))
    return first, last


def gather(first: Words) -> tuple[Words, Sizes]:
    """Read a varint from each word.

    Returns:
        The unsigned values (56 bits at most) and the bytes taken; 9 where the varint goes on
        after the word.
    """
    stop = ~first & _HIGH_BITS
    below = (stop & (~stop + _ONE)) - _ONE
    payload = first & below & _LOW_BITS
    for lower, upper, gap in _STEPS:
        payload = (payload & lower) | ((payload >> gap) & upper)
    return payload, (np.bitwise_count(below) >> 3).astype(np.int64) + 1
