"""Which trades are decoded: those of symbols that somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from tickstream.core.columns import Strings
from tickstream.core.kafka import Message
from tickstream.core.logging import logger

_LOG = logger(__name__)
_MAX_KEYS: Final = 100_000

Wanted = Callable[[str], bool]
"""Whether anyone may read a symbol's trades."""


class Sieve:
    """Tells by their keys which trades nobody wants; for one thread at a time.

    A key is taken for the symbol that it names once a trade with that key has been decoded and was of this symbol. As
    soon as one was of another, keys say nothing, and all trades are wanted from then on; so are those without a key.
    """

    def __init__(self) -> None:
        self._symbols: dict[object, str] = {}
        self._trusting = True

    def part(self, messages: Sequence[Message], wanted: Wanted) -> tuple[Sequence[Message], Sequence[Message]]:
        """(the messages to be decoded, those that nobody wants), both in order."""
        if not self._trusting:
            return messages, ()
        keys = list(map(Message.key, messages))
        distinct, symbols = set(keys), self._symbols
        left = {key for key in distinct if key in symbols and not wanted(symbols[key])}
        if not left:
            return messages, ()
        if len(left) == len(distinct):
            return (), messages
        read = [message for message, key in zip(messages, keys, strict=True) if key not in left]
        return read, [message for message, key in zip(messages, keys, strict=True) if key in left]

    def learn(self, messages: Sequence[Message], symbols: Strings) -> None:
        """These messages were decoded, to trades of these symbols."""
        new = set(map(Message.key, messages)) - self._symbols.keys()
        if not (new and self._trusting):
            return
        for message, symbol in zip(messages, symbols.to_list(), strict=True):
            key = message.key()
            if key is None or symbol is None or key not in new:
                continue
            if key != symbol.encode():
                _LOG.warning("keys_are_not_symbols", key=repr(key)[:80], symbol=symbol)
                self._trusting = False
                return
            if len(self._symbols) < _MAX_KEYS:
                self._symbols[key] = symbol

    def last(self, messages: Sequence[Message]) -> dict[tuple[str, int], Message]:
        """The last of these messages that nobody wants, of each symbol in each partition."""
        last: dict[tuple[str, int], Message] = {}
        for partition, part in groupby(messages, Message.partition):
            some = list(part)
            for key, message in dict(zip(map(Message.key, some), some, strict=True)).items():
                last[self._symbols[key], partition or 0] = message
        return last
