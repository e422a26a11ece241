"""Why a window is empty: nobody traded, nobody could, or nobody would have told us.

Market events say when a symbol's trading was halted and resumed, and when a source was down and up
again. A window without trades in which a symbol's sources were all down at one time says nothing of
the market; it is `feed_down`, even where trading was halted, too. Else it is `halted` when trading
was halted at any time within it, and `quiet` when nothing of that kind is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints
from tickstream.core.outages import Outages, Stretch

ACTIVITIES: Final = ("traded", "quiet", "feed_down", "halted")
"""The names of a bar's activities; a bar holds the index."""

TRADED: Final = 0
QUIET: Final = 1
FEED_DOWN: Final = 2
HALTED: Final = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """The market events that a partition has heard: what they tell, and the next offset of each of their partitions."""

    outages: Outages = field(default_factory=Outages)
    offsets: dict[int, int] = field(default_factory=dict)

    def has(self, partition: int, offset: int) -> bool:
        """Whether an event was heard before."""
        return offset < self.offsets.get(partition, 0)


def touched(stretches: Sequence[Stretch], starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Which windows have something in common with some stretches."""
    found = np.zeros(len(starts), dtype=np.bool_)
    for begin, end in stretches:
        found |= (starts < end) & (ends > begin)
    return found
