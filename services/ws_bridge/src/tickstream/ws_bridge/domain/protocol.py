"""The commands of the socket: what a client may say, and what is wrong when it may not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar, cast

from tickstream.core.access import UNBOUNDED, Scope
from tickstream.core.errors import TickstreamError
from tickstream.core.intervals import Interval
from tickstream.ws_bridge.domain.entry import CHANNELS, WITH_INTERVAL, Channel
from tickstream.ws_bridge.domain.grant import Allowance

Code = Literal[
    "bad_request",
    "unauthorized",
    "forbidden",
    "unknown_channel",
    "unknown_symbol",
    "unknown_subscription",
    "too_many_symbols",
    "too_many_subscriptions",
    "rate_limited",
    "too_large",
    "slow_consumer",
    "auth_expired",
    "shutting_down",
    "internal",
]
Mode = Literal["latest", "all"]

EVERYTHING: Final = "*"
MAX_HISTORY: Final = 5_000
MAX_MESSAGE_BYTES: Final = 65_536
_MAX_SYMBOL_LENGTH: Final = 64
_MIN_HZ: Final = 0.01
_DEFAULT_MODES: Final[Mapping[Channel, Mode]] = {"alerts": "all", "market_events": "all"}

_SUBSCRIBE_FIELDS: Final = frozenset({"channel", "symbols", "interval", "mode", "maxHz", "history", "resume"})
_UNSUBSCRIBE_FIELDS: Final = frozenset({"subscription", "channel", "symbols"})

_Text = TypeVar("_Text", bound=str)


class RefusalError(TickstreamError):
    """A command that isn't carried out; the client gets the code and the message."""

    def __init__(self, code: Code, message: str) -> None:
        self.code = code
        super().__init__(message)

    def fields(self) -> dict[str, object]:
        """What the acknowledgement carries."""
        return {"code": self.code, "message": str(self)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask for."""

    max_symbols: int
    max_subscriptions: int
    commands_per_second: int
    max_hz: float

    def within(self, allowance: Allowance) -> Limits:
        """These, or those of the allowance where they are narrower."""
        return replace(
            self,
            max_subscriptions=_narrower(self.max_subscriptions, allowance.subscriptions),
            commands_per_second=_narrower(self.commands_per_second, allowance.commands_per_second),
        )

    def fields(self) -> dict[str, object]:
        """What the acknowledgement of `subscribe` tells of them."""
        return {
            "maxSymbols": self.max_symbols,
            "maxSubscriptions": self.max_subscriptions,
            "maxHistory": MAX_HISTORY,
            "maxHz": self.max_hz,
            "commandsPerSecond": self.commands_per_second,
            "maxMessageBytes": MAX_MESSAGE_BYTES,
        }


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A valid `subscribe`; `symbols` is empty when everything is asked for, as far as `scope` goes."""

    channel: Channel
    interval: str
    symbols: tuple[str, ...]
    everything: bool
    mode: Mode
    max_hz: float | None
    history: int
    scope: Scope = UNBOUNDED
    resume: str | None = None


@dataclass(frozen=True, slots=True)
class UnsubscribeOne:
    """`unsubscribe {subscription}`."""

    subscription: str


@dataclass(frozen=True, slots=True)
class UnsubscribeSymbols:
    """`unsubscribe {channel, symbols}`; every symbol when `everything`."""

    channel: Channel
    symbols: tuple[str, ...]
    everything: bool


def parse_subscribe(arguments: Sequence[object], limits: Limits) -> Subscribe:
    """Check the arguments of `subscribe`.

    Raises:
        RefusalError: they break a rule.
    """
    fields = _fields(arguments, _SUBSCRIBE_FIELDS)
    channel = _channel(fields)
    symbols, everything = _symbols(fields, limits.max_symbols)
    resume = fields.get("resume")
    if resume is not None and not isinstance(resume, str):
        raise RefusalError("bad_request", f"resume must be the text of a frame's token, was {_shown(resume)}")
    mode = _one_of(fields, "mode", ("latest", "all"), _DEFAULT_MODES.get(channel, "latest"))
    interval, max_hz, history = _interval(fields, channel), _max_hz(fields), _history(fields)
    return Subscribe(channel, interval, symbols, everything, mode, max_hz, history, resume=resume)


def parse_unsubscribe(arguments: Sequence[object], limits: Limits) -> UnsubscribeOne | UnsubscribeSymbols:
    """Check the arguments of `unsubscribe`.

    Raises:
        RefusalError: they break a rule.
    """
    fields = _fields(arguments, _UNSUBSCRIBE_FIELDS)
    subscription = fields.get("subscription")
    if subscription is None:
        channel = _channel(fields)
        symbols, everything = _symbols(fields, limits.max_symbols)
        return UnsubscribeSymbols(channel, symbols, everything)
    if len(fields) > 1:
        raise RefusalError("bad_request", "unsubscribe takes either subscription, or channel and symbols")
    if not isinstance(subscription, str):
        raise RefusalError("bad_request", f"subscription must be a text, was {_shown(subscription)}")
    return UnsubscribeOne(subscription)


def parse_empty(arguments: Sequence[object]) -> None:
    """Check the arguments of a command that takes none, or one empty object.

    Raises:
        RefusalError: there is something in them.
    """
    if arguments and list(arguments) != [None]:
        _fields(arguments, frozenset())


def _narrower(limit: int, other: int | None) -> int:
    return limit if other is None else min(limit, other)


def _fields(arguments: Sequence[object], allowed: frozenset[str]) -> Mapping[str, object]:
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise RefusalError("bad_request", f"one object is wanted, was {_shown(list(arguments))}")
    given = cast("dict[str, object]", arguments[0])
    strange = sorted(set(given) - allowed)
    if strange:
        raise RefusalError("bad_request", f"{_shown(strange[0])} is not a field of this command")
    return {name: value for name, value in given.items() if value is not None}


def _channel(fields: Mapping[str, object]) -> Channel:
    channel = fields.get("channel")
    if not isinstance(channel, str):
        raise RefusalError("bad_request", f"channel must be a text, was {_shown(channel)}")
    for known in CHANNELS:
        if channel == known:
            return known
    raise RefusalError("unknown_channel", f"channel must be one of {', '.join(CHANNELS)}, was {_shown(channel)}")


def _symbols(fields: Mapping[str, object], limit: int) -> tuple[tuple[str, ...], bool]:
    symbols = fields.get("symbols")
    if not isinstance(symbols, list) or not symbols:
        raise RefusalError("bad_request", f'symbols must be a list of texts, or ["*"], was {_shown(symbols)}')
    if len(symbols) > limit:
        raise RefusalError("too_many_symbols", f"symbols may hold {limit} at the most, was {len(symbols)}")
    for symbol in symbols:
        if not isinstance(symbol, str) or not 0 < len(symbol) <= _MAX_SYMBOL_LENGTH:
            raise RefusalError(
                "bad_request", f"a symbol is a text of 1 to {_MAX_SYMBOL_LENGTH} characters, was {_shown(symbol)}"
            )
    distinct = tuple(dict.fromkeys(cast("list[str]", symbols)))
    if EVERYTHING not in distinct:
        return distinct, False
    if len(distinct) > 1:
        raise RefusalError("bad_request", 'symbols must be either ["*"] or a list of symbols, not both')
    return (), True


def _interval(fields: Mapping[str, object], channel: Channel) -> str:
    interval = fields.get("interval")
    if channel not in WITH_INTERVAL:
        if interval is not None:
            raise RefusalError("bad_request", f"interval is for bars and indicators, not for {channel}")
        return ""
    if not isinstance(interval, str):
        raise RefusalError("bad_request", f"interval must be a text like 1m, was {_shown(interval)}")
    try:
        return Interval.named(interval).name
    except ValueError as error:
        raise RefusalError("bad_request", str(error)) from error


def _one_of(fields: Mapping[str, object], name: str, allowed: tuple[_Text, ...], default: _Text) -> _Text:
    value = fields.get(name, default)
    for choice in allowed:
        if value == choice:
            return choice
    raise RefusalError("bad_request", f"{name} must be one of {', '.join(allowed)}, was {_shown(value)}")


def _max_hz(fields: Mapping[str, object]) -> float | None:
    value = fields.get("maxHz")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < _MIN_HZ:
        raise RefusalError("bad_request", f"maxHz must be a number of {_MIN_HZ} or more, was {_shown(value)}")
    return float(value)


def _history(fields: Mapping[str, object]) -> int:
    value = fields.get("history", 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_HISTORY:
        raise RefusalError(
            "bad_request", f"history must be a whole number from 0 to {MAX_HISTORY}, was {_shown(value)}"
        )
    return value


def _shown(value: object) -> str:
    text = "absent" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
