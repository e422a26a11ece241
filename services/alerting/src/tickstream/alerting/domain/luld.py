"""Limit-up and limit-down price bands of a US stock, worked out from its trades.

The National Market System Plan to Address Extraordinary Market Volatility (SEC File No. 4-631), as amended by
Amendment 18 (Release 34-84843, 83 FR 66464) and after: its section V has the reference price and the bands, VI limit
states, VII trading pauses, appendix A the percentages.

The plan's limit states are made of quotes, which trades don't tell: one is inferred from a trade at a band, or through
it, until one between the bands. A pause is what was declared as a halt of the symbol; without that, one is presumed
when nothing is traded from 15 seconds after the limit state began until five minutes later. The first trade then is
the reopening.

Prices are whole numbers of a hundredth of a cent, so that a mean is the same however its trades came in batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Floats, Ints
from tickstream.core.outages import EVER, FOREVER, Stretch
from tickstream.core.sessions import REGULAR, Sessions

UNITS: Final = 10_000
"""Of a price, in a dollar."""

_CENT: Final = UNITS // 100
_WINDOW: Final = 300
"""Seconds of trades that the reference price is the mean of."""
_IN_EFFECT: Final = 30 * NANOS_PER_SECOND
"""For how long a reference price stays at least."""
_MOVED: Final = 100
"""A reference price follows the mean once that is a hundredth of it away."""
_LIMIT_STATE: Final = 15 * NANOS_PER_SECOND
_PAUSE: Final = 300 * NANOS_PER_SECOND
_LATE: Final = 25 * 60 * NANOS_PER_SECOND
"""Before the close, when bands are wider."""
_CALENDAR: Final = "XNYS"


class Bands(NamedTuple):
    """The bands at each of some trades, in dollars; `apply` is whether any were in force: in regular hours, no halt."""

    lower: Floats
    upper: Floats
    reference: Floats
    apply: NDArray[np.bool_]


def bands_of(reference: int, previous_close: int, tier: int, leverage: float, *, late: bool) -> tuple[int, int]:
    """The lower and the upper band around a reference price, to the cent; all prices in units.

    Args:
        reference: the reference price.
        previous_close: what the percentage goes by, for the whole day.
        tier: 1 or 2.
        leverage: of a leveraged exchange-traded product of tier 2, else 1.
        late: whether it is the last 25 minutes of the session.
    """
    if previous_close > 3 * UNITS:
        width = Fraction(reference * (5 if tier == 1 else 10), 100)
    elif previous_close >= 3 * UNITS // 4:
        width = Fraction(reference * 20, 100)
    else:
        width = min(Fraction(15 * _CENT), Fraction(reference * 75, 100))
    if tier != 1:
        width *= Fraction(leverage)
    if late and (tier == 1 or previous_close <= 3 * UNITS):
        width *= 2
    return max(0, _to_the_cent(reference - width)), _to_the_cent(reference + width)


def _bounded(halt: Stretch) -> Stretch:
    """A halt, as long as a pause where only its beginning or its end was told."""
    begin, end = halt
    return (end - _PAUSE if begin == EVER else begin), (begin + _PAUSE if end == FOREVER else end)


def _to_the_cent(price: Fraction) -> int:
    return int((price / _CENT + Fraction(1, 2)).__floor__()) * _CENT


@dataclass(slots=True)
class PriceBands:
    """The bands of one stock, and what they are made of.

    Attributes:
        tier, leverage: see `bands_of`.
        opens, closes: the regular session that is followed.
        previous_close: the last price of the session before it; of the first one, its opening price.
        last: the last price of the session.
        reference, since: the reference price, and when it took effect.
        at: up to when the mean has been followed.
        touched: when the limit state began, 0 outside of one.
        window: seconds with the sum and the number of their prices, the trades that the mean is of.
    """

    tier: int
    leverage: float = 1.0
    opens: int = 0
    closes: int = 0
    previous_close: int = 0
    last: int = 0
    reference: int = 0
    since: int = 0
    at: int = 0
    touched: int = 0
    window: deque[list[int]] = field(default_factory=deque)
    _sum: int = field(default=0, init=False)
    _count: int = field(default=0, init=False)
    _known: tuple[tuple[int, bool], tuple[int, int]] = field(default=((-1, False), (0, 0)), init=False)

    def __post_init__(self) -> None:
        self._sum, self._count = (sum(each[column] for each in self.window) for column in (1, 2))

    def extend(self, ts: Ints, prices: Floats, halts: Sequence[Stretch] = ()) -> Bands:
        """Take trades in ascending order of time, and give the bands that each of them came upon.

        Args:
            ts: when they came.
            prices: theirs.
            halts: when trading was said to be halted.
        """
        declared = [halt for halt in map(_bounded, halts) if halt[1] > self.at]
        found = np.zeros((3, len(ts)))
        apply = np.zeros(len(ts), dtype=np.bool_)
        units = np.rint(prices * UNITS).astype(np.int64).tolist()
        for at, (moment, price, hours) in enumerate(zip(ts.tolist(), units, self._hours(ts), strict=True)):
            if any(begin < moment < end for begin, end in declared):
                hours = None  # noqa: PLW2901 - no bands are in force, as outside of the session
            if hours is not None:
                apply[at] = True
                self._come(moment, price, hours, declared)
            found[:, at] = *self._bands(min(moment, self.closes - 1)), self.reference
            if hours is not None:
                self._trade(moment, price)
        lower, upper, reference = found / UNITS
        return Bands(lower, upper, reference, apply)

    def _hours(self, ts: Ints) -> Iterator[tuple[int, int] | None]:
        """The regular session that holds each time, None where none does."""
        if self.opens <= ts[0] and ts[-1] < self.closes:
            yield from [(self.opens, self.closes)] * len(ts)
            return
        sessions = Sessions.of(_CALENDAR)
        regular = (sessions.classify(ts) == REGULAR).tolist()
        bounds = zip(sessions.session_start(ts).tolist(), sessions.session_end(ts).tolist(), strict=True)
        yield from (each if inside else None for each, inside in zip(bounds, regular, strict=True))

    def _come(self, moment: int, price: int, hours: tuple[int, int], declared: Sequence[Stretch]) -> None:
        """Time has come as far as a trade."""
        if hours[0] != self.opens:
            self.opens, self.closes = hours
            self.previous_close = self.last or price
            self._open(moment, price)
        elif self._reopens(moment, declared):
            self._open(moment, price)
        else:
            while self.window and (expiry := (self.window[0][0] + _WINDOW) * NANOS_PER_SECOND) <= moment:
                self._settle(expiry)
                _, total, count = self.window.popleft()
                self._sum, self._count = self._sum - total, self._count - count
            self._settle(moment)
            if self.touched and moment >= self.touched + _LIMIT_STATE:
                # It is traded, so there was no pause: the limit state has ended unseen.
                self.touched = 0
                self._settle(moment + 1)

    def _reopens(self, moment: int, declared: Sequence[Stretch]) -> bool:
        """Whether a halt, or a pause that is presumed, has ended since the last trade."""
        if any(self.at < end <= moment for _, end in declared):
            return True
        return self.touched > 0 and moment >= self.touched + _LIMIT_STATE + _PAUSE

    def _open(self, moment: int, price: int) -> None:
        """The session opens, or trading does again after a pause."""
        self.reference, self.since, self.at, self.touched = price, moment, moment, 0
        self.window.clear()
        self._sum = self._count = 0

    def _settle(self, until: int) -> None:
        """Nothing was traded before this moment, and no trade fell out of the mean."""
        when = max(self.at, self.since + _IN_EFFECT)
        if when < until and not self.touched and self._has_moved():
            self.reference, self.since = (2 * self._sum + self._count) // (2 * self._count), when
        self.at = until

    def _has_moved(self) -> bool:
        level = self.reference * self._count
        return self._count > 0 and abs(self._sum - level) * _MOVED >= level

    def _bands(self, moment: int) -> tuple[int, int]:
        """Those in force; in a limit state those of its beginning."""
        key = self.reference, (self.touched or moment) >= self.closes - _LATE
        if self._known[0] != key:
            late = key[1]
            self._known = key, bands_of(self.reference, self.previous_close, self.tier, self.leverage, late=late)
        return self._known[1]

    def _trade(self, moment: int, price: int) -> None:
        lower, upper = self._bands(moment)
        if lower < price < upper:
            self.touched = 0
        elif not self.touched:
            self.touched = moment
        self.last = price
        second = moment // NANOS_PER_SECOND
        if not self.window or self.window[-1][0] != second:
            self.window.append([second, 0, 0])
        self.window[-1][1] += price
        self.window[-1][2] += 1
        self._sum, self._count = self._sum + price, self._count + 1

    def dump(self) -> dict[str, Any]:
        """What `load` needs to go on from here, as JSON has it: sums as they differ from the reference price."""
        window = [
            [second - self.since // NANOS_PER_SECOND, total - count * self.reference, count]
            for second, total, count in self.window
        ]
        return {name: getattr(self, name) for name in _STATE} | {"window": window}

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> PriceBands:
        """The bands that were dumped."""
        since, reference = dumped["since"] // NANOS_PER_SECOND, dumped["reference"]
        window = ([second + since, total + count * reference, count] for second, total, count in dumped["window"])
        return cls(**{**dumped, "window": deque(window)})


_STATE: Final = (
    "tier", "leverage", "opens", "closes", "previous_close", "last", "reference", "since", "at", "touched",
)  # fmt: skip
