"""One rule about bars, over all symbols of its tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.alerting.domain.compute import FALSE, TRUE, Computer
from tickstream.alerting.domain.expression import Expression, Move, measured_of
from tickstream.alerting.domain.frame import clock_of, needs_of, subject_of
from tickstream.alerting.domain.lifecycle import Observation, Standing
from tickstream.alerting.domain.lookback import lookback
from tickstream.alerting.domain.rule import BEGINS, ENDS, STALE, ByExpression, Rule, Signals
from tickstream.alerting.domain.tape import Tape
from tickstream.core.columns import Floats, Ints
from tickstream.core.errors import TickstreamError
from tickstream.core.scopes import GROUP

_ASLEEP: Final = 0
_UP: Final = 1
_AWAKE: Final = 2
"""What wakes a rule for a symbol: a beginning, an end, or any bar."""


class Watch:
    """A rule, and for each symbol what it takes to wake it.

    Attributes:
        clock: the tape whose rows are its moments.
        needs: what each moment needs rows of.
        lookback: bars before the present one that it looks at.
    """

    def __init__(self, rule: Rule) -> None:
        if not isinstance(rule.condition, ByExpression):
            raise TickstreamError(f"rule {rule.name!r} isn't about bars")
        self.rule = rule
        self.expression: Expression = rule.condition.expression
        self.clock = clock_of(self.expression)
        self.needs = needs_of(self.expression)
        self.lookback = lookback(self.expression)
        self._subject = subject_of(self.expression)
        self._of_groups = self.expression.is_of_groups
        self._measured = measured_of(self.expression.condition)
        self._watched: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._phase: NDArray[np.int8] = np.zeros(0, dtype=np.int8)
        self._tracked: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)

    def watches(self, symbol: str) -> bool:
        """Whether it is about a symbol."""
        if self._subject is not None:
            return symbol == self._subject
        return (not self._of_groups or symbol.startswith(GROUP)) and self.rule.watches(symbol)

    def grow(self, tape: Tape) -> None:
        """Learn of the symbols that the tape has by now."""
        known = len(self._watched)
        if known == len(tape):
            return
        new = [self.watches(symbol) for symbol in list(tape.symbols)[known:]]
        self._watched = np.append(self._watched, np.array(new, dtype=np.bool_))
        self._phase = np.append(self._phase, np.zeros(len(new), dtype=np.int8))
        self._tracked = np.append(self._tracked, np.zeros(len(new), dtype=np.bool_))

    def stands(self, place: int, standing: Standing) -> None:
        """Where it stands for a symbol from now on."""
        self._tracked[place] = True
        if standing.phase == "inactive":
            self._phase[place] = _ASLEEP
        else:
            lasting = standing.phase == "firing" and not standing.ended and self.rule.schedule is None
            self._phase[place] = _UP if lasting else _AWAKE

    def signals(self, computer: Computer, stale: NDArray[np.bool_], length: int) -> Signals:
        """What the last rows say, (symbols, length)."""
        held = computer.held(self.expression.condition, length)
        begins = held.begins == TRUE
        ends = held.goes_on == FALSE
        if self.expression.until is not None:
            ends = (computer.held(self.expression.until, length).begins == TRUE) & ~begins
        signals: Signals = begins * np.int8(BEGINS) - (ends & ~begins) * np.int8(-ENDS)
        if not self.expression.speaks_of_data:
            signals = np.where(stale, np.int8(STALE), signals)
        return signals

    def woken(
        self, signals: Signals, fresh: NDArray[np.bool_], places: NDArray[np.intp], revised: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """The rows of a frame for which the fresh signals can change something."""
        phase = self._phase[places]
        begins = ((signals == BEGINS) & fresh).any(axis=1)
        ends = (((signals == ENDS) | (signals == STALE)) & fresh).any(axis=1)
        woken = (begins & (phase == _ASLEEP)) | (ends & (phase == _UP)) | (phase == _AWAKE)
        woken |= revised & self._tracked[places]
        return np.flatnonzero(woken & self._watched[places] & fresh.any(axis=1))

    def observations(
        self, computer: Computer, signals: Signals, fresh: NDArray[np.bool_], ends: Ints, rows: Sequence[int]
    ) -> Iterator[tuple[int, list[Observation]]]:
        """What is seen of the symbols in some rows of a frame, from their fresh columns."""
        if not rows:
            return
        measured = self.measure(computer, signals.shape[1])
        values, thresholds = (np.nan_to_num(np.broadcast_to(each, signals.shape)) for each in measured)
        for row in rows:
            columns = np.flatnonzero(fresh[row])
            picked = (each[row, columns].tolist() for each in (ends, values, signals, thresholds))
            yield row, [Observation(*seen) for seen in zip(*picked, strict=True)]

    def measure(self, computer: Computer, length: int) -> tuple[Floats, Floats]:
        """The value that the condition is about at the last rows, and its threshold."""
        part = self._measured
        if part is None:
            return np.zeros((1, 1)), np.zeros((1, 1))
        if isinstance(part, Move):
            return computer.move(part, length), np.array([[part.percent]])
        return computer.value(part.left, length), computer.value(part.right, length)
