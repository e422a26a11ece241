"""Clients that wander from one bridge to another, and the trades that they must get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import socketio
import socketio.exceptions

from tests.support.market import tick
from tests.support.resuming import Ledger, Wish
from tickstream.core.model import Tick

_PATIENCE = 60.0


class Trades:
    """Makes the next trades of some symbols; `last` has the number of each symbol's last."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.symbols = list(symbols)
        self.last = dict.fromkeys(symbols, 1)

    def first(self) -> list[Tick]:
        """One trade of each."""
        return [tick(symbol, 1) for symbol in self.symbols]

    def some(self, count: int, chosen: Random) -> list[Tick]:
        """More of them, of symbols left to chance."""
        made = []
        for _ in range(count):
            symbol = chosen.choice(self.symbols)
            self.last[symbol] += 1
            made.append(tick(symbol, self.last[symbol]))
        return made


class Traveller:
    """A client that keeps its wishes from one connection to the next."""

    def __init__(self, trades: Trades) -> None:
        self.trades = trades
        self.ledger = Ledger()
        self.client: socketio.AsyncClient | None = None
        self.errors: list[AssertionError] = []
        self._gone = asyncio.Event()

    async def come(self, url: str) -> None:
        """Connect and ask for everything that is wished for.

        Raises:
            ConnectionError: there is nobody.
        """
        client = socketio.AsyncClient(reconnection=False)
        client.on("ticks", self._hear)
        client.on("disconnect", lambda _reason: self._lost(client))
        self._gone = asyncio.Event()
        try:
            await client.connect(url, transports=["websocket"], wait_timeout=10)
        except socketio.exceptions.ConnectionError as error:
            raise ConnectionError(str(error)) from error
        self.client = client
        for wish in list(self.ledger.wishes):
            await self._subscribe(wish)

    async def wish(self, wish: Wish) -> None:
        """Subscribe to more."""
        self.ledger.wishes.append(wish)
        await self._subscribe(wish)

    async def give_up(self, symbols: list[str]) -> None:
        """Unsubscribe from symbols."""

        def take(answer: dict[str, Any]) -> None:
            self.ledger.given_up(answer)

        await self._ask("unsubscribe", {"channel": "ticks", "symbols": symbols}, take)

    async def change(self, chosen: Random) -> None:
        """Unsubscribe from a symbol, or subscribe to one that isn't read."""
        symbol = chosen.choice(self.trades.symbols)
        if symbol in self.ledger.symbols():
            await self.give_up([symbol])
        else:
            await self.wish(Wish([symbol], chosen.choice(("all", "latest")), max_hz=chosen.choice((None, 2.0))))

    async def leave(self) -> None:
        """Vanish; what is on its way is lost."""
        client = self.client
        if client is not None:
            self._lost(client)
            client.handlers["/"].clear()
            await client.disconnect()

    def has_all(self) -> bool:
        """Whether it has the last trade of all it wishes for; it is an error to have anything else on the way."""
        if self.errors:
            raise self.errors[0]
        return all(self.ledger.had.get(symbol) == self.trades.last[symbol] for symbol in self.ledger.symbols())

    def _hear(self, frame: dict[str, Any]) -> None:
        self._check(lambda: self.ledger.received(frame))

    def _lost(self, client: socketio.AsyncClient) -> None:
        if client is self.client:
            self.client = None
            self.ledger.disconnected()
            self._gone.set()

    async def _subscribe(self, wish: Wish) -> None:
        def take(answer: dict[str, Any]) -> None:
            assert answer["ok"], answer
            self.ledger.acknowledged(wish, answer)

        await self._ask("subscribe", wish.request(), take)

    async def _ask(self, command: str, request: dict[str, Any], take: Callable[[dict[str, Any]], None]) -> None:
        """Wait for an answer, or for the end of the connection: then it doesn't matter what it would have been."""
        client, answered = self.client, asyncio.Event()

        def took(answer: dict[str, Any]) -> None:
            # Here and not by who waits for it: the first frame may be right behind.
            if client is self.client:
                self._check(lambda: take(answer))
            answered.set()

        if client is None:
            return
        try:
            await client.emit(command, request, callback=took)
        except socketio.exceptions.SocketIOError:
            return
        either = [asyncio.ensure_future(event.wait()) for event in (answered, self._gone)]
        done, waiting = await asyncio.wait(either, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        assert done, f"no answer to {command} {request}"

    def _check(self, call: Callable[[], None]) -> None:
        try:
            call()
        except AssertionError as error:
            self.errors.append(error)
