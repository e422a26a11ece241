"""The indicators of one symbol in one interval, bar by bar.

A series' values depend on the bars since its anchor, the first bar that is kept: as soon as there
are `PAGE` more bars than are to be kept, that many are let go and TA-Lib's handles are opened anew
on the others. Where that happens depends on the number of bars alone, so neither a restart, which
opens the handles on the same bars, nor a revision of bars changes a value. Until then, values are
those of TA-Lib's batch functions over all bars; after that what is left out weighs less than 1e-9
of what is kept. What goes by all bars there ever were is carried on from anchor to anchor.

Quiet bars count like any other. A bar that isn't finite has no values, and those after it begin
anew. A function that has no finite value, such as a mean weighted by volume where there was none,
has none for that bar; where it would never find back, its value is that over its shortest history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

import numpy as np

from tickstream.core.columns import Floats
from tickstream.processor.domain import catalogue, functions
from tickstream.processor.domain.catalogue import Plan
from tickstream.processor.domain.functions import NAN, PAGE, PRICES

_ROOM: Final = 64

Bar = tuple[float, float, float, float, float]
"""A bar by `PRICES`."""


def _no_bars() -> Floats:
    return np.empty((len(PRICES), 0))


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept of a series.

    Attributes:
        bars: a row for each of `PRICES`.
        anchor: the number of the first of them, counted from 0.
        stands: where the functions of `ENDLESS` stand there.
    """

    bars: Floats = field(default_factory=_no_bars)
    anchor: int = 0
    stands: tuple[float, ...] = functions.BEGINNING


class Series:
    """The indicators of one symbol in one interval.

    Args:
        plan: what it works out; the usual indicators when left out.
        held: what it goes on from.
        kept: how many bars it keeps at least, at least those that the plan asks for.

    Attributes:
        anchor: the number of the first bar that is kept, counted from 0.
        stands: where the functions of `ENDLESS` stand there.
    """

    __slots__ = ("_handles", "_history", "_kept", "_limit", "_plan", "_usable", "_which", "anchor", "stands")

    def __init__(self, plan: Plan | None = None, held: Held | None = None, *, kept: int = 0) -> None:
        held = held or Held()
        self._plan = plan or catalogue.usual().plan("")
        self._limit = max(kept, self._plan.kept) + PAGE
        self._which = self._plan.columns
        self.anchor, self.stands = held.anchor, held.stands
        self._kept = held.bars.shape[1]
        self._history: Floats = np.empty((len(PRICES), max(_ROOM, self._kept)))
        self._history[:, : self._kept] = held.bars
        self._handles: list[Any] | None = None
        while self._kept >= self._limit:
            self._let_go()
        self._usable = self._first_usable()

    def close(self, bar: Bar) -> list[float]:
        """Take a closed bar; gives the values by the catalogue's names less vwap, NaN where there is none."""
        handles = self._opened()
        self._append(bar)
        values = [NAN] * self._plan.width
        if not all(map(isfinite, bar)):
            self._usable = self._kept
            handles[:] = [None] * len(handles)
        else:
            for place, handle in enumerate(handles):
                if handle is None:
                    handle = handles[place] = self._open(place)  # noqa: PLW2901 - opened here, used below
                    if handle is not None:
                        self._put(values, place, handle.value)
                else:
                    self._put(values, place, handle.update(*[bar[column] for column in self._which[place]]))
            if not isfinite(sum(values)):
                self._mend(values)
        if self._kept == self._limit:
            self._let_go()
        return values

    def revise(self, dropped: int, bars: Sequence[Bar]) -> list[list[float]]:
        """Forget the last closed bars and close others in their place; gives the values of each.

        Args:
            dropped: how many are forgotten.
            bars: those in their place, as many or more.

        Raises:
            ValueError: not so many are kept, or fewer come than go.
        """
        if dropped > self._kept:
            raise ValueError(f"at most the {self._kept} bars that are kept can be revised, not {dropped}")
        if len(bars) < dropped:
            raise ValueError(f"{dropped} bars must be replaced by as many or more, not by {len(bars)}")
        self._kept -= dropped
        self._usable = self._first_usable()
        self._handles = None
        return [self.close(bar) for bar in bars]

    def peek(self, bar: Bar) -> list[float]:
        """The values that `close` would give of what isn't warming; nothing changes."""
        values = [NAN] * self._plan.width
        if not all(map(isfinite, bar)):
            return values
        for place, handle in enumerate(self._opened()):
            if handle is not None:
                self._put(values, place, handle.peek(*[bar[column] for column in self._which[place]]))
        if not isfinite(sum(values)):
            self._append(bar)
            self._mend(values)
            self._kept -= 1
        return values

    def last(self, count: int) -> Floats:
        """The last closed bars: a row for each of `PRICES`."""
        return self._history[:, self._kept - count : self._kept]

    def _put(self, values: list[float], place: int, found: Any) -> None:
        at, until = self._plan.spans[place]
        if until > at + 1:
            values[at:until] = found
            return
        member = self._plan.members[place]
        if member.endless is not None:
            stand = self.stands[member.endless]
            found = found * stand if member.is_factor else found + stand
        values[at] = found

    def _mend(self, values: list[float]) -> None:
        """Give what isn't finite its value over the shortest history, or none."""
        for place, handle in enumerate(self._opened()):
            at, until = self._plan.spans[place]
            if handle is None or all(map(isfinite, values[at:until])):
                continue
            member = self._plan.members[place]
            if member.endless is not None:
                values[at] = NAN
                continue
            begin = max(self._usable, self._kept - member.lookback - 1)
            found = member.last([self._history[column, begin : self._kept] for column in self._which[place]])
            values[at:until] = [value if isfinite(value) else NAN for value in found]

    def _append(self, bar: Bar) -> None:
        if self._kept == self._history.shape[1]:
            self._history = np.concatenate((self._history, np.empty_like(self._history)), axis=1)
        self._history[:, self._kept] = bar
        self._kept += 1

    def _first_usable(self) -> int:
        """Where the bars begin that none comes after that isn't finite."""
        gaps = np.flatnonzero(~np.isfinite(self._history[:, : self._kept]).all(axis=0))
        return int(gaps[-1]) + 1 if len(gaps) else 0

    def _let_go(self) -> None:
        self.stands = functions.carried(self.stands, self._history[:, : PAGE + 1])
        self.anchor += PAGE
        self._history = self._history[:, PAGE : self._kept].copy()
        self._kept -= PAGE
        self._usable = self._first_usable()
        self._handles = None

    def _opened(self) -> list[Any]:
        if self._handles is None:
            self._handles = [self._open(place) for place in range(len(self._which))]
        return self._handles

    def _open(self, place: int) -> Any | None:
        """The handle on what is kept; None while that isn't enough."""
        columns = [self._history[column, self._usable : self._kept] for column in self._which[place]]
        return self._plan.members[place].open(columns)
