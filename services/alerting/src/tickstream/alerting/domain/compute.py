"""Expressions over the rows of a frame, all symbols at once.

Conditions are three-valued (Kleene): false, unknown, true as 0, 1, 2, so that and is the lesser,
or the greater, and not the difference to 2. A value that isn't there, NaN, makes what is said of
it unknown. Each condition is told twice: where it begins, and where it goes on; the two differ
for crossings alone, which begin on the other side and go on while the value stays there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tickstream.alerting.domain.expression import (
    And,
    Arithmetic,
    Call,
    Comparison,
    Cross,
    Extent,
    InActivity,
    InSession,
    Move,
    Negative,
    Not,
    Number,
    Or,
    Series,
    Test,
    Then,
    Value,
)
from tickstream.alerting.domain.frame import Frame
from tickstream.alerting.domain.lookback import rows_of
from tickstream.alerting.domain.names import ACTIVITIES, ACTIVITY, SESSION, SESSIONS
from tickstream.alerting.domain.robust import deviation, median, robust_z
from tickstream.core.columns import Floats
from tickstream.core.intervals import Interval

Truths = NDArray[np.int8]
FALSE, UNKNOWN, TRUE = 0, 1, 2

_OPERATORS: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}
_AND_CONTRARY: Final[dict[str, tuple[np.ufunc, np.ufunc]]] = {
    ">": (np.greater, np.less_equal),
    ">=": (np.greater_equal, np.less),
    "<": (np.less, np.greater_equal),
    "<=": (np.less_equal, np.greater),
}


class Held(NamedTuple):
    """Where a condition begins, and where it goes on."""

    begins: Truths
    goes_on: Truths


class Computer:
    """The values and truths of expressions over a frame; what several have in common is worked out once.

    Args:
        frame: the rows.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        interval = frame.key.interval
        self._size = Interval.named(interval).size if interval else 60_000_000_000
        self._values: dict[tuple[Value, int], Floats] = {}
        self._held: dict[tuple[Test, int], Held] = {}

    def value(self, node: Value, length: int) -> Floats:
        """The values at the last `length` rows; NaN where there is none."""
        found = self._values.get((node, length))
        if found is None:
            found = self._values[node, length] = self._value(node, length)
        return found

    def held(self, node: Test, length: int) -> Held:
        """Where a condition begins and goes on, at the last `length` rows."""
        found = self._held.get((node, length))
        if found is None:
            found = self._held[node, length] = self._test(node, length)
        return found

    def _value(self, node: Value, length: int) -> Floats:
        if isinstance(node, Number):
            return np.full((1, 1), node.value)
        if isinstance(node, Series):
            return self.frame.series(node, length)
        if isinstance(node, Negative):
            return -self.value(node.value, length)
        with np.errstate(all="ignore"):
            found = self._arithmetic(node, length) if isinstance(node, Arithmetic) else self._call(node, length)
        return np.where(np.isfinite(found), found, np.nan)

    def _arithmetic(self, node: Arithmetic, length: int) -> Floats:
        left, right = self.value(node.left, length), self.value(node.right, length)
        return np.divide(left, right) if node.operator == "/" else _OPERATORS[node.operator](left, right)

    def _call(self, node: Call, length: int) -> Floats:
        first, name = node.arguments[0], node.function
        if name in ("min", "max"):
            return _OPERATORS[name](self.value(first, length), self.value(node.arguments[1], length))
        if name in ("abs", "sqrt", "log"):
            return {"abs": np.abs, "sqrt": np.sqrt, "log": np.log}[name](self.value(first, length))
        if name in ("previous", "change", "percent_change"):
            before = self._before(first, node.extent or Extent(1), length)
            now = self.value(first, length)
            return {"previous": lambda: before, "change": lambda: now - before}.get(
                name, lambda: (now / before - 1.0) * 100.0
            )()
        return self._over(name, first, node.extent or Extent(1), length)

    def _before(self, node: Value, extent: Extent, length: int) -> Floats:
        """The value so many bars ago, or at the last row that ended at least so long ago."""
        rows = rows_of(extent, self._size)
        if extent.unit == "bars":
            return self._wide(node, length + rows)[:, :length]
        ends = self.frame.ends(length + rows)
        back = (sliding_window_view(ends, rows, axis=1)[:, 1:] > (ends[:, rows:] - extent.size)[:, :, None]).sum(axis=2)
        values = self._wide(node, length + rows)
        at = np.arange(rows, rows + length) - back
        return np.take_along_axis(values, at, axis=1)

    def _over(self, name: str, node: Value, extent: Extent, length: int) -> Floats:
        windows, inside = self._windows(node, extent, length)
        found: Floats
        if name in ("median", "mad", "robust_z"):
            return {"median": median, "mad": deviation, "robust_z": robust_z}[name](windows, inside)
        if name in ("highest", "lowest"):
            extreme = np.max if name == "highest" else np.min
            found = extreme(np.where(inside, windows, -np.inf if name == "highest" else np.inf), axis=2)
            return found
        found = np.where(inside, windows, 0.0).sum(axis=2)
        if name == "sum":
            return found
        count = inside.sum(axis=2)
        found = found / count
        if name == "mean":
            return found
        found = np.sqrt((np.where(inside, windows - found[:, :, None], 0.0) ** 2).sum(axis=2) / count)
        return found

    def _windows(self, node: Value, extent: Extent, length: int) -> tuple[Floats, NDArray[np.bool_]]:
        """For each row the values of the rows up to it, and which of them lie within the extent.

        A row that doesn't have that much history has NaN instead.
        """
        rows = rows_of(extent, self._size)
        windows = sliding_window_view(self._wide(node, length + rows - 1), rows, axis=1)
        ends = sliding_window_view(self.frame.ends(length + rows - 1), rows, axis=1)
        inside = np.ones(windows.shape, dtype=np.bool_)
        if extent.unit == "time":
            inside = ends > ends[:, :, -1:] - extent.size
        whole = ends[:, :, :1] > 0
        return np.where(whole, windows, np.nan), inside | ~whole

    def _wide(self, node: Value, length: int) -> Floats:
        return np.broadcast_to(self.value(node, length), (len(self.frame.places), length))

    def _test(self, node: Test, length: int) -> Held:
        if isinstance(node, And | Or):
            join = np.minimum if isinstance(node, And) else np.maximum
            parts = [self.held(part, length) for part in node.parts]
            return Held(reduce(join, [part.begins for part in parts]), reduce(join, [part.goes_on for part in parts]))
        if isinstance(node, Cross):
            return self._cross(node, length)
        if isinstance(node, Then):
            second = self.held(node.second, length)
            return Held(np.minimum(self._began_before(node.first, node.extent, length), second.begins), second.goes_on)
        truths = self._plain(node, length)
        return Held(truths, truths)

    def _plain(self, node: Comparison | Move | InSession | InActivity | Not, length: int) -> Truths:
        """The truth of a condition that goes on for as long as it could begin."""
        if isinstance(node, Comparison):
            return _compare(node.comparator, self.value(node.left, length), self.value(node.right, length))
        if isinstance(node, Move):
            return _compare(">=", self.move(node, length), np.array([[node.percent]]))
        if isinstance(node, InSession):
            return self._is_one_of(SESSION, [SESSIONS.index(name) for name in node.sessions], length)
        if isinstance(node, InActivity):
            return self._is_one_of(ACTIVITY, [ACTIVITIES.index(name) for name in node.activities], length)
        return (TRUE - self.held(node.part, length).begins).astype(np.int8)

    def _cross(self, node: Cross, length: int) -> Held:
        left, right = self.value(node.left, length + 1), self.value(node.right, length + 1)
        beyond = _compare(">" if node.direction == "above" else "<", left, right)
        beyond = np.broadcast_to(beyond, (beyond.shape[0], length + 1))
        return Held(np.minimum(beyond[:, 1:], TRUE - beyond[:, :-1]), beyond[:, 1:])

    def move(self, node: Move, length: int) -> Floats:
        """How far a value has come from the extreme, in percent, positive in the direction that is asked for."""
        now = self._wide(node.value, length)
        with np.errstate(all="ignore"):
            up = (now / self._over("lowest", node.value, node.extent, length) - 1.0) * 100.0
            down = (1.0 - now / self._over("highest", node.value, node.extent, length)) * 100.0
        found = {"rises": up, "falls": down}.get(node.direction)
        found = np.maximum(up, down) if found is None else found
        return np.where(np.isfinite(found), found, np.nan)

    def _is_one_of(self, field: str, codes: list[int], length: int) -> Truths:
        found = self.frame.own(field, length)
        return np.where(np.isnan(found), UNKNOWN, TRUE * np.isin(found, codes)).astype(np.int8)

    def _began_before(self, node: Test, extent: Extent, length: int) -> Truths:
        rows = rows_of(extent, self._size)
        whole = self.held(node, length + rows).begins
        began = np.broadcast_to(whole, (len(self.frame.places), length + rows))
        ends = self.frame.ends(length + rows)
        windows = sliding_window_view(began, rows, axis=1)[:, :-1]
        before = sliding_window_view(ends, rows, axis=1)[:, :-1]
        truths = windows
        if extent.unit == "time":
            truths = np.where(before >= (ends[:, rows:] - extent.size)[:, :, None], truths, FALSE)
        truths = np.where(before > 0, truths, UNKNOWN)
        found: Truths = truths.max(axis=2).astype(np.int8)
        return found


def _compare(comparator: str, left: Floats, right: Floats) -> Truths:
    """NaN is neither in a relation nor in its contrary, so it comes out as unknown."""
    if comparator in _AND_CONTRARY:
        relation, contrary = _AND_CONTRARY[comparator]
        truths: Truths = relation(left, right).astype(np.int8) + ~contrary(left, right)
        return truths
    equal = _compare(">=", left, right) + _compare("<=", left, right) - TRUE
    equal = np.where(np.isnan(left) | np.isnan(right), UNKNOWN, equal).astype(np.int8)
    return equal if comparator == "==" else (TRUE - equal).astype(np.int8)
