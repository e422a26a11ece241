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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

import numpy as np

from tickstream.core.columns import Floats
from tickstream.processor.domain import catalogue, functions
from tickstream.processor.domain.catalogue import Plan
from tickstream.processor.domain.functions import NAN, PAGE, PRICES, Function
from tickstream.processor.domain.own import Own

_ROOM: Final = 64

Bar = tuple[float, float, float, float, float]
"""A bar by `PRICES`."""

_Live = tuple[Any, Callable[..., Any], Callable[..., Any], int, int, int]
"""A handle, its `update` and `peek`, which inputs it takes, where its values begin, and end where they are several."""


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

    __slots__ = ("_history", "_kept", "_limit", "_live", "_plan", "_usable", "_waiting", "anchor", "stands")

    def __init__(self, plan: Plan | None = None, held: Held | None = None, *, kept: int = 0) -> None:
        held = held or Held()
        self._plan = plan or catalogue.usual().plan("")
        self._limit = max(kept, self._plan.kept) + PAGE
        self.anchor, self.stands = held.anchor, held.stands
        self._kept = held.bars.shape[1]
        self._history: Floats = np.empty((len(PRICES), max(_ROOM, self._kept)))
        self._history[:, : self._kept] = held.bars
        self._live: list[_Live] | None = None
        self._waiting: list[int] = []
        while self._kept >= self._limit:
            self._let_go()
        self._usable = self._first_usable()

    def close(self, bar: Bar) -> list[float]:
        """Take a closed bar; gives the values by the catalogue's names less vwap, NaN where there is none."""
        live = self._opened()
        self._append(bar)
        values = [NAN] * self._plan.width
        if all(map(isfinite, bar)):
            inputs = [[bar[column] for column in columns] for columns in self._plan.inputs]
            for _, update, _, which, at, until in live:
                if until:
                    values[at:until] = update(*inputs[which])
                else:
                    values[at] = update(*inputs[which])
            if self._waiting:
                for handle, _, _, _, at, until in self._open_more():
                    if until:
                        values[at:until] = handle.value
                    else:
                        values[at] = handle.value
            self._finish(values)
        else:
            self._usable = self._kept
            self._live = None
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
        self._live = None
        return [self.close(bar) for bar in bars]

    def peek(self, bar: Bar) -> list[float]:
        """The values that `close` would give of what isn't warming; nothing changes."""
        values = [NAN] * self._plan.width
        live = self._opened()
        if not all(map(isfinite, bar)):
            return values
        inputs = [[bar[column] for column in columns] for columns in self._plan.inputs]
        for _, _, peek, which, at, until in live:
            if until:
                values[at:until] = peek(*inputs[which])
            else:
                values[at] = peek(*inputs[which])
        self._append(bar)
        self._finish(values)
        self._kept -= 1
        return values

    def last(self, count: int) -> Floats:
        """The last closed bars: a row for each of `PRICES`."""
        return self._history[:, self._kept - count : self._kept]

    def _finish(self, values: list[float]) -> None:
        """Join what comes from before the anchor, and mend what isn't finite."""
        for at, place, is_factor in self._plan.endless:
            values[at] = values[at] * self.stands[place] if is_factor else values[at] + self.stands[place]
        if isfinite(sum(values)):
            return
        for member, (at, until) in zip(self._plan.members, self._plan.spans, strict=True):
            if not all(map(isfinite, values[at:until])):
                values[at:until] = self._shortest(member)

    def _shortest(self, member: Function | Own) -> list[float]:
        """A member's values over the shortest history, where they are finite."""
        begin = self._kept - member.lookback - 1
        if begin < self._usable or member.endless is not None:
            return [NAN] * len(member.outputs)
        found = member.last([self._history[PRICES.index(name), begin : self._kept] for name in member.inputs])
        return [value if isfinite(value) else NAN for value in found]

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
        self._live = None

    def _opened(self) -> list[_Live]:
        if self._live is None:
            self._live = []
            self._waiting = list(range(len(self._plan.members)))
            self._open_more()
        return self._live

    def _open_more(self) -> list[_Live]:
        """Open the handles that what is kept has become enough for; gives those."""
        usable = self._kept - self._usable
        opened = []
        for place in [place for place in self._waiting if self._plan.members[place].lookback < usable]:
            member, (at, until) = self._plan.members[place], self._plan.spans[place]
            columns = [self._history[PRICES.index(name), self._usable : self._kept] for name in member.inputs]
            handle = member.open(columns)
            if handle is not None:
                self._waiting.remove(place)
                several = until if until > at + 1 else 0
                opened.append((handle, handle.update, handle.peek, self._plan.which[place], at, several))
        self._live = [*(self._live or ()), *opened]
        return opened
