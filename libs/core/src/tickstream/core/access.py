"""API keys as texts and digests, and what their holders may read: shared by who makes them and who checks them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Channel = Literal["ticks", "bars", "indicators", "analytics", "alerts", "market_events"]

CHANNELS: Final[tuple[Channel, ...]] = ("ticks", "bars", "indicators", "analytics", "alerts", "market_events")
ANY: Final = "*"

_KEY: Final = re.compile(r"tsk_([0-9a-f]{16})_[0-9a-f]{64}")
_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32
_MAX_PATTERNS: Final = 1_000
_PATTERN: Final = re.compile(r"[^\s*]{1,64}\*?|\*")


def new_key() -> tuple[str, str]:
    """The id and the whole text, `tsk_<id>_<secret>`, of a new key; the secret has 256 random bits."""
    key_id = secrets.token_hex(_ID_BYTES)
    return key_id, f"tsk_{key_id}_{secrets.token_hex(_SECRET_BYTES)}"


def key_id_of(text: str) -> str | None:
    """The id in a key's text; None when it can't be one."""
    match = _KEY.fullmatch(text)
    return None if match is None else match[1]


def key_digest(text: str) -> bytes:
    """What is kept of a key: the SHA-256 of its whole text.

    A slow or salted digest would add nothing: there are no likely keys to try.
    """
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


@dataclass(frozen=True, slots=True)
class Scope:
    """What someone may read.

    Attributes:
        channels: of the socket.
        names: symbols, and scopes of analytics.
        beginnings: those of further symbols.
    """

    channels: frozenset[str]
    names: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def of(cls, channels: Iterable[str], symbols: Iterable[str]) -> Scope:
        """The scope of channels, or "*", and of patterns of symbols: a name, or a beginning and "*".

        Raises:
            ValueError: there is no such channel or pattern, or none at all.
        """
        wanted, patterns = frozenset(channels), frozenset(symbols)
        strange = sorted(wanted - {ANY, *CHANNELS})
        if strange or not wanted:
            shown = strange[0] if strange else "none"
            raise ValueError(f"channels must be some of {', '.join(CHANNELS)}, or {ANY}, was {shown}")
        bad = sorted(pattern for pattern in patterns if not _PATTERN.fullmatch(pattern))
        if bad or not patterns:
            shown = bad[0] if bad else "none"
            raise ValueError(f"symbols must be names, or beginnings followed by {ANY}, was {shown}")
        if len(patterns) > _MAX_PATTERNS:
            raise ValueError(f"symbols must be {_MAX_PATTERNS} patterns at the most, was {len(patterns)}")
        beginnings = tuple(sorted(pattern[:-1] for pattern in patterns if pattern.endswith(ANY)))
        names = frozenset(pattern for pattern in patterns if not pattern.endswith(ANY))
        return cls(frozenset(CHANNELS) if ANY in wanted else wanted, names, beginnings)

    @property
    def every_symbol(self) -> bool:
        """Whether no symbol is left out."""
        return "" in self.beginnings

    def has(self, symbol: str) -> bool:
        """Whether a symbol may be read."""
        return symbol in self.names or symbol.startswith(self.beginnings)


UNBOUNDED: Final = Scope.of([ANY], [ANY])
