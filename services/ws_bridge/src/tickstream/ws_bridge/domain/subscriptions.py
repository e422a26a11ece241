"""Who wants what: the clients' subscriptions, and the readers of each route."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tickstream.core.access import UNBOUNDED, Scope
from tickstream.ws_bridge.domain.buffer import Buffer, first_offsets
from tickstream.ws_bridge.domain.entry import NO_SYMBOL, Channel, Route, Waiting
from tickstream.ws_bridge.domain.interest import next_version
from tickstream.ws_bridge.domain.pace import Pace
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.domain.protocol import Mode

_Readers = dict[str, "Subscription"]
_NOBODY: Final[Mapping[str, Subscription]] = {}


@dataclass(slots=True, eq=False)
class Subscription:
    """What a client wants of a channel, and what waits for it.

    Attributes:
        symbols: those asked for by name; of a subscription to everything, none.
        everything: whether it reads whatever symbol comes, within `scope`.
        asked: the symbols that the client asked for and didn't give up, known here or not, also those that it
            reads through another subscription by now.
        since: while what it missed is being read, where that begins; until then it is sent nothing.
        owed: how many of each symbol waited for the subscriptions that it took them over from; until it is answered.
        rest: what of the snapshot wasn't in the answer, by its place in the topic; it is sent before all else.
        settled: symbols whose past another subscription has spoken for, while this one's is being read.
    """

    id: str
    client: str
    channel: Channel
    interval: str
    mode: Mode
    symbols: set[str]
    everything: bool
    max_hz: float | None
    pace: Pace
    scope: Scope = UNBOUNDED
    asked: set[str] = field(default_factory=set)
    since: Offsets | None = None
    owed: Counter[str] = field(default_factory=Counter)
    settled: set[str] = field(default_factory=set)
    rest: deque[Waiting] = field(default_factory=deque)
    buffer: Buffer = field(init=False)
    _filter: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.buffer = Buffer(latest=self.mode == "latest")

    def reads(self, symbol: str) -> bool:
        """Whether it wants the records of a symbol of its channel."""
        return symbol == NO_SYMBOL or (self.scope.has(symbol) if self.everything else symbol in self.symbols)

    def answered(self) -> None:
        """Its client knows where it begins: that speaks for all that was before."""
        self.since = None
        self.owed.clear()
        self.settled.clear()

    def part(self, records: int, size: int) -> list[Waiting]:
        """Take of the rest of the snapshot: so many records, or more as long as they are within `size` bytes."""
        taken: list[Waiting] = []
        while self.rest and (not taken or len(taken) < records or size >= len(self.rest[0].body)):
            taken.append(self.rest.popleft())
            size -= len(taken[-1].body)
        return taken

    def forget(self, symbols: Collection[str]) -> None:
        """Drop what waits for these symbols, because nobody wants it any more."""
        self.buffer.forget(symbols)
        if self.rest:
            self.rest = deque(entry for entry in self.rest if entry.route[2] not in symbols)

    def give_up(self, symbols: Collection[str]) -> None:
        """The client doesn't ask for these symbols any more."""
        self.asked.difference_update(symbols)
        self._filter = ""

    def filter(self) -> str:
        """A short name for what the client asked for, the same on every node."""
        if not self._filter:
            asked = "\n".join([self.interval, "*" if self.everything else "", *sorted(self.asked)])
            self._filter = hashlib.sha256(asked.encode(errors="surrogatepass")).hexdigest()[:12]
        return self._filter

    def is_behind(self) -> bool:
        """Whether there is anything that the client hasn't had."""
        return bool(self.since or self.rest or self.buffer.entries or self.buffer.gap)

    def behind(self) -> Offsets:
        """The first offset of each partition that the client hasn't had, where the bridge is farther than that."""
        if self.since is not None:
            return self.since
        first = self.buffer.first_offsets()
        for more in (first_offsets(self.rest), self.buffer.gap):
            for partition, offset in more.items():
                first[partition] = min(offset, first.get(partition, offset))
        return first


class Subscriptions:
    """The subscriptions of all clients, and an index from each route to its readers.

    A client reads a route through one subscription at the most: the newest that names its symbol, else the
    newest to everything.

    Attributes:
        version: another one as soon as another route may be read, or none.
    """

    def __init__(self) -> None:
        self.version = next_version()
        self.all: dict[str, Subscription] = {}
        self._of_client: dict[str, dict[str, Subscription]] = {}
        self._readers: dict[Route, _Readers] = {}
        self._to_everything: dict[tuple[str, str], dict[str, Subscription]] = {}

    def of(self, client: str) -> Collection[Subscription]:
        """The subscriptions of a client, oldest first."""
        return self._of_client.get(client, {}).values()

    def offer(self, entry: Waiting) -> None:
        """Put the entry into the buffers of all who want it."""
        for subscription in self.readers(entry.route).values():
            subscription.buffer.offer(entry)

    def readers(self, route: Route) -> Mapping[str, Subscription]:
        """Who reads a route, by client."""
        readers = self._readers.get(route)
        if readers is None:
            if route[:2] not in self._to_everything:
                return _NOBODY
            readers = self._open(route)
        return readers

    def wanted(self, route: Route) -> bool:
        """Whether anyone may read a route; may be asked in any thread."""
        return route in self._readers or route[:2] in self._to_everything

    def symbols(self, channel: Channel) -> Collection[str] | None:
        """The symbols of a channel that anyone reads; None: all."""
        if any(stream[0] == channel for stream in self._to_everything):
            return None
        return [route[2] for route in self._readers if route[0] == channel]

    def is_read(self, subscription: Subscription, symbol: str) -> bool:
        """Whether it is through this subscription that its client reads the symbol."""
        route = (subscription.channel, subscription.interval, symbol)
        return self.readers(route).get(subscription.client) is subscription

    def add(self, subscription: Subscription) -> None:
        """Let a subscription read from now on; it takes its symbols over from the client's earlier ones."""
        # Those to everything last: they would be given what the others had.
        for earlier in sorted(self.of(subscription.client), key=lambda one: one.everything):
            if (earlier.channel, earlier.interval) == (subscription.channel, subscription.interval):
                self._take_over(earlier, subscription)
        self.all[subscription.id] = subscription
        self._of_client.setdefault(subscription.client, {})[subscription.id] = subscription
        self.version = next_version()
        if subscription.everything:
            self._to_everything.setdefault(_stream(subscription), {})[subscription.id] = subscription
            for route, readers in self._readers.items():
                if route[:2] == _stream(subscription) and subscription.reads(route[2]):
                    readers[subscription.client] = subscription
        else:
            for route in routes_of(subscription, subscription.symbols):
                named = self._readers.get(route)
                (self._open(route) if named is None else named)[subscription.client] = subscription

    def remove(self, subscription: Subscription) -> None:
        """End a subscription; what waited for it is forgotten, or left out of the one that goes on with its symbols."""
        del self.all[subscription.id]
        mine = self._of_client[subscription.client]
        del mine[subscription.id]
        if not mine:
            del self._of_client[subscription.client]
        if subscription.everything:
            everyone = self._to_everything[_stream(subscription)]
            del everyone[subscription.id]
            if not everyone:
                del self._to_everything[_stream(subscription)]
            routes: Iterable[Route] = [route for route in self._readers if route[:2] == _stream(subscription)]
        else:
            routes = routes_of(subscription, subscription.symbols)
        self._release(routes, subscription)

    def remove_symbols(self, client: str, channel: Channel, symbols: Collection[str]) -> set[str]:
        """Take symbols out of the client's subscriptions to a channel; gives those that were in one."""
        found: set[str] = set()
        for subscription in list(self.of(client)):
            if subscription.channel == channel and not subscription.everything:
                subscription.give_up(symbols)
                mine = subscription.symbols.intersection(symbols)
                found |= mine
                self._narrow(subscription, mine)
        return found

    def remove_client(self, client: str) -> None:
        """End all subscriptions of a client."""
        for subscription in list(self.of(client)):
            self.remove(subscription)

    def _open(self, route: Route) -> _Readers:
        everyone = self._to_everything.get(route[:2], {})
        readers = self._readers[route] = {one.client: one for one in everyone.values() if one.reads(route[2])}
        return readers

    def _take_over(self, earlier: Subscription, later: Subscription) -> None:
        if later.everything:
            self.remove(earlier)
            return
        waited = earlier.owed + earlier.buffer.tally()
        later.owed.update({symbol: waited[symbol] for symbol in later.symbols if waited[symbol]})
        earlier.forget({NO_SYMBOL, *later.symbols})
        if not earlier.everything:
            self._narrow(earlier, earlier.symbols & later.symbols)

    def _narrow(self, subscription: Subscription, gone: set[str]) -> None:
        if not gone:
            return
        if gone == subscription.symbols:
            self.remove(subscription)
            return
        subscription.symbols -= gone
        self._release([(subscription.channel, subscription.interval, symbol) for symbol in gone], subscription)
        subscription.forget(gone)

    def _release(self, routes: Iterable[Route], subscription: Subscription) -> None:
        """Let the client read the routes through another subscription of its own, or not at all."""
        self.version = next_version()
        waited = subscription.owed + subscription.buffer.tally()
        for route in routes:
            readers = self._readers.get(route)
            if readers is not None and readers.get(subscription.client) is subscription:
                del readers[subscription.client]
                heir = self._heir(route, subscription)
                if heir is not None:
                    readers[heir.client] = heir
                    heir.buffer.miss(route[2], waited[route[2]])
                    if heir.since is not None and subscription.since is None:
                        heir.settled.add(route[2])
                elif not readers:
                    del self._readers[route]

    def _heir(self, route: Route, subscription: Subscription) -> Subscription | None:
        """The newest other subscription of the client that wants the route."""
        others = [one for one in self.of(subscription.client) if _stream(one) == route[:2] and one is not subscription]
        return next((one for one in reversed(others) if one.reads(route[2])), None)


def _stream(subscription: Subscription) -> tuple[str, str]:
    return (subscription.channel, subscription.interval)


def routes_of(subscription: Subscription, symbols: Iterable[str]) -> list[Route]:
    """What a subscription that names its symbols reads."""
    routes: list[Route] = [(subscription.channel, subscription.interval, symbol) for symbol in symbols]
    if subscription.channel == "market_events":
        routes.append((subscription.channel, subscription.interval, NO_SYMBOL))
    return routes
