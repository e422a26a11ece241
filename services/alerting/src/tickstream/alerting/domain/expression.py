"""What an expression says, as a tree; its text is canonical, and parses to the same tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Literal

from tickstream.alerting.domain.names import BAR_FIELDS, is_indicator
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.model import Activity, SessionName

Source = Literal["bar", "clock", "indicator", "analytics", "market", "group"]
Comparator = Literal[">", ">=", "<", "<=", "==", "!="]
Operator = Literal["+", "-", "*", "/"]

FIGURED: Final[tuple[Source, ...]] = ("analytics", "market", "group")
"""Where figures come from: those of a symbol, of the whole market, of a group."""
_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_BINDING: Final = {"+": 6, "-": 6, "*": 7, "/": 7}


@dataclass(frozen=True, slots=True)
class Extent:
    """How far back: a number of bars, or a time in nanoseconds."""

    size: int
    unit: Literal["bars", "time"] = "bars"

    def __str__(self) -> str:
        if self.unit == "bars":
            return f"{self.size} bar{'' if self.size == 1 else 's'}"
        seconds = self.size // NANOS_PER_SECOND
        unit, scale = next((unit, scale) for unit, scale in _UNITS if seconds % scale == 0)
        return f"{seconds // scale}{unit}"


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float

    def __str__(self) -> str:
        return repr(int(self.value)) if self.value.is_integer() and self.value < 1e15 else repr(self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """A value that each bar has.

    Attributes:
        name: a field of bars, an indicator, or a figure as `name.value`.
        symbol: whose, of a group's its scope; None is the symbol, or the group, that the rule looks at.
        window: of a figure.
    """

    source: Source
    name: str
    symbol: str | None = None
    window: str | None = None

    def __str__(self) -> str:
        text = self.name
        if self.source in FIGURED:
            figure, _, value = self.name.partition(".")
            text = f"{figure}[{self.window}].{value}"
            if self.source != "group" or self.symbol is None:
                text = f"{self.source}.{text}"
        elif self.source == "indicator" and (not is_indicator(self.name) or self.name in BAR_FIELDS):
            text = f"indicator.{self.name}"
        return text if self.symbol is None else f"{_quoted(self.symbol)}.{text}"


@dataclass(frozen=True, slots=True)
class Negative:
    """Less than nothing."""

    value: Value

    def __str__(self) -> str:
        return f"-{_within(self.value, 8)}"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two values in one; a division by zero has no value."""

    operator: Operator
    left: Value
    right: Value

    def __str__(self) -> str:
        binding = _BINDING[self.operator]
        return f"{_within(self.left, binding)} {self.operator} {_within(self.right, binding + 1)}"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of values, over the last bars where it has an extent."""

    function: str
    arguments: tuple[Value, ...]
    extent: Extent | None = None

    def __str__(self) -> str:
        given = [*map(str, self.arguments), *([str(self.extent)] if self.extent else [])]
        return f"{self.function}({', '.join(given)})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two values stand in a relation."""

    comparator: Comparator
    left: Value
    right: Value

    def __str__(self) -> str:
        return f"{_within(self.left, 6)} {self.comparator} {_within(self.right, 6)}"


@dataclass(frozen=True, slots=True)
class Cross:
    """Begins when the left value comes to the other side of the right one, and holds while it stays there."""

    direction: Literal["above", "below"]
    left: Value
    right: Value

    def __str__(self) -> str:
        return f"{_within(self.left, 6)} crosses_{self.direction} {_within(self.right, 6)}"


@dataclass(frozen=True, slots=True)
class Move:
    """A value has moved by so many percent, from the extreme of the last bars."""

    direction: Literal["rises", "falls", "moves"]
    value: Value
    percent: float
    extent: Extent

    def __str__(self) -> str:
        return f"{_within(self.value, 6)} {self.direction} {Number(self.percent)}% within {self.extent}"


@dataclass(frozen=True, slots=True)
class InSession:
    """The bar belongs to one of these sessions."""

    sessions: tuple[SessionName, ...]

    def __str__(self) -> str:
        return f"session is {', '.join(self.sessions)}"


@dataclass(frozen=True, slots=True)
class InActivity:
    """The bar was made of trades, of none, or of no data at all."""

    activities: tuple[Activity, ...]

    def __str__(self) -> str:
        return f"activity is {', '.join(self.activities)}"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    part: Test

    def __str__(self) -> str:
        return f"not {_within(self.part, 4)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    parts: tuple[Test, ...]

    def __str__(self) -> str:
        return " and ".join(_within(part, 4) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of these."""

    parts: tuple[Test, ...]

    def __str__(self) -> str:
        return " or ".join(_within(part, 3) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Then:
    """The second, at most so long after the first began."""

    first: Test
    second: Test
    extent: Extent

    def __str__(self) -> str:
        return f"{_within(self.first, 1)} then {_within(self.second, 2)} within {self.extent}"


Value = Number | Series | Negative | Arithmetic | Call
Test = Comparison | Cross | Move | InSession | InActivity | Not | And | Or | Then
Node = Value | Test

_PRECEDENCE: Final[dict[type[Node], int]] = {
    Then: 1, Or: 2, And: 3, Not: 4, Comparison: 5, Cross: 5, Move: 5, InSession: 5, InActivity: 5,
    Negative: 8, Number: 9, Series: 9, Call: 9,
}  # fmt: skip


def _within(node: Node, least: int) -> str:
    binding = _BINDING[node.operator] if isinstance(node, Arithmetic) else _PRECEDENCE[type(node)]
    return f"({node})" if binding < least else str(node)


def _quoted(symbol: str) -> str:
    plain = _PLAIN.issuperset(symbol) and not symbol[0].isdigit() and symbol not in RESERVED
    return symbol if plain else f'"{symbol}"'


RESERVED: Final = frozenset((
    "and", "or", "not", "then", "within", "until", "on", "during", "for", "session", "activity", "is", "bar", "bars",
    "rises", "falls", "moves", "crosses_above", "crosses_below", "indicator", "analytics", "market",
    "group",
))  # fmt: skip
"""Words that can't be a symbol without quotes."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A whole expression.

    Attributes:
        interval: of the bars that it looks at, or "ticks".
        until: what ends the condition; None ends it as soon as it doesn't hold.
        sessions: bars of others are left out altogether; empty takes all.
        hold: how long the condition has to hold; None is no time at all.
    """

    condition: Test
    interval: str = "1m"
    until: Test | None = None
    sessions: tuple[SessionName, ...] = ()
    hold: Extent | None = None

    def __str__(self) -> str:
        parts = [str(self.condition)]
        if self.until is not None:
            parts.append(f"until {self.until}")
        parts.append(f"on {self.interval}")
        if self.sessions:
            parts.append(f"during {', '.join(self.sessions)}")
        if self.hold is not None:
            parts.append(f"for {self.hold}")
        return " ".join(parts)

    def nodes(self) -> Iterator[Node]:
        """Every part, the whole before its parts, from left to right."""
        yield from walk(self.condition)
        if self.until is not None:
            yield from walk(self.until)

    @property
    def speaks_of_data(self) -> bool:
        """Whether it asks if there is data, so that bars of none tell it something."""
        return any(isinstance(node, InActivity) for node in self.nodes())

    @property
    def speaks_of_bars(self) -> bool:
        """Whether it asks something that only the bar which is looked at can tell: its session, its activity."""
        return bool(self.sessions) or any(isinstance(node, InSession | InActivity) for node in self.nodes())

    @property
    def is_of_groups(self) -> bool:
        """Whether what it looks at are groups, each by itself."""
        return any(each.source == "group" and each.symbol is None for each in self.series())

    def series(self) -> tuple[Series, ...]:
        """The series that it speaks of, each once."""
        return tuple(dict.fromkeys(node for node in self.nodes() if isinstance(node, Series)))


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for part in parts_of(node):
        yield from walk(part)


def parts_of(node: Node) -> Iterator[Node]:
    """What a node is made of, from left to right."""
    for field in fields(node):
        held = getattr(node, field.name)
        for part in held if isinstance(held, tuple) else (held,):
            if isinstance(part, Value | Test):
                yield part


def measured_of(test: Test) -> Comparison | Cross | Move | None:
    """The first part of a condition that compares something: what an alert's value and threshold are."""
    nodes: list[Node] = [test]
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, Comparison | Cross | Move):
            return node
        if isinstance(node, And | Or):
            nodes = [*node.parts, *nodes]
        elif isinstance(node, Not):
            nodes = [node.part, *nodes]
        elif isinstance(node, Then):
            nodes = [node.second, *nodes]
    return None
