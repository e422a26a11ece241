"""Dotted names to series."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lark import Token

from tickstream.alerting.domain.expression import FIGURED, Series, Source
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
from tickstream.core.scopes import GROUP, GROUP_NAME_RULE, is_group_name

_KNOWN: Final = (*BAR_FIELDS, *CLOCK_FIELDS, *SESSION_FIELDS, PRICE, *INDICATORS, "indicator", *FIGURED)
_SYMBOL: Final = re.compile(r"[A-Za-z0-9.^=_:/-]{1,64}")


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
    if root.type == "STRING":
        return _quoted(own, parts)
    if parts and own.name not in ("indicator", *FIGURED):
        return _named(list(parts), own.name)
    return _named([own, *parts], None)


def _quoted(own: Part, parts: Sequence[Part]) -> Series:
    name = own.name.strip('"')
    if name.startswith(GROUP):
        if not is_group_name(name.removeprefix(GROUP)):
            raise Misfit(own.at, f"a group's name has {GROUP_NAME_RULE}")
        return _figure(own, parts, "group", name)
    if not _SYMBOL.fullmatch(name):
        raise Misfit(own.at, "a symbol has 1 to 64 letters, digits and . ^ = _ : / -")
    if not parts:
        raise Misfit(own.at, f"expected something of the symbol, such as {own.name}.close")
    return _named(list(parts), name)


def _named(parts: list[Part], symbol: str | None) -> Series:
    first, *rest = parts
    if first.name in FIGURED:
        if symbol is not None and first.name != "analytics":
            whose = "the market's" if first.name == "market" else "a group's"
            raise Misfit(first.at, f"{whose} figures belong to no symbol")
        return _figure(first, rest, first.name, symbol)
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


def _figure(root: Part, parts: Sequence[Part], source: Source, symbol: str | None) -> Series:
    if len(parts) != 2 or parts[0].window is None or parts[1].window is not None or root.window is not None:
        raise Misfit(root.at.to(parts[-1].at) if parts else root.at, f"expected {root.name}.NAME[WINDOW].VALUE")
    return Series(source, f"{parts[0].name}.{parts[1].name}", symbol, parts[0].window)
