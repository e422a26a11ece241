"""A client's side of `resume`, and what it must have received; the same for a simulated bridge and a real one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Wish:
    """One subscription to trades, whatever connection it is made on.

    Attributes:
        token: the newest that speaks of it: of its acknowledgement, then of each frame of its channel.
    """

    symbols: list[str]
    mode: str
    max_hz: float | None = None
    token: str | None = None
    live: bool = False

    def request(self) -> dict[str, Any]:
        """The fields of `subscribe`."""
        rate = {} if self.max_hz is None else {"maxHz": self.max_hz}
        resume = {} if self.token is None else {"resume": self.token}
        return {"channel": "ticks", "symbols": list(self.symbols), "mode": self.mode, **rate, **resume}


@dataclass(slots=True, eq=False)
class Ledger:
    """What a client has had: of each symbol the number of the last trade; the numbers of a symbol have no gaps.

    Attributes:
        records: how many trades came in frames.
        lost: how many the frames said were left out.
        began: the numbers in the first snapshot.
    """

    wishes: list[Wish] = field(default_factory=list)
    had: dict[str, int] = field(default_factory=dict)
    records: int = 0
    lost: int = 0
    began: dict[str, int] = field(default_factory=dict)

    def acknowledged(self, wish: Wish, answer: dict[str, Any]) -> None:
        """Take the answer to `subscribe` into account; one with a token must have been recovered."""
        assert answer["recovered"] is (wish.token is not None), answer
        if answer["recovered"]:
            assert answer["snapshot"] == []
        else:
            self.had |= dict.fromkeys(wish.symbols, 0)
            self.had |= {one["symbol"]: one["seq"] for one in answer["snapshot"]}
            self.began = self.began or dict(self.had)
        wish.token, wish.live = answer["resume"], True

    def given_up(self, answer: dict[str, Any]) -> None:
        """Take the answer to `unsubscribe` into account."""
        assert answer["ok"], answer
        for wish in list(self.wishes):
            wish.symbols = [symbol for symbol in wish.symbols if symbol not in answer["symbols"]]
            if not wish.symbols:
                self.wishes.remove(wish)
        self._now_at(answer["resume"])

    def received(self, frame: dict[str, Any]) -> None:
        """Take a frame into account: in mode all, the next trade of each symbol and no other."""
        modes = {symbol: wish.mode for wish in self.wishes if wish.live for symbol in wish.symbols}
        for one in frame["data"]:
            symbol, number = one["symbol"], one["seq"]
            expected = self.had[symbol] + 1
            assert number == expected if modes[symbol] == "all" else number >= expected, (symbol, number, expected)
            self.had[symbol] = number
        self.records += len(frame["data"])
        self.lost += frame["lost"]
        self._now_at(frame["resume"])

    def disconnected(self) -> None:
        """The connection is gone, the wishes aren't."""
        for wish in self.wishes:
            wish.live = False

    def symbols(self) -> Iterable[str]:
        """All that is wished for."""
        return [symbol for wish in self.wishes for symbol in wish.symbols]

    def _now_at(self, token: str) -> None:
        for wish in self.wishes:
            if wish.live:
                wish.token = token
