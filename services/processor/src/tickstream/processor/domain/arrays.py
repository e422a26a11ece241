"""Small tools for arrays of codes and of what is kept by code."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.processor.domain.windows import Codes

_ROOM: Final = 64


def sorted_rows(codes: Codes) -> NDArray[np.intp]:
    """A stable order by small codes."""
    if len(codes) and codes.max() < 1 << 16:
        return np.argsort(codes.astype(np.uint16), kind="stable")
    return np.argsort(codes, kind="stable")


def run_heads(values: Codes) -> NDArray[np.intp]:
    """Where runs of equal values begin."""
    return np.concatenate(([0], np.flatnonzero(values[1:] != values[:-1]) + 1))


def grown(values: Ints, length: int, filler: int) -> Ints:
    """The array with room for at least `length` values."""
    if length <= len(values):
        return values
    room = max(length, 2 * len(values), _ROOM) - len(values)
    return np.concatenate((values, np.full(room, filler, dtype=np.int64)))
