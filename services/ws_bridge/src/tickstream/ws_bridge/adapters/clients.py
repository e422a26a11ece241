"""The connected clients: who they are, how to reach them, how they are told and ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Final

from tickstream.core.clock import Clock
from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.adapters.commands import Commands
from tickstream.ws_bridge.adapters.dialects import Reply
from tickstream.ws_bridge.adapters.doorman import Doorman
from tickstream.ws_bridge.adapters.sessions import Times
from tickstream.ws_bridge.adapters.socket_io import Answer, Outlet, Peer, SocketServer, refused
from tickstream.ws_bridge.adapters.tasks import Tasks
from tickstream.ws_bridge.domain.departure import departures
from tickstream.ws_bridge.domain.grant import ANYONE, Allowance, Grant
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.keyring import Standing
from tickstream.ws_bridge.domain.ladder import Ladder, Patience, Step
from tickstream.ws_bridge.domain.lateness import Announcement
from tickstream.ws_bridge.domain.pace import CommandBudget
from tickstream.ws_bridge.domain.portion import Portion
from tickstream.ws_bridge.domain.protocol import Code, RefusalError
from tickstream.ws_bridge.domain.quota import Quota, Quotas
from tickstream.ws_bridge.metrics import BridgeMetrics
from tickstream.ws_bridge.settings import WsBridgeSettings

_MAX_BACKLOG: Final = 16_777_216
_SESSIONS: Final = 2
"""For each client that there may be: those who are coming, and those who are leaving."""
_LOOK_SECONDS: Final = 0.02
_LAGGING: Final = "this node has more to do than it can: records come late"


@dataclass(slots=True)
class Client:
    """One connected client.

    Attributes:
        quotas: those that it shares with others.
        places: gives them back.
        subscriptions: how many it has, as its quotas know.
        answering: commands whose answers have to be waited for.
    """

    sid: str
    grant: Grant
    outlet: Outlet
    budget: CommandBudget
    ladder: Ladder
    portion: Portion
    quotas: tuple[Quota, ...]
    places: contextlib.ExitStack
    subscriptions: int = 0
    answering: int = 0
    leaving: bool = False

    def count(self, subscriptions: int) -> None:
        """Tell the quotas how many subscriptions it has now."""
        for quota in self.quotas:
            quota.subscriptions += subscriptions - self.subscriptions
        self.subscriptions = subscriptions


class Clients:
    """Lets clients in, answers them and lets them go.

    Args:
        settings: limits.
        doorman: says who may connect, and for how long; None: everyone.
        hub: knows their subscriptions.
        commands: answers them.
        loaded: set once the topics have been read; a connection waits for it a while.
        clock: for rates.
        metrics: counts them.
        audit: writes down who came and who was sent away.
    """

    def __init__(
        self,
        settings: WsBridgeSettings,
        doorman: Doorman | None,
        hub: Hub,
        commands: Commands,
        loaded: asyncio.Event,
        clock: Clock,
        metrics: BridgeMetrics,
        audit: Audit,
    ) -> None:
        self._settings = settings
        self._doorman = doorman
        self._hub = hub
        self._commands = commands
        self._loaded = loaded
        self._clock = clock
        self._metrics = metrics
        self._audit = audit
        self._by_sid: dict[str, Client] = {}
        self._coming = 0
        self._patience = Patience(
            settings.slow_step_seconds, settings.slow_limit_seconds, settings.slow_recover_seconds
        )
        self._of_addresses = Quotas("this address")
        self._of_holders = Quotas("the holder of this key or token")
        self._per_address = Allowance(
            settings.max_connections_per_ip, settings.max_subscriptions_per_ip, settings.commands_per_second_per_ip
        )
        self._tasks = Tasks()
        self._strangers: dict[Peer, float] = {}
        self._outage: str | None = None
        self._lag_ms: int | None = None
        self.closing = False
        times = Times(settings.ping_interval_seconds, settings.ping_timeout_seconds, settings.closing_seconds)
        self.server = SocketServer(
            self, self._tasks, times, _SESSIONS * settings.max_connections, compression=settings.compression
        )

    def __len__(self) -> int:
        return len(self._by_sid)

    def get(self, sid: str) -> Client | None:
        """A client that is connected and not about to be disconnected."""
        client = self._by_sid.get(sid)
        return None if client is None or client.leaving else client

    def tell(self, client: Client, code: str, message: str, **more: object) -> None:
        """Send a `status` to one client; one that takes nothing is ended instead of being sent ever more."""
        if client.outlet.backlog() > _MAX_BACKLOG:
            self.end(client, "slow_consumer", reconnect=True)
        if not client.leaving:
            client.outlet.tell("status", {"code": code, "message": message, **more})

    def move(self, client: Client, step: Step) -> None:
        """Tell a client that it is served at another rate from now on, or end it."""
        rate = client.ladder.rate_hz
        if step is Step.OFF:
            self._metrics.slow_steps.labels("off").inc()
            self.end(client, "slow_consumer", reconnect=True)
        elif rate is None:
            self._metrics.slow_steps.labels("full").inc()
            self.tell(client, "full_rate", "this connection keeps up again: frames come at full rate", rate_hz=None)
        else:
            self._metrics.slow_steps.labels(f"{rate}hz").inc()
            why = "is too slow" if step is Step.DOWN else "keeps up better"
            often = "once" if rate == 1 else f"{rate} times"
            self.tell(client, "slow_consumer", f"this connection {why}: frames come {often} a second", rate_hz=rate)

    def tell_all(self, code: str, message: str, **more: object) -> None:
        """Send a `status` to every client."""
        for client in list(self._by_sid.values()):
            self.tell(client, code, message, **more)

    def tell_of_feed(self, outage: str | None) -> None:
        """Tell every client, also those who come later, that records don't come and why; or that they do again."""
        self._outage = outage
        if outage is None:
            self.tell_all("feed_up", "records come again; nothing was missed")
        else:
            self.tell_all("feed_down", outage)

    def tell_of_lag(self, code: Announcement, lag: float) -> None:
        """Tell every client, also those who come later, that records come `lag` seconds late; or don't any more."""
        if code == "lagging":
            self._lag_ms = round(lag * 1000)
            self.tell_all(code, _LAGGING, lag_ms=self._lag_ms)
        else:
            self._lag_ms = None
            self.tell_all(code, "records come in time again", lag_ms=round(lag * 1000))

    def end(self, client: Client, code: Code, *, reconnect: bool) -> None:
        """Disconnect a client, with `closing` before."""
        if client.leaving:
            return
        client.leaving = True
        self._hub.leave(client.sid)
        self._metrics.disconnects.labels(code).inc()
        self._audit.disconnecting(client.sid, code, client.grant)
        self.server.close(client.sid, code, reconnect=reconnect)

    async def end_all(self) -> None:
        """Tell everyone that and when they are disconnected, as the bridge ends, and do it one after the other."""
        self.closing = True
        going = departures(self._by_sid, self._settings.drain_seconds, Random())  # noqa: S311 - no secret
        for seconds, sid in going:
            client = self.get(sid)
            if client is not None:
                message = "this node is shutting down: come back once you are disconnected"
                self.tell(client, "shutting_down", message, reconnect_after_ms=round(seconds * 1000))
        began = self._clock.monotonic()
        for seconds, sid in going:
            await asyncio.sleep(max(0.0, began + seconds - self._clock.monotonic()))
            client = self.get(sid)
            if client is not None:
                self._tasks.start(self._see_off(client))
        await self._tasks.finish()

    async def _see_off(self, client: Client) -> None:
        """Disconnect a client that has to come back, once it has its answers."""
        while client.answering:  # noqa: ASYNC110 - each of them is bounded in time
            await asyncio.sleep(_LOOK_SECONDS)
        self.end(client, "shutting_down", reconnect=True)

    def keys_in_use(self) -> set[str]:
        """The ids of the keys that may be revoked while their clients are connected."""
        return {client.grant.key_id for client in self._by_sid.values() if client.grant.key_id is not None}

    def sweep(self, now: float) -> None:
        """End connections that never became a client's, and those whose key or token ended."""
        self._of_addresses.sweep(now)
        self._of_holders.sweep(now)
        if self._doorman is not None:
            self._end_expired(self._doorman, now)
        self._strangers = {peer: self._strangers.get(peer, now) for peer in self.server.strangers()}
        for peer, since in self._strangers.items():
            if now - since >= self._settings.connect_seconds:
                self.server.shut(peer)

    def _end_expired(self, doorman: Doorman, now: float) -> None:
        now_ns = self._clock.now_ns()
        judged: dict[tuple[str | None, int | None], Standing] = {}
        for client in list(self._by_sid.values()):
            grant = client.grant
            shared = (grant.key_id, grant.expires_ns)
            if shared not in judged:
                judged[shared] = doorman.standing(grant, now, now_ns)
            match judged[shared]:
                case Standing.ENDED:
                    self.end(client, "auth_expired", reconnect=False)
                case Standing.UNCONFIRMED:
                    self.end(client, "internal", reconnect=True)

    async def admit(self, sid: str, address: str, auth: object) -> None:
        """Let a client in.

        Raises:
            RefusalError: it may not come in, or not now.
        """
        self._coming += 1
        try:
            await self._admit(sid, address, auth)
        except RefusalError as refusal:
            self._metrics.refused.labels(refusal.code).inc()
            self._audit.refused(address, refusal.code, str(refusal))
            raise
        finally:
            self._coming -= 1

    async def _admit(self, sid: str, address: str, auth: object) -> None:
        if len(self._by_sid) + self._coming > self._settings.max_connections:
            raise RefusalError("rate_limited", "the bridge has as many connections as it takes")
        with contextlib.ExitStack() as places:
            quotas = [self._enter(places, self._of_addresses, address, self._per_address)]
            quotas[0].command(self._clock.monotonic())
            grant = ANYONE if self._doorman is None else await self._doorman.admit(auth)
            if self._doorman is not None:
                quotas.append(self._enter(places, self._of_holders, grant.holder, grant.allowance))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._loaded.wait(), self._settings.connect_seconds / 2)
            outlet = self.server.outlet(sid)
            if outlet is None:
                raise RefusalError("internal", "the connection has ended")
            client = self._welcome(sid, grant, outlet, tuple(quotas), places.pop_all())
        self._audit.connected(sid, address, grant)
        self._tasks.start(self._greet(client))

    async def _greet(self, client: Client) -> None:
        """Tell a client that has just been let in what the others have been told."""
        if self.closing:
            # A refusal would keep stock clients away for good; who was let in and is disconnected comes back.
            await self._see_off(client)
            return
        if self._outage is not None:
            self.tell(client, "feed_down", self._outage)
        if self._lag_ms is not None:
            self.tell(client, "lagging", _LAGGING, lag_ms=self._lag_ms)

    def _enter(self, places: contextlib.ExitStack, quotas: Quotas, holder: str, allowance: Allowance) -> Quota:
        quota = quotas.connect(holder, allowance, self._clock.monotonic())
        places.callback(lambda: quotas.leave(quota, self._clock.monotonic()))
        return quota

    def _welcome(
        self, sid: str, grant: Grant, outlet: Outlet, quotas: tuple[Quota, ...], places: contextlib.ExitStack
    ) -> Client:
        settings = self._settings
        client = self._by_sid[sid] = Client(
            sid,
            grant,
            outlet,
            CommandBudget(settings.commands_per_second, self._clock.monotonic()),
            Ladder(self._patience, settings.flush_ms / 2000),
            Portion(),
            quotas,
            places,
        )
        self._metrics.connections.set(len(self._by_sid))
        return client

    def gone(self, sid: str) -> None:
        """A client has gone."""
        self._hub.leave(sid)
        client = self._by_sid.pop(sid, None)
        if client is None:
            return
        if not client.leaving:
            self._metrics.disconnects.labels("gone").inc()
        client.count(0)
        client.places.close()
        self._metrics.connections.set(len(self._by_sid))

    def answer(self, sid: str, name: str, arguments: tuple[object, ...]) -> Answer:
        """Carry out a client's command, if it may have more of them."""
        client = self.get(sid)
        if client is None:
            return refused(RefusalError("shutting_down", "this connection is being closed"))
        try:
            self._charge(client, name)
        except RefusalError as refusal:
            return refused(refusal)
        if client.outlet.backlog() > _MAX_BACKLOG:
            self.end(client, "slow_consumer", reconnect=True)
            return refused(RefusalError("slow_consumer", "too much waits for this client already"))
        answer = self._commands.answer(sid, client.grant, name, arguments)
        client.count(len(self._hub.subscriptions.of(sid)))
        return answer if isinstance(answer, Reply) else self._counted(client, answer)

    async def _counted(self, client: Client, answer: Coroutine[None, None, Reply]) -> Reply:
        """The answer; whether the subscription is still there by then counts."""
        client.answering += 1
        try:
            return await answer
        finally:
            client.answering -= 1
            if client.sid in self._by_sid:
                client.count(len(self._hub.subscriptions.of(client.sid)))

    def _charge(self, client: Client, command: str) -> None:
        now = self._clock.monotonic()
        if not client.budget.spend(now):
            limit = self._settings.commands_per_second
            raise RefusalError("rate_limited", f"a client may send {limit} commands a second")
        for quota in client.quotas:
            quota.command(now)
            if command == "subscribe":
                quota.subscribe()
