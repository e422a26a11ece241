"""Questions about the past: the closed bars, or their indicators, before a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from tickstream.core.clock import NANOS_PER_MILLI
from tickstream.core.intervals import Interval
from tickstream.ws_bridge.domain.protocol import RefusalError

PastChannel = Literal["bars", "indicators"]

MAX_PAGE: Final = 5_000
_DEFAULT_PAGE: Final = 1_000
_FIELDS: Final = frozenset({"symbol", "interval", "before_ms", "limit"})
_SYMBOL: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class PastRequest:
    """What is asked for.

    Attributes:
        channel: bars or indicators.
        symbol: whose.
        interval: of the bars.
        before: the start of each lies before this, in nanoseconds since the epoch.
        limit: no more than so many, the newest of them.
    """

    channel: PastChannel
    symbol: str
    interval: Interval
    before: int
    limit: int


def read_past_request(channel: PastChannel, query: Mapping[str, str]) -> PastRequest:
    """The request that a URL's query makes.

    Raises:
        RefusalError: it makes none.
    """
    strange = sorted(query.keys() - _FIELDS)
    if strange:
        raise RefusalError("bad_request", f"a question about {channel} has no {strange[0]}")
    symbol = query.get("symbol", "")
    if not _SYMBOL.fullmatch(symbol):
        raise RefusalError("bad_request", f"symbol must be a name of up to 64 characters, was {symbol[:80]!r}")
    try:
        interval = Interval.named(query.get("interval", ""))
    except ValueError as error:
        raise RefusalError("bad_request", str(error)) from None
    before = _number(query, "before_ms", None)
    limit = _number(query, "limit", _DEFAULT_PAGE)
    if not 0 < limit <= MAX_PAGE:
        raise RefusalError("bad_request", f"limit must be between 1 and {MAX_PAGE}, was {limit}")
    return PastRequest(channel, symbol, interval, before * NANOS_PER_MILLI, limit)


def _number(query: Mapping[str, str], name: str, otherwise: int | None) -> int:
    text = query.get(name)
    if text is None and otherwise is not None:
        return otherwise
    if text is None or not _NUMBER.fullmatch(text) or int(text) * NANOS_PER_MILLI >= 2**63:
        raise RefusalError("bad_request", f"{name} must be a whole number, not below 0, was {text!r}")
    return int(text)
