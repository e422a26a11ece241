"""Anomalies of symbols and of the market, as they are published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from tickstream.analytics.domain.anomaly.measures import Cusum, mahalanobis, robust_z
from tickstream.analytics.domain.grid import Grid
from tickstream.analytics.domain.study import Panel
from tickstream.core.columns import Floats
from tickstream.core.model import AnalyticsFigure

WINDOW: Final = 60
"""Minutes that one is compared with, those right before it."""


class Subject(Protocol):
    """Whose minutes are judged, and by which components."""

    @property
    def least(self) -> Mapping[str, float]:
        """The components' names, and the smallest standard deviation of each that counts."""

    def components(self, grid: Grid, row: int) -> Floats:
        """The components of a row, [components, subjects]; NaN where one isn't known."""


class EachSymbol:
    """Every symbol by itself: its return, the logarithm of its volume, and of its high over its low."""

    least: Final = {"return": 2e-5, "volume": 0.05, "range": 2e-5}

    def components(self, grid: Grid, row: int) -> Floats:
        """Of bars of the regular and the continuous session."""
        span = np.log(grid.high[row] / grid.low[row])
        return np.where(grid.steady[row], (grid.returns[row], np.log1p(grid.volume[row]), span), np.nan)


class WholeMarket:
    """All symbols together: the means of their components, and how far their returns lie apart."""

    least: Final = {"return": 5e-6, "volume": 0.02, "range": 5e-6, "dispersion": 5e-6}

    def components(self, grid: Grid, row: int) -> Floats:
        """Over the symbols that have all components."""
        values = EachSymbol().components(grid, row)
        known = values[:, ~np.isnan(values).any(axis=0)]
        if not known.size:
            return np.full((len(self.least), 1), np.nan)
        return np.array((*known.mean(axis=1), known[0].std()))[:, None]


class Watch(NamedTuple):
    """How minutes compare, component by component.

    Attributes:
        minutes: the components of the last `WINDOW` minutes and of the one judged, which is last, by their rows.
        z: robust, of the minute judged, [components, subjects].
        cusum: of the day's minutes so far.
    """

    minutes: Mapping[int, Floats]
    z: Floats
    cusum: Cusum

    @property
    def past(self) -> Floats:
        """The minutes before the one judged, [minutes, components, subjects]."""
        return np.array(list(self.minutes.values())[:-1]).reshape(-1, *self.z.shape)

    @property
    def now(self) -> Floats:
        """The minute judged."""
        return list(self.minutes.values())[-1]


class Anomaly:
    """How unusual a minute is, what makes it so, and whether levels have changed.

    Args:
        subject: whose minutes.
        scope: of the figures, where the subject is one; None when it is every symbol.
    """

    def __init__(self, subject: Subject, scope: str | None = None) -> None:
        self._subject = subject
        self._scope = scope
        self._least = np.array(list(subject.least.values()))

    def begin(self, grid: Grid, _past: Sequence[Grid]) -> Watch:
        """Nothing to compare with."""
        shape = (len(self._least), 1 if self._scope else len(grid.symbols))
        return Watch({}, np.full(shape, np.nan), Cusum.start(*shape))

    def step(self, state: Watch, grid: Grid, row: int) -> Watch:
        """One minute more."""
        if not grid.steady[row].any():
            return state
        minutes = {at: each for at, each in state.minutes.items() if at >= row - WINDOW}
        seen = state._replace(minutes={**minutes, row: self._subject.components(grid, row)})
        z = robust_z(seen.past, seen.now, self._least)
        return seen._replace(z=z, cusum=seen.cusum.step(z))

    def figures(self, state: Watch, grid: Grid, row: int) -> Iterator[Panel | AnalyticsFigure]:
        """`anomaly` and `change`."""
        if row not in state.minutes:
            return
        for name, values in (("anomaly", self._scores(state)), ("change", self._changes(state))):
            if self._scope is None:
                yield Panel(name, f"{WINDOW}m", values)
                continue
            found = {key: float(value[0]) for key, value in values.items() if np.isfinite(value[0])}
            if found:
                yield AnalyticsFigure(self._scope, name, grid.end(row), f"{WINDOW}m", found)

    def _scores(self, state: Watch) -> Mapping[str, Floats]:
        found = mahalanobis(state.past, state.now, self._least)
        values = {"distance": found.distance}
        for component, z, share in zip(self._subject.least, state.z, found.shares, strict=True):
            values |= {f"{component}_z": z, f"{component}_share": share}
        return values

    def _changes(self, state: Watch) -> Mapping[str, Floats]:
        cusum, changed = state.cusum, state.cusum.changed
        minutes = np.select([changed > 0, changed < 0], [cusum.rising, cusum.falling], np.nan)
        sums = {"up": cusum.up, "down": cusum.down, "change": changed, "minutes": minutes}
        return {
            f"{component}_{name}": np.where(np.isnan(state.z[place]), np.nan, values[place])
            for place, component in enumerate(self._subject.least)
            for name, values in sums.items()
        }
