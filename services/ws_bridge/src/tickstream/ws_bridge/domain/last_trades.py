"""The last trade of each symbol that nobody reads, as Kafka gave it: it is decoded when a snapshot wants it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Generic, Protocol, TypeVar

from tickstream.ws_bridge.domain.entry import Waiting


class Sealed(Protocol):
    """A trade that wasn't decoded."""

    def partition(self) -> int | None:
        """In which partition of the topic it is."""

    def offset(self) -> int | None:
        """Where it is in that."""


_Trade = TypeVar("_Trade", bound=Sealed)


class LastTrades(Generic[_Trade]):
    """One trade a symbol.

    Args:
        unseal: decodes trades; it leaves out what can't be read.
    """

    def __init__(self, unseal: Callable[[Sequence[_Trade]], Sequence[Waiting]]) -> None:
        self._unseal = unseal
        self._kept: dict[str, _Trade] = {}

    def keep(self, symbol: str, trade: _Trade) -> None:
        """This is the symbol's last trade so far."""
        self._kept[symbol] = trade

    def drop(self, newer: Waiting) -> None:
        """A trade that is kept elsewhere takes the place of an earlier one of its symbol here."""
        kept = self._kept.get(newer.route[2])
        if kept is not None and (kept.partition() != newer.partition or (kept.offset() or 0) <= newer.offset):
            del self._kept[newer.route[2]]

    def forget(self, partitions: Collection[int]) -> None:
        """Drop the trades that are in these partitions."""
        self._kept = {symbol: trade for symbol, trade in self._kept.items() if trade.partition() not in partitions}

    def made(self, symbols: Collection[str] | None) -> Sequence[Waiting]:
        """Take out the trades of these symbols, or of all."""
        wanted = list(self._kept) if symbols is None else [symbol for symbol in symbols if symbol in self._kept]
        return self._unseal([self._kept.pop(symbol) for symbol in wanted]) if wanted else ()
