"""What an indicator of a user's own is.

A package that brings one names a factory under `[project.entry-points."tickstream.indicators"]`; it
is used by that name in `PROCESSOR_INDICATORS`. docs/indicators.md goes through it step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tickstream.core.columns import Floats

GROUP: Final = "tickstream.indicators"
"""The entry points' group."""


class Indicator(Protocol):
    """A function of the last closed bars of one symbol in one interval.

    It must keep nothing between calls: the same bars always give the same values.
    """

    @property
    def inputs(self) -> Sequence[str]:
        """Which of `open`, `high`, `low`, `close` and `volume` it takes, in its own order."""

    @property
    def outputs(self) -> Sequence[str]:
        """What is added to its name for each of its values; an empty text adds nothing."""

    @property
    def lookback(self) -> int:
        """How many bars come before the first that it has values for."""

    @property
    def memory(self) -> int:
        """How many bars it looks at, at most; more than `lookback`."""

    def compute(self, *columns: Floats) -> Sequence[float]:
        """The values for the last bar, one for each of `outputs`.

        Args:
            columns: each of `inputs` over the last bars, oldest first: `memory` of them, or all there are and
                more than `lookback`. They must not be changed.

        Returns:
            the values; what isn't finite is no value.
        """


Factory = Callable[..., Indicator]
"""Makes an indicator of the numbers that its entry gives; a ValueError says which rule one of them breaks."""
