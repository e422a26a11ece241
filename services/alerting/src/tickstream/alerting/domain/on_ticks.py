"""Expressions on ticks, as the conditions that trades are watched by."""

from __future__ import annotations

from typing import Final

from tickstream.alerting.domain.expression import Comparison, Cross, Expression, Move, Number, Series, Test, Value
from tickstream.alerting.domain.rule import PercentMove, PriceLevel

_PRICE: Final = Series("bar", "price")
_FORMS: Final = (
    "on ticks takes price against a number (>, <, crosses_above, crosses_below), with until price <= or >= another, "
    "or a move of price within a time; everything else is for bars, such as on 1s"
)
_FLIPPED: Final = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def condition_on_ticks(expression: Expression) -> PriceLevel | PercentMove:
    """The condition of an expression on ticks.

    Raises:
        ValueError: trades aren't watched for that.
    """
    condition, until, hold = expression.condition, expression.until, expression.hold
    if expression.sessions or (hold is not None and hold.unit == "bars"):
        raise ValueError("on ticks there are neither bars nor during: for takes a time, such as for 30s")
    if isinstance(condition, Move):
        if condition.value != _PRICE or condition.extent.unit == "bars" or until is not None:
            raise ValueError(_FORMS)
        directions = {"rises": "up", "falls": "down", "moves": "either"}
        return PercentMove(directions[condition.direction], condition.percent, condition.extent.size)  # type: ignore[arg-type]  # one of the three
    level, above = _limit(condition)
    return PriceLevel(
        "above" if above else "below", level, _hysteresis(until, level, above=above), isinstance(condition, Cross)
    )


def _limit(condition: Test) -> tuple[float, bool]:
    if isinstance(condition, Cross) and condition.left == _PRICE and isinstance(condition.right, Number):
        return condition.right.value, condition.direction == "above"
    compared = _compared(condition)
    if compared is None or compared[0] not in (">", "<"):
        raise ValueError(_FORMS)
    return compared[1], compared[0] == ">"


def _compared(test: Test | None) -> tuple[str, float] | None:
    """How price is compared with which number."""
    if not isinstance(test, Comparison):
        return None
    sides: tuple[Value, Value] = (test.left, test.right)
    if sides[0] == _PRICE and isinstance(sides[1], Number):
        return test.comparator, sides[1].value
    if sides[1] == _PRICE and isinstance(sides[0], Number):
        return _FLIPPED.get(test.comparator, test.comparator), sides[0].value
    return None


def _hysteresis(until: Test | None, level: float, *, above: bool) -> float:
    if until is None:
        return 0.0
    compared = _compared(until)
    if compared is None or compared[0] != ("<=" if above else ">="):
        raise ValueError(f"on ticks until takes price {'<=' if above else '>='} a number")
    back = level - compared[1] if above else compared[1] - level
    if back < 0:
        raise ValueError(f"until must lie {'below' if above else 'above'} the limit, {level:.10g}")
    return back
