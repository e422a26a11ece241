"""The bridge's whole state: what is known of the market, who wants what, and what waits for whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from tickstream.core.model import Record
from tickstream.ws_bridge.domain import frames
from tickstream.ws_bridge.domain.buffer import Buffer
from tickstream.ws_bridge.domain.entry import Channel, Entry, Route, Waiting
from tickstream.ws_bridge.domain.frames import Frame, FrameMaker
from tickstream.ws_bridge.domain.homes import Homes
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.pace import Pace
from tickstream.ws_bridge.domain.positions import Place, Positions
from tickstream.ws_bridge.domain.protocol import (
    Limits,
    RefusalError,
    Subscribe,
    UnsubscribeOne,
    UnsubscribeSymbols,
)
from tickstream.ws_bridge.domain.replay import Absence
from tickstream.ws_bridge.domain.sharing import NO_OVERFLOW, Overflow, Room, overfull, share
from tickstream.ws_bridge.domain.subscriptions import Subscription, Subscriptions


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The answer to `subscribe`.

    Attributes:
        more: how many records of the snapshot come with the frames.
        recovered: whether the frames go on where the client was; if not, from the snapshot.
        token: where the client is now, in JSON.
    """

    subscription: Subscription
    symbols: tuple[str, ...]
    rejected: tuple[str, ...]
    snapshot: Sequence[Waiting]
    more: int
    recovered: bool
    token: bytes


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """The answer to `unsubscribe`.

    Attributes:
        symbols: those no longer read.
        token: where the client is now in the channel, in JSON.
    """

    symbols: list[str]
    token: bytes


class Hub:
    """Records in, frames out.

    Args:
        market: the state for snapshots.
        limits: what a client may ask for.
        room: how much may wait.
        flush_seconds: the time between two flushes.

    Attributes:
        overloaded: whether this node has more to do than it can: then frames have no more than their records.
    """

    def __init__(self, market: Market, limits: Limits, room: Room, flush_seconds: float) -> None:
        self.market = market
        self.limits = limits
        self.positions = Positions()
        self.homes = Homes()
        self.subscriptions = Subscriptions()
        self.overloaded = False
        self._room = room
        self._flush_seconds = flush_seconds
        self._made = 0

    def wanted(self, route: Route) -> bool:
        """Whether anyone reads this route now."""
        return bool(self.subscriptions.readers(route))

    def tick(self, trades: Waiting) -> None:
        """A trade came in, or several of one symbol."""
        self.market.tick(trades.newest())
        self.subscriptions.offer(trades)

    def record(self, record: Record, entry: Entry) -> None:
        """A record of another topic came in; `entry` is its own."""
        self.market.record(record, entry)
        self.subscriptions.offer(entry)

    def leave_out(self, entry: Waiting) -> None:
        """A record came in that can't be given to those who read it."""
        for subscription in self.subscriptions.readers(entry.route).values():
            subscription.buffer.leave_out([entry])

    def subscribe(self, client: str, request: Subscribe) -> Subscribed:
        """Begin a subscription; what comes after this call is exactly what its snapshot doesn't have.

        Raises:
            RefusalError: the client has too many already, or the snapshot would be too large.
        """
        known = self._admit(client, request)
        snapshot = self._snapshot(request, known)
        subscription = self._add(client, request, known)
        subscription.answered()
        return self._answer(subscription, request, known, snapshot)

    def rejoin(self, client: str, request: Subscribe, place: Place) -> Absence:
        """Begin a subscription that goes on from `place`; nothing is sent to it before `recover` or `start_over`.

        Raises:
            RefusalError: the client has too many already.
        """
        known = self._admit(client, request)
        subscription = self._add(client, request, known)
        now = self.positions.now(request.channel)
        # A partition that the token doesn't know was added since: all of it was missed.
        places = {**dict.fromkeys(now.keys() - place.unread, 0), **place.of(subscription.filter())}
        resting = self.positions.unread(request.channel)
        since = subscription.since = {one: offset for one, offset in places.items() if one not in resting}
        until = {one: offset for one, offset in now.items() if one in since}
        absence = Absence(subscription, request, known, since, until)
        needed = self.homes.likely(None if request.everything else known)
        if place.unread.difference(places) & needed:
            absence.obstacle = "unread"
        return absence

    def caught_up(self, absence: Absence) -> bool:
        """Whether the bridge itself has come to where the client was: another one may have been ahead of it."""
        now = self.positions.now(absence.request.channel)
        resting = self.positions.unread(absence.request.channel)
        return all(one in resting or now.get(one, 0) >= offset for one, offset in absence.since.items())

    def recover(self, absence: Absence) -> Subscribed:
        """Send what was missed, and go on with what came since; without a gap, or else from a snapshot.

        Raises:
            RefusalError: the subscription has ended meanwhile, or the snapshot would be too large.
        """
        subscription = self._still(absence)
        buffer = subscription.buffer
        missed = absence.missed
        settled = subscription.settled
        is_read = self.subscriptions.is_read
        missed.forget([one for one in missed.tally() if one in settled or not is_read(subscription, one)])
        if buffer.dropped or not self._holds(subscription.client, missed):
            absence.obstacle = "beyond_bound"
        if absence.obstacle is not None:
            return self.start_over(absence)
        buffer.begin_at(absence.since)
        buffer.put_before(missed)
        subscription.answered()
        return self._answer(subscription, absence.request, absence.symbols, None)

    def start_over(self, absence: Absence) -> Subscribed:
        """Begin with a snapshot after all.

        Raises:
            RefusalError: the subscription has ended meanwhile, or the snapshot would be too large.
        """
        subscription = self._still(absence)
        subscription.buffer.clear()
        subscription.answered()
        try:
            snapshot = self._snapshot(absence.request, absence.symbols)
        except RefusalError:
            self.subscriptions.remove(subscription)
            raise
        return self._answer(subscription, absence.request, absence.symbols, snapshot)

    def _holds(self, client: str, missed: Buffer) -> bool:
        """Whether what was missed fits beside what else the client missed and hasn't had yet."""
        load = missed.weigh()
        extras = [one.buffer.extra for one in self.subscriptions.of(client)]
        return (
            load.records + sum(extra.records for extra in extras) <= self._room.records
            and load.bytes + sum(extra.bytes for extra in extras) <= self._room.bytes
        )

    def _admit(self, client: str, request: Subscribe) -> tuple[str, ...]:
        """The symbols of the request that are known, if the client may have one more subscription."""
        if len(self.subscriptions.of(client)) >= self.limits.max_subscriptions:
            raise RefusalError(
                "too_many_subscriptions", f"a client may have {self.limits.max_subscriptions} subscriptions at the most"
            )
        return tuple(symbol for symbol in request.symbols if self._open_to(request, symbol))

    def _add(self, client: str, request: Subscribe, known: Collection[str]) -> Subscription:
        self._made += 1
        subscription = Subscription(
            id=f"s{self._made}",
            client=client,
            channel=request.channel,
            interval=request.interval,
            mode=request.mode,
            symbols=set(known),
            everything=request.everything,
            max_hz=request.max_hz,
            pace=Pace(request.max_hz, self._flush_seconds / 2),
            scope=request.scope,
            asked=set(request.symbols),
        )
        self.subscriptions.add(subscription)
        return subscription

    def _answer(
        self, subscription: Subscription, request: Subscribe, known: tuple[str, ...], snapshot: Sequence[Waiting] | None
    ) -> Subscribed:
        symbols = ("*",) if request.everything else known
        rejected = tuple(symbol for symbol in request.symbols if symbol not in set(known))
        shown = self._shown(subscription, snapshot or [])
        token = self._token(subscription.client, subscription.channel)
        return Subscribed(subscription, symbols, rejected, shown, len(subscription.rest), snapshot is None, token)

    def _shown(self, subscription: Subscription, snapshot: Sequence[Waiting]) -> Sequence[Waiting]:
        """What of a snapshot goes into the answer; of one that doesn't fit, what comes first in the topic.

        So the subscription is at one place of each partition while the rest is sent, and may be resumed from there.
        """
        if sum(len(entry.body) for entry in snapshot) <= self._room.answer_bytes:
            return snapshot
        subscription.rest.extend(sorted(snapshot, key=lambda entry: (entry.partition, entry.offset)))
        return subscription.part(1, self._room.answer_bytes)

    def _still(self, absence: Absence) -> Subscription:
        subscription = absence.subscription
        if subscription.id not in self.subscriptions.all:
            raise RefusalError("unknown_subscription", "the subscription was ended before it could go on")
        return subscription

    def unsubscribe(self, client: str, request: UnsubscribeOne | UnsubscribeSymbols) -> Unsubscribed:
        """End a subscription, or take symbols out of those to a channel.

        Raises:
            RefusalError: the client has no such subscription.
        """
        mine = self.subscriptions.of(client)
        if isinstance(request, UnsubscribeSymbols) and not request.everything:
            gone = self.subscriptions.remove_symbols(client, request.channel, request.symbols)
            if gone:
                symbols = [symbol for symbol in request.symbols if symbol in gone]
                return Unsubscribed(symbols, self._token(client, request.channel))
            raise RefusalError("unknown_subscription", f"no subscription to {request.channel} names these symbols")
        if isinstance(request, UnsubscribeOne):
            ended = [one for one in mine if one.id == request.subscription]
            missing = f"there is no subscription {request.subscription[:80]!r}"
        else:
            ended = [one for one in mine if one.channel == request.channel]
            missing = f"there is no subscription to {request.channel}"
        if not ended:
            raise RefusalError("unknown_subscription", missing)
        for subscription in ended:
            self.subscriptions.remove(subscription)
        symbols = sorted({symbol for one in ended for symbol in symbols_of(one)})
        return Unsubscribed(symbols, self._token(client, ended[0].channel))

    def leave(self, client: str) -> None:
        """The client is gone."""
        self.subscriptions.remove_client(client)

    def waiting(self) -> list[str]:
        """The clients that something waits for."""
        everyone = self.subscriptions.all.values()
        # Written out, as it is asked of everyone at each flush.
        waiting = [one.client for one in everyone if one.buffer.entries or one.buffer.left_out or one.rest]
        return list(dict.fromkeys(waiting))

    def waits(self, client: str) -> bool:
        """Whether there is more for a client than it was sent."""
        return any(one.buffer.entries or one.rest for one in self.subscriptions.of(client))

    def burdens(self, client: str) -> bool:
        """Whether a client wants all of what there can be too much of."""
        mine = self.subscriptions.of(client)
        return any(one.mode == "all" and one.channel not in ("alerts", "market_events") for one in mine)

    def collect(self, client: str, now: float, make: FrameMaker = frames.frame, portion: float = 1.0) -> list[Frame]:
        """Take what may go to the client now: one frame for each channel that has something.

        Args:
            client: whose.
            now: seconds, on the clock of the paces.
            make: puts a frame together.
            portion: of what may be in one frame at the most.
        """
        channels: dict[Channel, list[Subscription]] = {}
        for subscription in self.subscriptions.of(client):
            buffer = subscription.buffer
            if (buffer.entries or buffer.left_out or subscription.rest) and subscription.since is None:
                channels.setdefault(subscription.channel, []).append(subscription)
        made = [
            self._frame(client, channel, subscriptions, now, make, portion)
            for channel, subscriptions in channels.items()
        ]
        return [frame for frame in made if frame is not None]

    def bound(self, client: str) -> Overflow:
        """Keep what waits for the client within its limits."""
        mine = [one for one in self.subscriptions.of(client) if one.buffer.entries]
        if not mine:
            return NO_OVERFLOW
        records, size = self._room.records, self._room.bytes
        buffers = [one.buffer for one in mine]
        absent = [one.buffer for one in mine if one.since is not None]
        for subscription in mine:
            if subscription.since is not None:
                subscription.buffer.begin_at(subscription.since)
        if overfull(buffers, records, size):
            for buffer in absent:
                buffer.give_up()
            if overfull(buffers, records, size):
                return Overflow(full=True)
        dropped = share(buffers, records, size)
        held = [one.since is not None or one.max_hz is not None for one in mine]
        behind = any(count and not waits for count, waits in zip(dropped, held, strict=True))
        return Overflow(sum(dropped), behind)

    def _frame(
        self,
        client: str,
        channel: Channel,
        subscriptions: Iterable[Subscription],
        now: float,
        make: FrameMaker,
        portion: float,
    ) -> Frame | None:
        entries: list[Waiting] = []
        lost = 0
        due = [one for one in subscriptions if one.rest or one.pace.due(now)]
        for subscription in due:
            records = int(self._room.frame_records * portion) // len(due)
            size = 0 if self.overloaded else int(self._room.frame_bytes * portion) // len(due)
            if subscription.rest:
                entries += subscription.part(records, size)
                continue
            taken, left_out = subscription.buffer.take(max(1, records), size)
            entries += taken
            lost += left_out
            subscription.pace.went(now)
        if not entries and not lost:
            return None
        packet = make(channel, entries, self._token(client, channel), lost)
        records = sum([entry.count for entry in entries])
        return Frame(channel, packet, records, lost, entries[-1].ts_ingest if entries else 0)

    def _open_to(self, request: Subscribe, symbol: str) -> bool:
        return request.scope.has(symbol) and self.market.knows(request.channel, symbol)

    def _token(self, client: str, channel: Channel) -> bytes:
        """Where the client is in a channel, in JSON."""
        mine = [one for one in self.subscriptions.of(client) if one.channel == channel]
        if not [one for one in mine if one.is_behind()]:
            return self.positions.token(channel)
        behind = {one: one.behind() for one in mine}
        if len(behind) == 1:
            [offsets] = behind.values()
            return self.positions.token(channel, offsets)
        return self.positions.token(channel, behind={one.filter(): offsets for one, offsets in behind.items()})

    def _snapshot(self, request: Subscribe, symbols: Collection[str]) -> Sequence[Waiting]:
        wanted: Collection[str] | None = symbols
        if request.everything:
            everything = request.scope.every_symbol
            wanted = None if everything else set(filter(request.scope.has, self.market.everything()))
        entries = self.market.snapshot(request.channel, request.interval, wanted, request.history)
        size = sum(len(entry.body) for entry in entries)
        if size > self._room.snapshot_bytes:
            raise RefusalError(
                "too_large",
                f"the snapshot would be {size} bytes, {self._room.snapshot_bytes} at the most: "
                "ask for fewer symbols or less history",
            )
        return entries


def symbols_of(subscription: Subscription) -> list[str]:
    """The symbols of a subscription as the client sees them."""
    return ["*"] if subscription.everything else sorted(subscription.symbols)
