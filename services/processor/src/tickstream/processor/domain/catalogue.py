"""Which indicators there are, on which intervals, and what they are called.

An entry is `name[:parameter...][@interval...]`: `rsi:14`, `bbands:20:2@1m@1h`, `obv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.processor.domain import functions
from tickstream.processor.domain.functions import PAGE, PRICES, Function
from tickstream.processor.domain.own import Failures, Own
from tickstream.processor.indicator import Factory

VWAP: Final = "vwap"
ENTRIES: Final = (
    "sma:20",
    "ema:20",
    "rsi:14",
    "macd:12:26:9",
    "bbands:20:2",
    "atr:14",
    "adx:14",
    "stoch:14:3:3",
    "cci:20",
    "roc:10",
    "willr:14",
    "mfi:14",
    "obv",
    VWAP,
)
"""Those that there are when nothing else is asked for."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a series works out.

    Attributes:
        members: the functions.
        spans: where each one's values lie in a row.
        width: of a row, vwap left out.
        kept: how many bars the functions go by, at least.
        inputs: all the functions' inputs by their places in `PRICES`, each combination once.
        which: the place of each one's inputs among those.
        endless: (place in a row, place in `ENDLESS`, whether it is a factor) of those that go by all bars there were.
    """

    members: tuple[Function | Own, ...]
    spans: tuple[tuple[int, int], ...]
    width: int
    kept: int
    inputs: tuple[tuple[int, ...], ...]
    which: tuple[int, ...]
    endless: tuple[tuple[int, int, bool], ...]

    @classmethod
    def of(cls, members: Sequence[Function | Own], spans: Sequence[tuple[int, int]], width: int) -> Plan:
        """What comes to these functions, whose values lie there."""
        columns = [tuple(map(PRICES.index, member.inputs)) for member in members]
        inputs = tuple(dict.fromkeys(columns))
        kept = max((-(-member.memory // PAGE) * PAGE for member in members), default=PAGE)
        which = tuple(map(inputs.index, columns))
        endless = tuple(
            (at, member.endless, member.is_factor)
            for member, (at, _) in zip(members, spans, strict=True)
            if member.endless is not None
        )
        return cls(tuple(members), tuple(spans), width, kept, inputs, which, endless)


@dataclass(frozen=True, slots=True)
class _Choice:
    """An entry: its function, or none for vwap, and the intervals that it is for, none for all."""

    member: Function | Own | None
    intervals: frozenset[str] | None

    @property
    def names(self) -> tuple[str, ...]:
        return self.member.outputs if self.member else (VWAP,)

    def is_on(self, interval: str) -> bool:
        return self.intervals is None or interval in self.intervals


class Catalogue:
    """The chosen indicators.

    Attributes:
        names: all of them, in the order of a row of values; `vwap`, which is made elsewhere, is always last.
    """

    def __init__(self, choices: Sequence[_Choice]) -> None:
        self._choices = [choice for choice in choices if choice.member]
        self._vwap = next((choice for choice in choices if not choice.member), None)
        self.names: Final = (*(name for choice in self._choices for name in choice.names), VWAP)

    @classmethod
    def of(
        cls,
        entries: Sequence[str],
        factories: Mapping[str, Factory],
        intervals: Sequence[str] | None = None,
        usual: Sequence[str] | None = None,
    ) -> Catalogue:
        """The indicators of entries.

        Args:
            entries: in their order.
            factories: of the user's own ones, by name.
            intervals: those that there are; none for any.
            usual: those for entries that name none; none for all.

        Raises:
            ValueError: entries that break a rule, all of them.
        """
        choices, problems = [], []
        taken: dict[str, str] = {}
        for entry in entries:
            try:
                choice = _choice(entry, factories, intervals, usual)
                for name in choice.names:
                    if name in taken:
                        raise ValueError(f"{name} is there already, by {taken[name]!r}")  # noqa: TRY301 - told as any
                taken.update(dict.fromkeys(choice.names, entry))
                choices.append(choice)
            except ValueError as error:
                problems.append(f"{entry!r}: {error}")
        if problems:
            raise ValueError(f"must be a list of NAME[:PARAMETER...][@INTERVAL...]; {'; '.join(problems)}")
        return cls(choices)

    def is_on(self, interval: str) -> bool:
        """Whether an interval has any."""
        return len(self.places(interval)) > 0

    def places(self, interval: str) -> NDArray[np.intp]:
        """Where the names of an interval's indicators stand in `names`."""
        found = [place for choice, (at, until) in self._spans() if choice.is_on(interval) for place in range(at, until)]
        if self._vwap and self._vwap.is_on(interval):
            found.append(len(self.names) - 1)
        return np.array(found, dtype=np.intp)

    def plan(self, interval: str) -> Plan:
        """What an interval's series work out."""
        spans = [(choice.member, span) for choice, span in self._spans() if choice.member and choice.is_on(interval)]
        return Plan.of([member for member, _ in spans], [span for _, span in spans], len(self.names) - 1)

    def failures(self) -> dict[str, Failures]:
        """What went wrong in the user's own indicators since this was last asked, by name."""
        own = [choice.member for choice in self._choices if isinstance(choice.member, Own)]
        found = [(member.name, member.take_failures()) for member in own]
        return {name: failures for name, failures in found if failures.count}

    def _spans(self) -> Iterator[tuple[_Choice, tuple[int, int]]]:
        at = 0
        for choice in self._choices:
            yield choice, (at, at + len(choice.names))
            at += len(choice.names)


@cache
def usual() -> Catalogue:
    """What there is when nothing else is asked for, on every interval."""
    return Catalogue.of(ENTRIES, {})


def name_of(entry: str) -> str:
    """What an entry's indicator is called, without its parameters and intervals."""
    return entry.partition("@")[0].partition(":")[0].strip()


def _choice(
    entry: str, factories: Mapping[str, Factory], intervals: Sequence[str] | None, usual: Sequence[str] | None
) -> _Choice:
    called, *named = (part.strip() for part in entry.split("@"))
    for interval in named:
        if intervals is not None and interval not in intervals:
            raise ValueError(f"{interval or 'nothing'} must be one of the intervals, {', '.join(intervals)}")
    on = named or usual
    name, *given = called.split(":")
    return _Choice(_member(name, given, factories), None if on is None else frozenset(on))


def _member(name: str, given: Sequence[str], factories: Mapping[str, Factory]) -> Function | Own | None:
    if name == VWAP:
        if given:
            raise ValueError("vwap takes no parameters")
        return None
    if name in factories:
        return _own(name, given, factories[name])
    if name == name.lower() and functions.is_function(name):
        return functions.function(name, given)
    more = f" or {', '.join(sorted(factories))}" if factories else ""
    raise ValueError(f"the name must be that of a function of TA-Lib in lower case{more}")


def _own(name: str, given: Sequence[str], factory: Factory) -> Own:
    if not _NAME.fullmatch(name) or functions.is_function(name):
        raise ValueError("the name of one's own must be in lower case, begin with a letter and not be TA-Lib's")
    try:
        numbers = [float(text) for text in given]
    except ValueError:
        raise ValueError(f"parameters must be numbers, were {':'.join(given)}") from None
    try:
        indicator = factory(*(int(number) if number.is_integer() else number for number in numbers))
        return Own.of(name, "_".join((name, *(f"{number:g}" for number in numbers))), indicator)
    except Exception as error:
        raise ValueError(f"its factory failed: {error}") from error
