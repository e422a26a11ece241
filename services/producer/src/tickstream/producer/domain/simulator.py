"""A market's trades, session after session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from tickstream.core.clock import NANOS_PER_SECOND
from tickstream.core.sessions import CONTINUOUS, REGULAR, Sessions
from tickstream.producer.domain.characters import Character
from tickstream.producer.domain.chunks import Chunk, nothing
from tickstream.producer.domain.counting import SeqCounter
from tickstream.producer.domain.market import CONTINUOUS_YEAR, EXCHANGE_YEAR, Market, Stretch

STEP: Final = NANOS_PER_SECOND
"""The trades of so much event time are drawn at once."""


class Simulator:
    """Trades while the exchange is open, from `start` on and without end.

    The same seed, start and characters give the same trades.

    Args:
        characters: of each symbol.
        source: the name of the trades' source.
        seed: of all chance.
        calendar: the exchange's, or "24/7".
        start: nanoseconds since the epoch.
    """

    def __init__(self, characters: Mapping[str, Character], source: str, seed: int, calendar: str, start: int) -> None:
        self._market = Market(characters, source, CONTINUOUS_YEAR if calendar == CONTINUOUS else EXCHANGE_YEAR)
        self._sessions = Sessions.of(calendar)
        self._daily = calendar == CONTINUOUS
        self._seed = seed
        self._start = start
        self._counter = SeqCounter()

    def reconfigure(self, characters: Mapping[str, Character]) -> None:
        """Trade these symbols from the next step on."""
        self._market.reconfigure(characters)

    def chunks(self) -> Iterator[Chunk]:
        """A chunk a step while the exchange is open, and an empty one over each time that it is closed."""
        at = self._start
        while True:
            session, change = self._session(at), self._sessions.next_change(at)
            if session is None:
                if change is None:
                    return
                at = change.ts
                yield Chunk(nothing(), np.zeros(0, dtype=np.int64), at)
                continue
            stop = min(at + STEP, session.end if change is None else change.ts)
            rng = np.random.default_rng([self._seed, at - self._start])
            trades = self._counter.number(self._market.trade(rng, at, stop, session))
            yield Chunk(trades, trades.ts_event, stop)
            at = stop

    def _session(self, ts: int) -> Stretch | None:
        """The bounds of the session that holds a time; None when the exchange is closed."""
        at = np.array([ts], dtype=np.int64)
        if self._daily:
            return Stretch(int(self._sessions.day_start(at)[0]), int(self._sessions.day_end(at)[0]))
        if self._sessions.classify(at)[0] != REGULAR:
            return None
        return Stretch(int(self._sessions.session_start(at)[0]), int(self._sessions.session_end(at)[0]))


def paced(characters: Mapping[str, Character], rate: float) -> dict[str, Character]:
    """The same symbols, with `rate` trades a second in total and in the same proportions."""
    total = sum(1 / character.interval for character in characters.values())
    return {
        symbol: replace(character, interval=character.interval * total / rate)
        for symbol, character in characters.items()
    }
