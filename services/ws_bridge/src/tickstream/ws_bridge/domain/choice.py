"""Which partitions of the trades a node reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from tickstream.ws_bridge.domain.homes import Homes, Partitions

LOOK_THROUGH_SECONDS: Final = 300.0
_NOTHING: Final[Partitions] = frozenset()


class Choice:
    """Partitions are read that a client's symbols can be in, and for some time after that.

    A partition is read, resting, or waking: that is, read again, but not yet as far as it went when it was woken.
    While others are read, a resting one is woken now and then to be looked through: symbols may have come to it.

    Args:
        homes: know where symbols are.
        patience: seconds that a partition which nobody needs is still read; all are for as long after the topic grew
            or a symbol was seen in a further one.
        look_through: seconds of rest until a partition is looked through.
    """

    def __init__(self, homes: Homes, patience: float, look_through: float = LOOK_THROUGH_SECONDS) -> None:
        self._homes = homes
        self._patience = patience
        self._look_through = max(patience, look_through)
        self._resting: dict[int, float] = {}
        self._waking: set[int] = set()
        self._asked: set[int] = set()
        self._needed_at: dict[int, float] = {}
        self._scattered = homes.scattered
        self._uncertain_until = 0.0

    @property
    def read(self) -> Partitions:
        """Those that are read, and as far as the topic goes."""
        return self._homes.all - self._resting.keys() - self._waking

    def lacking(self, symbols: Iterable[str] | None) -> Partitions:
        """What isn't read of the partitions that these symbols, or all (None), need."""
        return self._homes.needed(symbols) - self.read

    def look(self, now: float, symbols: Collection[str] | None) -> tuple[Partitions, Partitions]:
        """Decide anew, while these symbols have readers; None: all.

        Returns:
            the partitions that rest from now on, and those that wake.
        """
        needed = self._needed(now, symbols)
        self._needed_at.update(dict.fromkeys(needed, now))
        idle = [one for one in self.read if now - self._needed_at.setdefault(one, now) >= self._patience]
        self._resting.update(dict.fromkeys(idle, now))
        return frozenset(idle), self._wake((needed & self._resting.keys()) or self._to_look_through(now, needed))

    def ask(self, partitions: Partitions) -> Partitions:
        """Someone waits for these; gives those that have to be woken for that."""
        self._asked |= partitions
        return self._wake(partitions & self._resting.keys())

    def awake(self, partitions: Partitions, now: float) -> None:
        """These have been read as far as they went when they were woken."""
        self._waking -= partitions
        self._needed_at.update(dict.fromkeys(self._asked & partitions, now))
        self._asked -= partitions

    def _needed(self, now: float, symbols: Collection[str] | None) -> Partitions:
        if self._homes.scattered != self._scattered:
            self._scattered = self._homes.scattered
            self._uncertain_until = now + self._patience
        if symbols is not None and not symbols:
            return _NOTHING
        return self._homes.needed(None if now < self._uncertain_until else symbols)

    def _to_look_through(self, now: float, needed: Partitions) -> Partitions:
        """The one that has rested the longest, if it is time; not all at once, for who is served meanwhile waits."""
        if not needed or self._waking:
            return _NOTHING
        due = [one for one, since in self._resting.items() if now - since >= self._look_through]
        return frozenset(due[:1])

    def _wake(self, partitions: Partitions) -> Partitions:
        for one in partitions:
            del self._resting[one]
        self._waking |= partitions
        return partitions
