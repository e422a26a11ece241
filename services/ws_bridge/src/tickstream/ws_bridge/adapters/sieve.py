"""Which trades are decoded: those of symbols that somebody wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Interner, Strings
from tickstream.core.kafka import Message
from tickstream.core.logging import logger
from tickstream.ws_bridge.domain.interest import Interest

_LOG = logger(__name__)
_FIRST_ROOM: Final = 256
_UNASKED: Final = 0
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Sifted:
    """Which messages of a batch nobody wants.

    Attributes:
        rows: theirs, ascending.
        symbols: of each.
        version: of the interest that was asked.
    """

    rows: NDArray[np.intp]
    symbols: Strings
    version: int


class Sieve:
    """Tells by their keys which trades nobody wants; for one thread at a time.

    A key is taken for the symbol that it names once a trade with that key has been decoded and was of this symbol. As
    soon as one was of another, keys say nothing, and all trades are wanted from then on; so are those without a key.

    Args:
        interner: gives the symbols of decoded trades their codes.
    """

    def __init__(self, interner: Interner) -> None:
        self._names = interner.values
        self._codes: dict[object, int] = {}
        self._wanted = np.ones(_FIRST_ROOM, np.bool_)
        self._asked = np.full(_FIRST_ROOM, _UNASKED, np.int64)
        self._trusting = True

    def sift(self, messages: Sequence[Message], interest: Interest) -> Sifted | None:
        """What nobody wants of these messages; None: all are wanted."""
        if not self._trusting:
            return None
        keys = map(Message.key, messages)
        codes = np.fromiter(map(self._codes.get, keys, repeat(_UNKNOWN)), np.int64, len(messages))
        version = interest.version  # what changes from now on has another one
        self._ask(codes[codes != _UNKNOWN], interest, version)
        rows = np.flatnonzero(~self._wanted[codes] & (codes != _UNKNOWN))
        if not len(rows):
            return None
        return Sifted(rows, Strings(codes[rows].astype(np.int32), self._names), version)

    def learn(self, messages: Sequence[Message], symbols: Strings) -> None:
        """These messages were decoded, to trades of these symbols."""
        new = set(map(Message.key, messages)) - self._codes.keys() - {None}
        if not (new and self._trusting):
            return
        for message, code in zip(messages, symbols.codes.tolist(), strict=True):
            key = message.key()
            if key not in new:
                continue
            if key != self._names[code].encode():
                _LOG.warning("keys_are_not_symbols", key=repr(key)[:80], symbol=self._names[code])
                self._trusting = False
                return
            self._codes[key] = code

    def _ask(self, codes: NDArray[np.int64], interest: Interest, version: int) -> None:
        """Bring up to date who of these is wanted."""
        if len(self._names) > len(self._asked):
            more = 2 * len(self._names) - len(self._asked)
            self._wanted = np.concatenate((self._wanted, np.ones(more, np.bool_)))
            self._asked = np.concatenate((self._asked, np.full(more, _UNASKED, np.int64)))
        for code in np.unique(codes[self._asked[codes] != version]).tolist():
            self._wanted[code] = interest.wanted(("ticks", "", self._names[code]))
            self._asked[code] = version
