"""TA-Lib's functions over bars: their parameters, names, history and values.

An entry's parameters are in TA-Lib's own order, kinds of moving average after all others; those
left out are TA-Lib's defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import talib
from talib import abstract as _abstract
from talib import stream

from tickstream.core.columns import Floats

abstract: Any = _abstract  # its stub is out of date

PRICES: Final = ("open", "high", "low", "close", "volume")
"""What is kept of a bar, in this order."""

PAGE: Final = 1024
"""Bars are let go this many at once."""
LONGEST: Final = 16 * PAGE
"""No indicator may depend on more bars."""

NAN: Final = float("nan")

_ENDLESS: Final = {"AD": 0.0, "CUMSUM": 0.0, "NVI": 1.0, "OBV": 0.0, "PVI": 1.0, "PVT": 0.0, "WAD": 0.0}
_FACTORS: Final = frozenset(("NVI", "PVI"))
ENDLESS: Final = tuple(_ENDLESS)
"""The functions that go by all bars there ever were; where they stand at a series' anchor is kept, whether asked for or
not, as what is to be added to their value over later bars (to be multiplied by, for NVI and PVI)."""
BEGINNING: Final = tuple(_ENDLESS.values())
"""Where they stand before the first bar."""

_KINDS: Final = "matype"
_TOLERANCE: Final = 1e-9
_ENDS: Final = 4

Parameters = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of TA-Lib with parameters.

    Attributes:
        name: TA-Lib's.
        inputs: of `PRICES`.
        outputs: the values' names.
        parameters: by TA-Lib's names.
        lookback: how many bars come before the first value.
        memory: how many bars a value depends on.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Parameters
    lookback: int
    memory: int

    @property
    def endless(self) -> int | None:
        """Its place in `ENDLESS`."""
        return ENDLESS.index(self.name) if self.name in _ENDLESS else None

    @property
    def is_factor(self) -> bool:
        """Whether where it stands is a factor."""
        return self.name in _FACTORS

    def open(self, columns: Sequence[Floats]) -> Any | None:
        """A handle (`update`, `peek`, `value`) on a history of inputs; None while that isn't enough."""
        if len(columns[0]) <= self.lookback:
            return None
        try:
            return getattr(stream, self.name)(*columns, **dict(self.parameters))
        except talib.InsufficientHistory:  # type: ignore[attr-defined] # its stub is out of date
            return None

    def last(self, columns: Sequence[Floats]) -> list[float]:
        """The last values of TA-Lib's batch function."""
        return [float(output[-1]) for output in _batch(self.name, columns, self.parameters)]


def is_function(name: str) -> bool:
    """Whether TA-Lib has it."""
    return name.upper() in abstract.__TA_FUNCTION_NAMES__


def function(name: str, given: Sequence[str]) -> Function:
    """A function by its name in lower case and the texts of its first parameters.

    Raises:
        ValueError: a parameter breaks a rule, or the function's inputs or its memory aren't of the sort that bars have.
    """
    plain = abstract.Function(name.upper())
    inputs = _inputs(name, plain.input_names)
    parameters = _parameters(name, dict(plain.parameters), given)
    lookback = _lookback(name, parameters)
    shown = [_shown(value) for key, value in parameters if not given and _KINDS not in key]
    stem = "_".join((name, *(_shown(value) for _, value in parameters[: len(given)]), *shown))
    suffixes = [_suffix(name, output) if len(plain.output_names) > 1 else "" for output in plain.output_names]
    outputs = tuple(f"{stem}_{suffix}" if suffix else stem for suffix in suffixes)
    memory = _memory(name, inputs, tuple(sorted(parameters)))
    return Function(name.upper(), inputs, outputs, parameters, lookback, memory)


def carried(stands: Sequence[float], reached: Floats) -> tuple[float, ...]:
    """Where the functions of `ENDLESS` stand at a later anchor.

    Args:
        stands: where they stood at the first bar.
        reached: the bars from there to the later anchor, that one included: a row for each of `PRICES`.
    """
    found = []
    for name, before in zip(ENDLESS, stands, strict=True):
        columns = [reached[PRICES.index(column)] for column in _inputs(name, abstract.Function(name).input_names)]
        (whole,), (alone,) = _batch(name, columns, ()), _batch(name, [column[-1:] for column in columns], ())
        with np.errstate(all="ignore"):
            after = before * whole[-1] / alone[-1] if name in _FACTORS else before + (whole[-1] - alone[-1])
        found.append(float(after) if np.isfinite(after) else _ENDLESS[name])
    return tuple(found)


def _inputs(name: str, input_names: dict[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for key, columns in input_names.items():
        if key not in ("price", "prices"):
            raise ValueError(
                f"{name} takes two series of one's choice ({', '.join(input_names)}), which bars don't have"
            )
        found += [columns] if isinstance(columns, str) else columns
    return tuple(found)


def _parameters(name: str, defaults: dict[str, float], given: Sequence[str]) -> Parameters:
    order = sorted(defaults, key=lambda key: _KINDS in key)
    if len(given) > len(order):
        takes = f"no parameters but {', '.join(order)}" if order else "no parameters"
        raise ValueError(f"{name} takes {takes}, was given {len(given)}")
    found = dict(defaults)
    for key, text in zip(order, given, strict=False):
        found[key] = _number(key, text, whole=isinstance(defaults[key], int))
        if _lookback_of(name, defaults | {key: found[key]}) < 0:
            raise ValueError(f"{key} must be in TA-Lib's range for {name.upper()}, was {text}")
    return tuple((key, found[key]) for key in order)


def _number(key: str, text: str, *, whole: bool) -> float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        raise ValueError(f"{key} must be a {'whole ' if whole else ''}number, was {text!r}") from None
    if not np.isfinite(number) or abs(number) > np.iinfo(np.int32).max:
        raise ValueError(f"{key} must be a number of a usual size, was {text}")
    return number


def _lookback(name: str, parameters: Parameters) -> int:
    lookback = _lookback_of(name, dict(parameters))
    if lookback < 0:
        told = ", ".join(f"{key} {_shown(value)}" for key, value in parameters)
        raise ValueError(f"{name} must have parameters that TA-Lib takes together, {told} are not")
    return lookback


def _lookback_of(name: str, parameters: dict[str, float]) -> int:
    found: int = abstract.Function(name.upper(), **parameters).lookback
    return found


def _shown(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else str(value)


def _suffix(name: str, output: str) -> str:
    """TA-Lib's name of one of several outputs, less what says nothing: `slowk` is k, `upperband` upper."""
    for word in (name, "macd", "slow", "fast"):
        output = output.removeprefix(word)
    return output.removesuffix("band")


def _batch(name: str, columns: Sequence[Floats], parameters: Parameters) -> tuple[Floats, ...]:
    call: Callable[..., Any] = getattr(talib, name)
    found = call(*columns, **dict(parameters))
    return found if isinstance(found, tuple) else (found,)


@cache
def _sample() -> Floats:
    """Bars of a random walk, some of them quiet: a row for each of `PRICES`."""
    random = np.random.default_rng(1)
    length = LONGEST + (_ENDS + 1) * PAGE
    steps = np.round(random.normal(0, 0.05, (length, 4)), 2)
    quiet = random.random(length) < 0.1
    steps[quiet] = 0
    prices = np.maximum(100 + np.cumsum(steps.ravel()), 1).reshape(length, 4)
    prices[quiet] = prices[quiet, -1:]
    volume = np.where(quiet, 0, random.integers(1, 1000, length)).astype(np.float64)
    return np.array([prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1], volume])


@cache
def _memory(name: str, inputs: tuple[str, ...], parameters: Parameters) -> int:
    """How many bars values depend on, to 1e-9, as a sample shows; whole pages.

    Raises:
        ValueError: on more than `LONGEST`.
    """
    if name.upper() in _ENDLESS:
        return PAGE
    columns = [_sample()[PRICES.index(column)] for column in inputs]
    ends = [len(columns[0]) - PAGE * number for number in range(_ENDS)]
    whole = _batch(name.upper(), columns, parameters)
    memory = PAGE
    while memory <= LONGEST:
        parts = [_batch(name.upper(), [column[end - memory : end] for column in columns], parameters) for end in ends]
        if all(
            np.allclose(part[-1], output[end - 1], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
            for end, found in zip(ends, parts, strict=True)
            for part, output in zip(found, whole, strict=True)
        ):
            return memory
        memory *= 2
    raise ValueError(f"{name} must depend on {LONGEST} bars at most, with these parameters it goes by more")
