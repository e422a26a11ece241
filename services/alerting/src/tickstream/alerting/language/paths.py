"""Dotted names to series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lark import Token

from tickstream.alerting.domain.expression import MARKET, Series
from tickstream.alerting.domain.names import (
    BAR_FIELDS,
    CLOCK_FIELDS,
    FUNCTIONS,
    INDICATORS,
    PRICE,
    SESSION_FIELDS,
    is_indicator,
)
from tickstream.alerting.language.errors import At, meant
from tickstream.alerting.language.misfit import Misfit

_FIGURES: Final = ("analytics", MARKET)
_KNOWN: Final = (*BAR_FIELDS, *CLOCK_FIELDS, *SESSION_FIELDS, PRICE, *INDICATORS, "indicator", *_FIGURES)


@dataclass(frozen=True, slots=True)
class Part:
    """A name after a dot, and the window in brackets behind it."""

    name: str
    window: str | None
    at: At


def series_of(root: Token, parts: Sequence[Part]) -> Series:
    """The series that a dotted name means: `close`, `SPY.close`, `indicator.wma_10`, `market.breadth[1d].advancers`.

    Raises:
        Misfit: there is none.
    """
    own = Part(str(root), None, At(root.start_pos or 0, root.end_pos or 0))
    if root.type == "STRING" or (parts and own.name not in ("indicator", *_FIGURES)):
        if not parts:
            raise Misfit(own.at, f"expected something of the symbol, such as {own.name}.close")
        return _named(list(parts), own.name.strip('"'))
    return _named([own, *parts], None)


def _named(parts: list[Part], symbol: str | None) -> Series:
    first, *rest = parts
    if first.name in _FIGURES:
        return _figure(first, rest, symbol)
    if first.name == "indicator":
        if len(rest) != 1 or rest[0].window is not None:
            raise Misfit(first.at, "expected an indicator's name, such as indicator.wma_10")
        return Series("indicator", rest[0].name, symbol)
    if rest or first.window is not None:
        raise Misfit((rest[0] if rest else first).at, f"{first.name} has no parts")
    return _plain(first, symbol)


def _plain(part: Part, symbol: str | None) -> Series:
    name = part.name
    if name in BAR_FIELDS or name == PRICE:
        return Series("bar", name, symbol)
    if name in CLOCK_FIELDS or name in SESSION_FIELDS:
        return Series("clock", name, symbol)
    if is_indicator(name):
        return Series("indicator", name, symbol)
    if name in FUNCTIONS:
        raise Misfit(part.at, f"{name} is a function: expected ( after it")
    raise Misfit(part.at, f"there is no value {name!r}{meant(name, _KNOWN)}")


def _figure(root: Part, parts: Sequence[Part], symbol: str | None) -> Series:
    form = f"{root.name}.NAME[WINDOW].VALUE"
    if root.name == MARKET and symbol is not None:
        raise Misfit(root.at, "the market's figures belong to no symbol")
    if len(parts) != 2 or parts[0].window is None or parts[1].window is not None or root.window is not None:
        raise Misfit(root.at.to(parts[-1].at) if parts else root.at, f"expected {form}")
    return Series(
        "market" if root.name == MARKET else "analytics", f"{parts[0].name}.{parts[1].name}", symbol, parts[0].window
    )
