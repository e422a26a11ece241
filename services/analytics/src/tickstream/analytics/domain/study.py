"""What figures are made by: studies, each of which goes along a trading day minute by minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from tickstream.analytics.domain.grid import Grid
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import AnalyticsFigure

State = TypeVar("State")

_SPACING: Final = 16
"""Rows from one state that is kept to the next: a revised bar is gone back to no further than that."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Figures of one name and window for all symbols.

    They are given for symbols with a bar of the regular or the continuous session in the row.

    Attributes:
        values: [symbols] by name; what isn't finite is left out, and a symbol without any value has no figure.
        mutual: whether a symbol's values depend on other symbols' bars, too; then a late or revised
            bar of one gives the figures of all again.
    """

    name: str
    window: str
    values: Mapping[str, Floats]
    mutual: bool = False


def known(count: Floats | Ints, least: int = 1) -> Floats:
    """Numbers, NaN where they are below `least`: too few for a figure."""
    return np.where(count >= least, count, np.nan)


class Study(Protocol[State]):
    """Figures, as a function of a day's bars so far and those of the days before.

    A state is a value: `step` gives another one and leaves the one before, and its arrays, as they were.
    What can't be worked out may come out as NaN: nothing warns of a division by zero.
    """

    def begin(self, grid: Grid, past: Sequence[Grid], /) -> State:
        """The state before the day's first bar.

        Args:
            grid: of the day; only its symbols may be looked at.
            past: earlier days, as many as are kept for the purpose, in the order of time.
        """

    def step(self, state: State, grid: Grid, row: int, /) -> State:
        """The state after a row. Rows without any bar are left out; later ones mustn't be looked at."""

    def figures(self, state: State, grid: Grid, row: int, /) -> Iterable[Panel | AnalyticsFigure]:
        """What is to be published about a row, given the state after it."""


class Stateless:
    """The part of a study that needs nothing but the grid's last rows."""

    def begin(self, _grid: Grid, _past: Sequence[Grid]) -> None:
        """Nothing."""

    def step(self, _state: None, _grid: Grid, _row: int) -> None:
        """Nothing."""


class Windowed(Stateless):
    """The same of the last minutes.

    Args:
        minutes: length of the window.
    """

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes


class Course(Generic[State]):
    """A study on its way through a day, with some of the states that it has been in.

    Args:
        study: gives the states.
        grid: of the day.
        past: the days before.
    """

    def __init__(self, study: Study[State], grid: Grid, past: Sequence[Grid]) -> None:
        self._study = study
        self._grid = grid
        self._states: list[tuple[int, State]] = [(-1, study.begin(grid, past))]

    def rewind(self, row: int) -> None:
        """Forget what follows from this row and later ones."""
        while self._states[-1][0] >= max(row, 0):
            self._states.pop()

    def figures(self, row: int) -> list[Panel | AnalyticsFigure]:
        """What is to be published about a row; rows are asked for in ascending order, but for `rewind`."""
        before, state = self._states[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            for at in self._grid.filled(before + 1, row + 1):
                state = self._study.step(state, self._grid, at)
                self._remember(at, state)
            return list(self._study.figures(state, self._grid, row))

    def _remember(self, row: int, state: State) -> None:
        if len(self._states) > 1 and row - self._states[-2][0] < _SPACING:
            self._states.pop()
        self._states.append((row, state))
