"""What a rule asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.expression import Comparison, Expression, Move, Number, measured_of
from tickstream.alerting.domain.schedule import Schedule
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.columns import Floats, Ints
from tickstream.core.model import Severity

BEGINS: Final = 1
KEEPS: Final = 0
ENDS: Final = -1
STALE: Final = 2

Signals = NDArray[np.int8]
"""For each value: the condition begins to hold, stays as it was, or ends; or there is no data."""


def matches(symbol: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, with * and ?, fits a symbol."""
    return any(fnmatchcase(symbol, pattern) for pattern in patterns)


def _signals(begins: NDArray[np.bool_], ends: NDArray[np.bool_]) -> Signals:
    return begins.astype(np.int8) - ends.astype(np.int8)


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """The price is beyond a level.

    Attributes:
        hysteresis: how far the price has to come back over the level before the condition ends; a price.
        crossing: only a move from the other side begins an alert, being there already doesn't.
    """

    direction: Literal["above", "below"]
    level: float
    hysteresis: float = 0.0
    crossing: bool = False

    @property
    def threshold(self) -> float:
        """The level, a price."""
        return self.level

    def signals(self, prices: Floats) -> Signals:
        """The signals of some prices."""
        if self.direction == "above":
            return _signals(prices > self.level, prices <= self.level - self.hysteresis)
        return _signals(prices < self.level, prices >= self.level + self.hysteresis)

    def measured(self, value: float) -> str:
        """A price in words."""
        return f"price {value:.10g}"

    def limit(self, _threshold: float) -> str:
        """What it takes, in words."""
        return f"{self.direction} {self.level:.10g}"


@dataclass(frozen=True, slots=True)
class PercentMove:
    """The price has moved by a percentage within a window of event time.

    A move up is measured from the lowest price within the window, a move down from the highest.

    Attributes:
        window_ns: the window is (t - window_ns, t].
        hysteresis: how far below `percent` the move has to fall before the condition ends; percentage points.
    """

    direction: Literal["up", "down", "either"]
    percent: float
    window_ns: int
    hysteresis: float = 0.0
    crossing: bool = False

    @property
    def threshold(self) -> float:
        """The move that begins an alert, in percent; negative for a move down."""
        return -self.percent if self.direction == "down" else self.percent

    def values(self, prices: Floats, lows: Floats, highs: Floats) -> Floats:
        """The move at each price, in percent, given the window's extremes then."""
        up, down = (prices / lows - 1.0) * 100.0, (prices / highs - 1.0) * 100.0
        if self.direction == "up":
            return up
        return down if self.direction == "down" else np.where(up >= -down, up, down)

    def signals(self, moves: Floats) -> Signals:
        """The signals of some moves."""
        sizes = {"up": moves, "down": -moves, "either": np.abs(moves)}[self.direction]
        return _signals(sizes >= self.percent, sizes < self.percent - self.hysteresis)

    def measured(self, value: float) -> str:
        """A move in words."""
        return f"price moved {value:+.2f} % within {self.window_ns / NANOS_PER_SECOND:.10g} s"

    def limit(self, _threshold: float) -> str:
        """What it takes, in words."""
        return f"{'up or down' if self.direction == 'either' else self.direction} by {self.percent:.10g} %"


@dataclass(frozen=True, slots=True)
class NearBand:
    """The price comes near a limit-up or limit-down band, or to it; see `luld`.

    Attributes:
        tier_1: symbols of tier 1, or patterns; all others are of tier 2.
        within: how near, in percent of the price; 0 is at the band or through it.
        hysteresis: how much further away the price has to be before the condition ends; percentage points.
        leverage: of leveraged exchange-traded products.
    """

    tier_1: tuple[str, ...]
    within: float
    hysteresis: float = 0.0
    leverage: float = 1.0
    crossing: bool = False

    @property
    def threshold(self) -> float:
        """Nothing by itself: each trade comes upon bands of its own."""
        return 0.0

    def tier(self, symbol: str) -> int:
        """The tier of a symbol."""
        return 1 if matches(symbol, self.tier_1) else 2

    def signals(self, distances: Floats) -> Signals:
        """The signals of some distances from the nearer band, in percent; NaN where no bands apply."""
        return _signals(distances <= self.within, ~(distances <= self.within + self.hysteresis))

    def measured(self, value: float) -> str:
        """A price in words."""
        return f"price {value:.10g}"

    def limit(self, threshold: float) -> str:
        """What it takes, in words."""
        near = f"within {self.within:.10g} % of" if self.within else "at"
        return f"{near} the price band {threshold:.10g}"


@dataclass(frozen=True, slots=True)
class ByExpression:
    """An expression on bars holds; its thresholds come with its values.

    Attributes:
        label: what is measured, in words; empty for what the expression says.
    """

    expression: Expression
    crossing: bool = False
    label: str = ""

    @property
    def threshold(self) -> float:
        """Nothing by itself."""
        return 0.0

    def signals(self, _values: Floats) -> Signals:
        """Values alone say nothing of an expression."""
        raise TypeError(f"{self.expression} is looked at by the row, not by the value")

    def measured(self, value: float) -> str:
        """The value of what is compared, in words."""
        part = measured_of(self.expression.condition)
        if self.label:
            return self.label if part is None else f"{self.label} {value:.6g}"
        if isinstance(part, Move):
            return f"{part.value} {part.direction} {value:.2f}% within {part.extent}"
        return str(self.expression) if part is None else f"{part.left} {value:.10g}"

    def limit(self, threshold: float) -> str:
        """What it takes, in words."""
        part = measured_of(self.expression.condition)
        if part is None:
            return f"on {self.expression.interval}" if self.label else "as asked for"
        if isinstance(part, Move):
            return f"at least {threshold:.10g}% on {self.expression.interval}"
        relation = part.comparator if isinstance(part, Comparison) else f"beyond ({part.direction})"
        what = "" if isinstance(part.right, Number) or self.label else f"{part.right} "
        return f"{relation} {what}{threshold:.10g} on {self.expression.interval}"


Condition = PriceLevel | PercentMove | NearBand | ByExpression
ON_TICKS: Final[tuple[type[Condition], ...]] = (PriceLevel, PercentMove, NearBand)
"""The kinds that trades are held against."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition, whom it watches, and what its alerts are like.

    Attributes:
        symbols: symbols, or patterns with * and ?.
        hold_ns: how long the condition has to hold before the alert fires.
        hold_rows: the same as a number of bars; one of the two at most.
        keep_ns: how long a fired alert outlasts the end of its condition.
        cooldown_ns: after a fired alert has resolved, how long before the next one may begin.
        schedule: outside of it the rule isn't looked at; None is always.
        digest: the same for two rules that ask for the same.
    """

    id: str
    name: str
    condition: Condition
    symbols: tuple[str, ...] = ("*",)
    severity: Severity = "warning"
    labels: Mapping[str, str] = field(default_factory=dict)
    hold_ns: int = 0
    cooldown_ns: int = 0
    version: int = 1
    hold_rows: int = 0
    keep_ns: int = 0
    schedule: Schedule | None = None
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        condition = self.condition
        asked = str(condition.expression) if isinstance(condition, ByExpression) else condition
        more: tuple[object, ...] = (self.hold_rows, self.keep_ns) if self.hold_rows or self.keep_ns else ()
        more += () if self.schedule is None else (self.schedule.text,)
        asked_for = repr((asked, self.hold_ns, self.cooldown_ns, *more)).encode()
        object.__setattr__(self, "digest", hashlib.sha256(asked_for).hexdigest()[:16])

    def watches(self, symbol: str) -> bool:
        """Whether the rule is about this symbol."""
        return matches(symbol, self.symbols)

    @property
    def lag_ns(self) -> int:
        """How far an observation's time lies behind the last moment that it tells of: bars end where the next begin."""
        return 1 if isinstance(self.condition, ByExpression) else 0

    def looks_at(self, ts: Ints) -> NDArray[np.bool_]:
        """Whether the schedule has the rule look at observations of these times."""
        return np.ones(len(ts), dtype=np.bool_) if self.schedule is None else self.schedule.covers(ts - self.lag_ns)


class RuleBook:
    """The enabled rules, found by symbol."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._found: dict[tuple[str, type[Condition]], Sequence[Rule]] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def get(self, rule_id: str) -> Rule | None:
        """The rule with this id."""
        return self._rules.get(rule_id)

    def on_bars(self) -> list[Rule]:
        """The rules about bars."""
        return [rule for rule in self._rules.values() if isinstance(rule.condition, ByExpression)]

    def watching(self, symbol: str, kind: type[Condition]) -> Sequence[Rule]:
        """The rules of one kind that are about a symbol."""
        found = self._found.get((symbol, kind))
        if found is None:
            chosen: Callable[[Rule], bool] = lambda rule: isinstance(rule.condition, kind) and rule.watches(symbol)  # noqa: E731
            found = self._found[symbol, kind] = tuple(filter(chosen, self._rules.values()))
        return found
