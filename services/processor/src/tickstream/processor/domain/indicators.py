"""The indicators, and their values bar by bar.

A series' values depend on the bars since its anchor, the first bar that is kept: as soon as there
are `LET_GO` more bars than are to be kept, that many are let go and TA-Lib's handles are opened anew
on the others. Where that happens depends on the number of bars alone, so neither a restart, which
opens the handles on the same bars, nor a revision of bars changes a value. Until then, values are
those of TA-Lib's batch functions over all bars; after that what is left out weighs less than 1e-12
of what is kept.

Quiet bars count like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import talib
from talib import abstract, stream

from tickstream.core.columns import Floats

PRICES: Final = ("open", "high", "low", "close", "volume")
"""What is kept of a bar, in this order."""

KEPT: Final = 1024
"""How many bars a series keeps at least, once it has had them."""
LET_GO: Final = 1024
"""How many bars are let go at once."""
LIMIT: Final = KEPT + LET_GO

VWAP: Final = "vwap"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One function of TA-Lib with its parameters, and the names that its outputs go by.

    Attributes:
        cumulative: it adds up over all bars there ever were.
    """

    function: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parameters: Mapping[str, float] = field(default_factory=dict)
    cumulative: bool = False

    @property
    def lookback(self) -> int:
        """How many bars come before the first value."""
        found: int = abstract.Function(self.function, **self.parameters).lookback  # type: ignore[attr-defined] # its stub is out of date
        return found

    @property
    def columns(self) -> tuple[int, ...]:
        """The inputs' places in `PRICES`."""
        return tuple(PRICES.index(name) for name in self.inputs)


_HLC: Final = ("high", "low", "close")
_CLOSE: Final = ("close",)

CATALOGUE: Final = (
    Indicator("SMA", _CLOSE, ("sma_20",), {"timeperiod": 20}),
    Indicator("EMA", _CLOSE, ("ema_20",), {"timeperiod": 20}),
    Indicator("RSI", _CLOSE, ("rsi_14",), {"timeperiod": 14}),
    Indicator(
        "MACD",
        _CLOSE,
        ("macd_12_26_9", "macd_12_26_9_signal", "macd_12_26_9_hist"),
        {"fastperiod": 12, "slowperiod": 26, "signalperiod": 9},
    ),
    Indicator(
        "BBANDS",
        _CLOSE,
        ("bbands_20_2_upper", "bbands_20_2_middle", "bbands_20_2_lower"),
        {"timeperiod": 20, "nbdevup": 2.0, "nbdevdn": 2.0},
    ),
    Indicator("ATR", _HLC, ("atr_14",), {"timeperiod": 14}),
    Indicator("ADX", _HLC, ("adx_14",), {"timeperiod": 14}),
    Indicator(
        "STOCH",
        _HLC,
        ("stoch_14_3_3_k", "stoch_14_3_3_d"),
        {"fastk_period": 14, "slowk_period": 3, "slowd_period": 3},
    ),
    Indicator("CCI", _HLC, ("cci_20",), {"timeperiod": 20}),
    Indicator("ROC", _CLOSE, ("roc_10",), {"timeperiod": 10}),
    Indicator("WILLR", _HLC, ("willr_14",), {"timeperiod": 14}),
    Indicator("MFI", (*_HLC, "volume"), ("mfi_14",), {"timeperiod": 14}),
    Indicator("OBV", ("close", "volume"), ("obv",), cumulative=True),
)

NAMES: Final = (*(name for indicator in CATALOGUE for name in indicator.outputs), VWAP)
"""Every indicator's name, in the order of a row of values; `vwap` is made elsewhere and comes last."""

_LOOKBACKS: Final = tuple(indicator.lookback for indicator in CATALOGUE)
_INPUTS: Final = tuple(dict.fromkeys(indicator.columns for indicator in CATALOGUE))
_INPUT_OF: Final = tuple(_INPUTS.index(indicator.columns) for indicator in CATALOGUE)
_OBV: Final = next(place for place, indicator in enumerate(CATALOGUE) if indicator.cumulative)
_WARMING: Final = tuple((float("nan"),) * len(indicator.outputs) for indicator in CATALOGUE)
_ROOM: Final = 64

Bar = tuple[float, float, float, float, float]
"""A bar by `PRICES`."""


def kept_of(bars: int, kept: int = KEPT) -> int:
    """How many of a series' bars are kept once there were `bars`, when it keeps `kept` at least."""
    return bars if bars < kept + LET_GO else kept + (bars - kept) % LET_GO


class Series:
    """The indicators of one symbol in one interval.

    Attributes:
        base: what OBV had come to before the bars that are kept.
    """

    __slots__ = ("_handles", "_history", "_kept", "_limit", "base")

    def __init__(self, history: Floats | None = None, base: float = 0.0, *, kept: int = KEPT) -> None:
        """Start, or go on from kept bars: a row for each of `PRICES`; `kept` bars stay at least."""
        self.base = base
        self._limit = kept + LET_GO
        self._kept = 0 if history is None else history.shape[1]
        self._history: Floats = np.empty((len(PRICES), max(_ROOM, self._kept)))
        if history is not None:
            self._history[:, : self._kept] = history
        self._handles: list[Any] | None = None

    def close(self, bar: Bar) -> list[float]:
        """Take a closed bar; gives the values by `NAMES` less vwap, NaN while warming."""
        handles = self._opened()
        self._append(bar)
        inputs = _inputs(bar)
        values: list[float] = []
        for place, handle in enumerate(handles):
            if handle is None:
                handle = handles[place] = self._open(place)  # noqa: PLW2901 - opened here, used below
                found = _WARMING[place] if handle is None else handle.value
            else:
                found = handle.update(*inputs[_INPUT_OF[place]])
            self._put(values, place, found)
        if self._kept == self._limit:
            self._let_go()
        return values

    def revise(self, dropped: int, bars: Sequence[Bar]) -> list[list[float]]:
        """Forget the last closed bars and close others in their place; gives the values of each.

        Args:
            dropped: how many are forgotten.
            bars: those in their place, as many or more.

        Raises:
            ValueError: not so many are kept, or fewer come than go.
        """
        if dropped > self._kept:
            raise ValueError(f"at most the {self._kept} bars that are kept can be revised, not {dropped}")
        if len(bars) < dropped:
            raise ValueError(f"{dropped} bars must be replaced by as many or more, not by {len(bars)}")
        self._kept -= dropped
        self._handles = None
        return [self.close(bar) for bar in bars]

    def peek(self, bar: Bar) -> list[float]:
        """The values that `close` would give; nothing changes."""
        inputs = _inputs(bar)
        values: list[float] = []
        for place, handle in enumerate(self._opened()):
            self._put(values, place, _WARMING[place] if handle is None else handle.peek(*inputs[_INPUT_OF[place]]))
        return values

    def last(self, count: int) -> Floats:
        """The last closed bars: a row for each of `PRICES`."""
        return self._history[:, self._kept - count : self._kept]

    def _put(self, values: list[float], place: int, found: float | tuple[float, ...]) -> None:
        if isinstance(found, tuple):
            values.extend(found)
        else:
            values.append(found + self.base if place == _OBV else found)

    def _append(self, bar: Bar) -> None:
        if self._kept == self._history.shape[1]:
            self._history = np.concatenate((self._history, np.empty_like(self._history)), axis=1)
        self._history[:, self._kept] = bar
        self._kept += 1

    def _let_go(self) -> None:
        # OBV's base comes from the bars before the anchor alone, so that revised bars after it leave it as it is.
        reached = self._history[:, : LET_GO + 1]
        close, volume = PRICES.index("close"), PRICES.index("volume")
        self.base += float(talib.OBV(reached[close], reached[volume])[-1] - reached[volume, -1])
        self._history = self._history[:, LET_GO : self._kept].copy()
        self._kept -= LET_GO
        self._handles = None

    def _opened(self) -> list[Any]:
        if self._handles is None:
            self._handles = [self._open(place) for place in range(len(CATALOGUE))]
        return self._handles

    def _open(self, place: int) -> Any:
        """The handle on what is kept; None while that isn't enough."""
        if self._kept <= _LOOKBACKS[place]:
            return None
        indicator = CATALOGUE[place]
        columns = [self._history[column, : self._kept] for column in indicator.columns]
        try:
            return getattr(stream, indicator.function)(*columns, **indicator.parameters)
        except talib.InsufficientHistory:  # type: ignore[attr-defined] # its stub is out of date
            return None


def _inputs(bar: Bar) -> list[tuple[float, ...]]:
    return [tuple(bar[column] for column in columns) for columns in _INPUTS]
