"""A simulated market: prices that move together, trades at random times, all in columns.

Logarithmic prices follow Merton's jump diffusion: (drift - volatility^2 / 2) dt + volatility dW + jumps,
where dW = market dM + sqrt(1 - market^2) dZ, with one Brownian motion M for the whole market and a Z
for each symbol (Merton 1976; the one-factor form of correlation is Sharpe's of 1963).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Floats, Interner, Ints, Strings, TickColumns
from tickstream.producer.domain.characters import Character
from tickstream.producer.domain.chunks import constant, unsent

_VENUES: Final = ("SIM",)
_SIZE_SPREAD: Final = 0.8
_CURVE_FLOOR: Final = 0.6
_CURVE_DEPTH: Final = 1.2


@dataclass(frozen=True, slots=True)
class Year:
    """How long a trading year and a trading day are, in seconds."""

    seconds: float
    days: float

    @property
    def day(self) -> float:
        return self.seconds / self.days


EXCHANGE_YEAR: Final = Year(252 * 6.5 * 3600, 252)
CONTINUOUS_YEAR: Final = Year(365 * 86_400.0, 365)


class Stretch(NamedTuple):
    """A session's bounds, nanoseconds since the epoch."""

    start: int
    end: int


class Market:
    """The state of the simulated symbols: where each price is, and when it trades next.

    Args:
        characters: of each symbol.
        source: the name of the trades' source.
        year: what volatilities and drifts are counted for.
    """

    def __init__(self, characters: Mapping[str, Character], source: str, year: Year) -> None:
        self._year = year
        self._symbols = Interner()
        self._sources = (source,)
        self._all: list[Character] = []
        self._active: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._log_price: Floats = np.zeros(0)
        self._last: Ints = np.zeros(0, dtype=np.int64)
        self._next: Ints = np.zeros(0, dtype=np.int64)
        self._common_at_last: Floats = np.zeros(0)
        self._common = 0.0
        self._common_time = 0
        self.reconfigure(characters)

    def reconfigure(self, characters: Mapping[str, Character]) -> None:
        """Trade these symbols from now on; the prices of those that stay go on where they are."""
        for symbol, character in characters.items():
            code = self._symbols.code(symbol)
            if code < len(self._all):
                self._all[code] = character
            else:
                self._add(character)
        self._active = np.array([self._symbols.code(symbol) for symbol in characters], dtype=np.intp)

    def _add(self, character: Character) -> None:
        self._all.append(character)
        self._log_price = np.append(self._log_price, np.log(character.price))
        self._last = np.append(self._last, 0)
        self._next = np.append(self._next, 0)
        self._common_at_last = np.append(self._common_at_last, 0.0)

    def trade(self, rng: np.random.Generator, start: int, stop: int, session: Stretch) -> TickColumns:
        """The trades of [start, stop), in the order of time.

        Args:
            rng: where all chance comes from.
            start: nanoseconds since the epoch.
            stop: the same, in the same session.
            session: the bounds of the session, over which volume follows its curve.
        """
        ts, codes = self._arrivals(rng, start, stop)
        self._wake(codes, start, session.start)
        return unsent(
            Strings(codes.astype(np.int32), self._symbols.values),
            self._prices(rng, ts, codes),
            self._sizes(rng, ts, codes, session),
            ts,
            constant(0, self._sources, len(ts)),
            venue=constant(0, _VENUES, len(ts)),
        )

    def _arrivals(self, rng: np.random.Generator, start: int, stop: int) -> tuple[Ints, NDArray[np.intp]]:
        """When which symbol trades, by time: at intervals spread evenly between a third and five thirds of the mean."""
        active = self._active
        if not len(active):
            return np.zeros(0, dtype=np.int64), active
        mean = self._each("interval")[active] * NANOS_PER_SECOND
        idle = self._next[active] < start
        self._next[active[idle]] = start + (rng.random(len(active)) * mean)[idle].astype(np.int64)
        most = int((stop - start) / (mean.min() / 3)) + 1
        gaps = mean[:, None] * rng.uniform(1 / 3, 5 / 3, (len(active), most))
        first = self._next[active][:, None]
        times = np.hstack([first, first + np.cumsum(gaps, axis=1).astype(np.int64)])
        inside = times < stop
        self._next[active] = times[np.arange(len(active)), inside.sum(axis=1)]
        ts = times[inside]
        order = np.argsort(ts, kind="stable")
        return ts[order], active[np.nonzero(inside)[0][order]]

    def _wake(self, codes: NDArray[np.intp], start: int, session_start: int) -> None:
        """A price doesn't move before its first trade, nor while its market is closed."""
        self._common_time = max(self._common_time, session_start) or start
        fresh = codes[self._last[codes] == 0]
        self._last[fresh] = start
        self._common_at_last[fresh] = self._common
        self._last = np.where(self._last > 0, np.maximum(self._last, session_start), 0)

    def _prices(self, rng: np.random.Generator, ts: Ints, codes: NDArray[np.intp]) -> Floats:
        """The price at each trade, on its symbol's grid."""
        if not len(ts):
            return np.zeros(0)
        common = self._common_moves(rng, ts)
        order = np.argsort(codes, kind="stable")
        grouped, ts, common = codes[order], ts[order], common[order]
        firsts = np.flatnonzero(np.diff(grouped, prepend=-1))
        lasts = np.append(firsts[1:], len(grouped)) - 1
        owners = grouped[firsts]
        elapsed = _differences(ts, firsts, self._last[owners])
        steps = self._steps(rng, grouped, elapsed, _differences(common, firsts, self._common_at_last[owners]))
        path = _running_sums(steps, firsts, self._log_price[owners])
        self._log_price[owners], self._last[owners] = path[lasts], ts[lasts]
        self._common_at_last[owners] = common[lasts]
        prices = np.empty(len(path))
        prices[order] = on_grid(np.exp(path), self._each("tick")[grouped])
        return prices

    def _common_moves(self, rng: np.random.Generator, ts: Ints) -> Floats:
        """Where the market's common motion, per square root of a year, is at each time."""
        years = np.diff(ts, prepend=self._common_time) / NANOS_PER_SECOND / self._year.seconds
        path: Floats = self._common + np.cumsum(rng.standard_normal(len(ts)) * np.sqrt(years))
        self._common, self._common_time = float(path[-1]), int(ts[-1])
        return path

    def _steps(self, rng: np.random.Generator, codes: NDArray[np.intp], elapsed: Ints, common: Floats) -> Floats:
        """The logarithmic returns since each symbol's trade before."""
        years = elapsed / NANOS_PER_SECOND / self._year.seconds
        volatility, market = self._each("volatility")[codes], self._each("market")[codes]
        own = rng.standard_normal(len(codes)) * np.sqrt(years)
        diffusion = volatility * (market * common + np.sqrt(1 - market**2) * own)
        jumps = rng.poisson(self._each("jumps")[codes] * years * self._year.days)
        leaps = self._each("jump")[codes] * np.sqrt(jumps) * rng.standard_normal(len(codes))
        returns: Floats = (self._each("drift")[codes] - volatility**2 / 2) * years + diffusion + leaps
        return returns

    def _sizes(self, rng: np.random.Generator, ts: Ints, codes: NDArray[np.intp], session: Stretch) -> Floats:
        through = (ts - session.start) / (session.end - session.start)
        spread = rng.lognormal(-(_SIZE_SPREAD**2) / 2, _SIZE_SPREAD, len(ts))
        return np.maximum(1.0, np.rint(self._each("size")[codes] * volume_curve(through) * spread))

    def _each(self, name: str) -> Floats:
        return np.array([getattr(character, name) for character in self._all], dtype=np.float64)


def volume_curve(through: Floats) -> Floats:
    """How busy a session is, in relation to its mean: a U, three times as high at its ends as in the middle.

    Args:
        through: how much of the session is over, from 0 to 1.
    """
    curve: Floats = _CURVE_FLOOR + _CURVE_DEPTH * (2 * through - 1) ** 2
    return curve


def on_grid(prices: Floats, ticks: Floats) -> Floats:
    """The nearest prices on the grid, at least one tick; the doubles that decimals such as 12.34 read as."""
    steps = np.maximum(1.0, np.rint(prices / ticks))
    per_dollar = np.rint(1 / ticks)
    decimal = np.isclose(per_dollar * ticks, 1.0)
    on: Floats = np.where(decimal, steps / np.where(decimal, per_dollar, 1.0), steps * ticks)
    return on


def _differences(values: NDArray[Any], firsts: NDArray[np.intp], before: NDArray[Any]) -> NDArray[Any]:
    """From each value to the next within its group; `before` is what stands before the first of each."""
    differences = np.diff(values, prepend=values[:1])
    differences[firsts] = values[firsts] - before
    return differences


def _running_sums(steps: Floats, firsts: NDArray[np.intp], starts: Floats) -> Floats:
    """The sums within each group, from its own start."""
    sums = np.cumsum(steps)
    lengths = np.diff(np.append(firsts, len(steps)))
    shifted: Floats = sums + np.repeat(starts - (sums[firsts] - steps[firsts]), lengths)
    return shifted
