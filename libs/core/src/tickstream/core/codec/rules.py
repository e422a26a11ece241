"""What a record must hold to beyond the types of its fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from tickstream.core.errors import BadRecordError
from tickstream.core.model import Bar, IndicatorSet, Record, Tick

_PRICES: Final = ("open", "high", "low", "close", "volume", "vwap")


def _check_tick(tick: Tick) -> None:
    if not (tick.price > 0 and math.isfinite(tick.price)):
        raise BadRecordError(f"price must be positive and finite, was {tick.price}")
    if not (tick.volume >= 0 and math.isfinite(tick.volume)):
        raise BadRecordError(f"volume must be finite and not negative, was {tick.volume}")
    if tick.seq < 1:
        raise BadRecordError(f"seq must be at least 1, was {tick.seq}")
    if tick.flags < 0:
        raise BadRecordError(f"flags must not be negative, was {tick.flags}")


def _check_bar(bar: Bar) -> None:
    for name in _PRICES:
        value = getattr(bar, name)
        if not math.isfinite(value):
            raise BadRecordError(f"{name} must be finite, was {value}")
    if bar.trades < 0:
        raise BadRecordError(f"trades must not be negative, was {bar.trades}")
    check_revision(bar.revision)


def _check_indicators(indicators: IndicatorSet) -> None:
    check_revision(indicators.revision)


def check_revision(revision: int) -> None:
    """Refuse the revision of no bar, with a BadRecordError."""
    if revision < 0:
        raise BadRecordError(f"revision must not be negative, was {revision}")


def _check_nothing(record: Record) -> None:
    """Leave the record as it is."""


_RULES: Final[Mapping[type, Callable[[Any], None]]] = {
    Tick: _check_tick,
    Bar: _check_bar,
    IndicatorSet: _check_indicators,
}


def rules_of(record: type) -> Callable[[Any], None]:
    """What refuses a record of this class that breaks a rule of its topic.

    It raises BadRecordError, which names the field, its value and the rule.
    """
    return _RULES.get(record, _check_nothing)
