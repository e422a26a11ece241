"""Builds the tree of an expression from the bottom up, and refuses what doesn't fit where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from lark import Token, Transformer

from tickstream.alerting.domain.expression import (
    And,
    Arithmetic,
    Call,
    Comparison,
    Cross,
    Expression,
    Extent,
    InActivity,
    InSession,
    Move,
    Negative,
    Node,
    Not,
    Number,
    Or,
    Test,
    Then,
    Value,
)
from tickstream.alerting.domain.names import ACTIVITIES, FUNCTIONS, SESSIONS, Signature
from tickstream.alerting.language.checks import Leaf, Leaves, check, extent_of
from tickstream.alerting.language.errors import At, meant
from tickstream.alerting.language.misfit import Misfit
from tickstream.alerting.language.paths import Part, series_of
from tickstream.core.intervals import Interval
from tickstream.core.model import SessionName

__all__ = ["Builder", "Misfit", "Placed"]

MAX_DEPTH: Final = 40
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Placed:
    """A part of the tree, where it stands in the text, how many levels it has, and its leaves that are no numbers."""

    node: Node
    at: At
    depth: int = 1
    leaves: Leaves = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the clauses after the condition."""

    name: str
    at: At
    held: Any = field(repr=False)
    leaves: Leaves = ()


class Builder(Transformer[Token, Expression]):
    """What each rule of the grammar makes of its parts."""

    def start(self, found: list[Any]) -> Expression:
        condition, *clauses = found
        held: dict[str, Any] = {}
        for clause in clauses:
            if clause.name in held:
                raise Misfit(clause.at, f"there must be one clause {clause.name!r}, this is another")
            held[clause.name] = clause.held
        expression = Expression(
            _test(condition),
            held.get("on", "1m"),
            held.get("until"),
            held.get("during", ()),
            held.get("for"),
        )
        at = {"condition": condition.at} | {clause.name: clause.at for clause in clauses}
        leaves = condition.leaves + tuple(leaf for clause in clauses for leaf in clause.leaves)
        check(expression, at, leaves)
        return expression

    def until(self, found: list[Any]) -> Clause:
        return Clause("until", found[0].at, _test(found[0]), found[0].leaves)

    def on(self, found: list[Any]) -> Clause:
        (name,) = found
        if name != "ticks":
            try:
                Interval.named(str(name))
            except ValueError as error:
                raise Misfit(_at(name), f"{error}, or ticks") from None
        return Clause("on", _at(name), str(name))

    def during(self, found: list[Any]) -> Clause:
        return Clause("during", _at(found[0]), _sessions(found))

    def hold(self, found: list[Any]) -> Clause:
        extent, at = found[0]
        return Clause("for", at, extent)

    def then(self, found: list[Any]) -> Placed:
        first, second, (extent, at) = found
        return _placed(Then(_test(first), _test(second), extent), [first, second], first.at.to(at))

    def either(self, found: list[Any]) -> Placed:
        return _placed(Or(tuple(map(_test, found))), found)

    def every(self, found: list[Any]) -> Placed:
        return _placed(And(tuple(map(_test, found))), found)

    def contrary(self, found: list[Any]) -> Placed:
        return _placed(Not(_test(found[0])), found)

    def comparison(self, found: list[Any]) -> Placed:
        left, comparator, right = found
        return _placed(Comparison(cast("Any", str(comparator)), _value(left), _value(right)), [left, right])

    def cross(self, found: list[Any]) -> Placed:
        left, crosses, right = found
        direction = cast("Any", crosses.removeprefix("crosses_"))
        return _placed(Cross(direction, _value(left), _value(right)), [left, right])

    def move(self, found: list[Any]) -> Placed:
        value, moves, percent, (extent, at) = found
        if not 0 < float(percent) <= 10_000:
            raise Misfit(_at(percent), f"a move must be more than 0% and at most 10000%, was {percent}%")
        return _placed(Move(str(moves), _value(value), float(percent), extent), [value], value.at.to(at))  # type: ignore[arg-type]  # the grammar has the three

    def in_session(self, found: list[Any]) -> Placed:
        return _leaf(InSession(_sessions(found)), _at(found[0]).to(_at(found[-1])))

    def in_activity(self, found: list[Any]) -> Placed:
        names = _known(found, ACTIVITIES, "an activity")
        return _leaf(InActivity(cast("Any", names)), _at(found[0]).to(_at(found[-1])))

    def arithmetic(self, found: list[Any]) -> Placed:
        left, operator, right = found
        return _placed(Arithmetic(cast("Any", str(operator)), _value(left), _value(right)), [left, right])

    def negative(self, found: list[Any]) -> Placed:
        minus, value = found
        return _placed(Negative(_value(value)), [value], _at(minus).to(value.at))

    def number(self, found: list[Any]) -> Placed:
        value = float(found[0])
        if value > 1e300:
            raise Misfit(_at(found[0]), "a number must be at most 1e300")
        return Placed(Number(value), _at(found[0]))

    def group(self, found: list[Any]) -> Placed:
        inner = found[0]
        return Placed(inner.node, inner.at, _deeper([inner], inner.at), inner.leaves)

    def path(self, found: list[Any]) -> Placed:
        root, *parts = found
        at = _at(root).to(parts[-1].at if parts else _at(root))
        return _leaf(series_of(root, parts), at)

    def part(self, found: list[Any]) -> Part:
        name, *window = found
        return Part(str(name), str(window[0]) if window else None, _at(name).to(_at(found[-1])))

    def call(self, found: list[Any]) -> Placed:
        name, *given = found
        signature = FUNCTIONS.get(str(name))
        if signature is None:
            raise Misfit(_at(name), f"there is no function {str(name)!r}{meant(str(name), FUNCTIONS)}")
        extents = [each for each in given if not isinstance(each, Placed)]
        values = [each for each in given if isinstance(each, Placed)]
        extent = _arguments(name, signature, values, extents)
        node = Call(str(name), tuple(map(_value, values)), extent)
        return _placed(node, values, _at(name).to(extents[-1][1] if extents else values[-1].at))

    def bars(self, found: list[Any]) -> tuple[Extent, At]:
        return extent_of(str(found[0]), _at(found[0])), _at(found[0])

    def time(self, found: list[Any]) -> tuple[Extent, At]:
        return extent_of(str(found[0]), _at(found[0])), _at(found[0])


def _arguments(name: Token, wants: Signature, values: Sequence[Placed], extents: Sequence[Any]) -> Extent | None:
    takes = f"{wants.values} value{'' if wants.values == 1 else 's'}"
    if len(values) != wants.values:
        raise Misfit(_at(name), f"{name} takes {takes}, was given {len(values)}")
    if wants.extent == "never" and extents:
        raise Misfit(extents[0][1], f"{name} takes {takes} and no time")
    if len(extents) > 1 or (wants.extent == "always" and not extents):
        raise Misfit(_at(name), f"{name} takes {takes} and how far back, such as 20 bars or 1h")
    return extents[0][0] if extents else None


def _sessions(names: Sequence[Token]) -> tuple[SessionName, ...]:
    return cast("tuple[SessionName, ...]", _known(names, SESSIONS, "a session"))


def _known(names: Sequence[Token], known: Sequence[str], what: str) -> tuple[str, ...]:
    for name in names:
        if str(name) not in known:
            raise Misfit(_at(name), f"{what} must be one of {', '.join(known)}{meant(str(name), known)}")
    return tuple(dict.fromkeys(map(str, names)))


def _value(placed: Placed) -> Value:
    if not isinstance(placed.node, Value):
        raise Misfit(placed.at, "expected a value, found a condition")
    return placed.node


def _test(placed: Placed) -> Test:
    if not isinstance(placed.node, Test):
        raise Misfit(placed.at, "expected a condition such as close > 100, found a value")
    return placed.node


def _placed(node: Node, parts: Sequence[Placed], at: At | None = None) -> Placed:
    where = at or parts[0].at.to(parts[-1].at)
    return Placed(node, where, _deeper(parts, where), tuple(leaf for part in parts for leaf in part.leaves))


def _leaf(node: Leaf, at: At) -> Placed:
    return Placed(node, at, leaves=((node, at),))


def _deeper(parts: Sequence[Placed], at: At) -> int:
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise Misfit(at, f"an expression must have at most {MAX_DEPTH} levels")
    return depth


def _at(token: Token) -> At:
    return At(token.start_pos or 0, token.end_pos or 0)
