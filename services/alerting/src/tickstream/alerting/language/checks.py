"""What an expression as a whole has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tickstream.alerting.domain.expression import (
    Call,
    Expression,
    Extent,
    InActivity,
    InSession,
    Move,
    Series,
    Then,
)
from tickstream.alerting.domain.frame import FIGURES_INTERVAL
from tickstream.alerting.domain.lookback import MOST_ROWS, lookback
from tickstream.alerting.domain.names import PRICE
from tickstream.alerting.domain.on_ticks import condition_on_ticks
from tickstream.alerting.language.errors import At
from tickstream.alerting.language.misfit import Misfit
from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.intervals import Interval

Leaf = Series | InSession | InActivity
Leaves = tuple[tuple[Leaf, At], ...]
"""What an expression speaks of, and where."""

MOST_SECONDS: Final = 604_800
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def extent_of(text: str, at: At) -> Extent:
    """The extent of a number of bars, or of a time such as 30m.

    Raises:
        Misfit: it isn't a whole number of bars, or no time, or too much of it.
    """
    unit = text[-1]
    if unit.isdigit():
        if not text.isdigit() or not 1 <= int(text[:9]) <= MOST_ROWS or len(text) > 9:
            raise Misfit(at, f"a number of bars must be whole, from 1 to {MOST_ROWS}, was {text}")
        return Extent(int(text))
    if unit not in _UNITS:
        raise Misfit(at, f"a time ends with s, m, h or d, was {text}")
    seconds = int(text[:-1]) * _UNITS[unit]
    if not 1 <= seconds <= MOST_SECONDS:
        raise Misfit(at, f"a time must be from 1s to 7d, was {text}")
    return Extent(seconds * NANOS_PER_SECOND, "time")


def check(expression: Expression, places: Mapping[str, At], leaves: Leaves) -> None:
    """Refuse what no bar, or no trade, can tell.

    Args:
        expression: what was said.
        places: where its condition is, and its clauses by their names.
        leaves: of the condition and of what ends it.

    Raises:
        Misfit: something doesn't go together.
    """
    at, series = places["condition"], expression.series()
    if not leaves:
        raise Misfit(at, "the condition must speak of a value, such as close")
    if expression.interval == "ticks":
        try:
            condition_on_ticks(expression)
        except ValueError as error:
            raise Misfit(at, str(error)) from None
        return
    if any(each.name == PRICE and each.source == "bar" for each in series):
        raise Misfit(at, f"{PRICE} is a trade's: say on ticks, or close for a bar's")
    if expression.is_of_groups:
        _check_groups(expression, places, leaves)
    interval = Interval.named(expression.interval)
    extents = list(_extents(expression))
    if interval.counted and any(extent.unit == "time" for extent in extents):
        raise Misfit(at, f"bars of {interval.name} don't end with time: say how many bars")
    rows = lookback(expression)
    if rows > MOST_ROWS:
        raise Misfit(at, f"the expression must look back at most {MOST_ROWS} bars, does {rows}")


def _check_groups(expression: Expression, places: Mapping[str, At], leaves: Leaves) -> None:
    """Refuse what isn't a group's where each group is looked at by itself."""
    for leaf, at in leaves:
        if not isinstance(leaf, Series):
            raise Misfit(
                at, "a group has no bars, and so no session or activity: expected a schedule of the rule instead"
            )
        if leaf.symbol is None and leaf.source not in ("group", "market"):
            raise Misfit(at, f"{leaf} is a symbol's, and the rule is about groups: expected whose, as in SPY.{leaf}")
    if expression.sessions:
        raise Misfit(places["during"], "a group has no bars of a session: expected a schedule of the rule instead")
    if expression.interval != FIGURES_INTERVAL:
        raise Misfit(places["on"], f"groups have figures every minute: expected {FIGURES_INTERVAL}")


def _extents(expression: Expression) -> list[Extent]:
    return [
        node.extent
        for node in expression.nodes()
        if isinstance(node, Move | Then) or (isinstance(node, Call) and node.extent)
        if node.extent is not None
    ]
