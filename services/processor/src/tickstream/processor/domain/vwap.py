"""VWAP since the start of the session, at the end of each closed bar.

A bar belongs to the session that holds its start; its VWAP is over all trades from that session's
start, or from midnight for daily bars, to the bar's end. It is made of the sums of trades, never
of rounded figures of bars.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints


def accumulate(
    groups: NDArray[np.intp],
    anchors: Ints,
    next_anchors: Ints,
    sums: Floats,
    next_sums: Floats,
    carried: tuple[Ints, Floats],
) -> tuple[Floats, Floats]:
    """Sums since the session's start, at the end of each bar.

    Args:
        groups: a number for each bar's series; bars of a series lie together, in order of time.
        anchors: when the session that holds each bar's start began.
        next_anchors: the same for each bar's end.
        sums: n x 3, of the trades of each bar.
        next_sums: n x 3, of those of its trades that came at or after `next_anchors`.
        carried: what each series brings along, by the rows of its first bar's group in order: (anchor, sums).

    Returns:
        (n x 3 running sums, n x 3 that a series takes along from each bar, since `next_anchors`).
    """
    fresh = np.ones(len(groups), dtype=np.bool_)
    fresh[1:] = groups[1:] != groups[:-1]
    heads = np.flatnonzero(fresh)
    carried_anchors, carried_sums = carried
    turns = fresh.copy()
    turns[1:] |= anchors[1:] != anchors[:-1]
    starts = np.flatnonzero(turns)
    begin = np.zeros((len(starts), 3))
    first = fresh[starts]
    begin[first] = np.where((carried_anchors == anchors[heads])[:, None], carried_sums, 0.0)
    before = starts[~first] - 1
    begin[~first] = np.where((next_anchors[before] == anchors[starts[~first]])[:, None], next_sums[before], 0.0)
    running = sums.copy()
    running[starts] += begin
    lengths = np.diff(starts, append=len(groups))
    for start, length in zip(starts[lengths > 1].tolist(), lengths[lengths > 1].tolist(), strict=True):
        np.add.accumulate(running[start : start + length], axis=0, out=running[start : start + length])
    stays = (next_anchors == anchors)[:, None]
    return running, np.where(stays, running, next_sums)
