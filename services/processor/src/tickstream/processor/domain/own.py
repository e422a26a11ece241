"""A user's own indicators, as series take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tickstream.core.columns import Floats
from tickstream.processor.domain.functions import LONGEST, NAN, PRICES
from tickstream.processor.indicator import Indicator

Found = float | tuple[float, ...]
"""A value, or as many as there are outputs."""


@dataclass(slots=True)
class Failures:
    """Bars for which an indicator raised something, since they were last asked for."""

    count: int = 0
    last: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """An indicator that isn't TA-Lib's. What it raises is counted, and its value is absent.

    Attributes:
        name: as entries call it.
        inputs: of `PRICES`.
        outputs: the values' names.
        lookback: how many bars come before the first value.
        memory: how many bars a value depends on.
    """

    name: str
    indicator: Indicator
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lookback: int
    memory: int
    failures: Failures = field(default_factory=Failures, compare=False)

    @classmethod
    def of(cls, name: str, stem: str, indicator: Indicator) -> Own:
        """An indicator whose outputs' names begin with `stem`.

        Raises:
            ValueError: it breaks a rule of `Indicator`.
        """
        inputs, suffixes = tuple(indicator.inputs), tuple(indicator.outputs)
        lookback, memory = indicator.lookback, indicator.memory
        if not inputs or not set(inputs) <= set(PRICES):
            raise ValueError(f"inputs must be some of {', '.join(PRICES)}, were {inputs}")
        if not suffixes or len(set(suffixes)) < len(suffixes) or not all(isinstance(one, str) for one in suffixes):
            raise ValueError(f"outputs must be texts, at least one, each another, were {suffixes}")
        if not (isinstance(lookback, int) and isinstance(memory, int) and 0 <= lookback < memory <= LONGEST):
            raise ValueError(f"0 <= lookback < memory <= {LONGEST} must hold, were {lookback} and {memory}")
        outputs = tuple(f"{stem}_{suffix}" if suffix else stem for suffix in suffixes)
        return cls(name, indicator, inputs, outputs, lookback, memory)

    @property
    def endless(self) -> None:
        """It goes by its memory alone."""

    @property
    def is_factor(self) -> bool:
        """It has no place in what came before."""
        return False

    def open(self, columns: Sequence[Floats]) -> Window | None:
        """A handle on a history of inputs; None while that isn't enough."""
        return Window(self, columns) if len(columns[0]) > self.lookback else None

    def last(self, columns: Sequence[Floats]) -> list[float]:
        """What isn't finite stays no value."""
        del columns
        return [NAN] * len(self.outputs)

    def values(self, columns: Floats) -> Found:
        """What the indicator says of the last bar."""
        try:
            found = tuple(float(value) for value in self.indicator.compute(*columns))
            if len(found) != len(self.outputs):
                raise ValueError(f"{len(self.outputs)} values must come, were {len(found)}")  # noqa: TRY301 - told as any
        except Exception as error:  # noqa: BLE001 - a user's code must not stop bars
            self.failures.count += 1
            self.failures.last = f"{type(error).__name__}: {error}"
            found = (NAN,) * len(self.outputs)
        return found if len(found) > 1 else found[0]

    def take_failures(self) -> Failures:
        """What went wrong since this was last asked."""
        found = Failures(self.failures.count, self.failures.last)
        self.failures.count = 0
        return found


class Window:
    """The handle on an own indicator: the last bars that it looks at."""

    __slots__ = ("_columns", "_end", "_own", "value")

    def __init__(self, own: Own, columns: Sequence[Floats]) -> None:
        held = min(len(columns[0]), own.memory)
        self._own = own
        self._columns: Floats = np.empty((len(columns), 2 * own.memory))
        self._end = held
        for row, column in zip(self._columns, columns, strict=True):
            row[:held] = column[len(column) - held :]
        self.value = own.values(self._last(held))

    def update(self, *bar: float) -> Found:
        """The values after one more bar."""
        self._put(bar)
        self._end += 1
        self.value = self._own.values(self._last(self._end))
        return self.value

    def peek(self, *bar: float) -> Found:
        """The values that `update` would give."""
        self._put(bar)
        return self._own.values(self._last(self._end + 1))

    def _put(self, bar: Sequence[float]) -> None:
        if self._end == self._columns.shape[1]:
            self._end = self._own.memory
            self._columns[:, : self._end] = self._columns[:, self._end :].copy()
        self._columns[:, self._end] = bar

    def _last(self, end: int) -> Floats:
        seen = self._columns[:, max(0, end - self._own.memory) : end]
        seen.flags.writeable = False
        return seen
