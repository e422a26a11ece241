"""When a rule is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Ints


@dataclass(frozen=True, slots=True)
class Schedule:
    """Stretches of event time.

    Attributes:
        text: what it says; the same for two that say the same.
        bounds: when each stretch begins and ends, in turn, ascending; nanoseconds.
    """

    text: str
    bounds: Ints = field(compare=False, repr=False)

    def covers(self, moments: Ints) -> NDArray[np.bool_]:
        """Which moments lie within a stretch."""
        found: NDArray[np.bool_] = self.places(moments) % 2 == 1
        return found

    def places(self, moments: Ints) -> NDArray[np.intp]:
        """In which stretch, or gap between two, each moment lies, as ascending numbers; stretches have odd ones."""
        return np.searchsorted(self.bounds, moments, side="right")

    def end(self, moment: int) -> int:
        """When the stretch that holds a moment ends; the moment itself when none does."""
        place: Any = self.places(np.int64(moment))  # type: ignore[arg-type]  # one moment is as good as many
        return int(self.bounds[place]) if place % 2 else moment
