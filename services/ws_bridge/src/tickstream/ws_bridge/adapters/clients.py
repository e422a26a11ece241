"""The connected clients: who they are, how to reach them, how they are told and ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import socketio.exceptions

from tickstream.core.clock import Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.commands import Commands
from tickstream.ws_bridge.adapters.engine import Answer, Outlet, SocketServer, refused
from tickstream.ws_bridge.adapters.tasks import Tasks
from tickstream.ws_bridge.domain import frames
from tickstream.ws_bridge.domain.access import ApiKeys
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.pace import CommandBudget, Patience
from tickstream.ws_bridge.domain.protocol import Code, RefusalError
from tickstream.ws_bridge.metrics import BridgeMetrics
from tickstream.ws_bridge.settings import WsBridgeSettings

_LOG = logger(__name__)
_MAX_BACKLOG: Final = 16_777_216


@dataclass(slots=True)
class Client:
    """One connected client."""

    sid: str
    address: str
    outlet: Outlet
    budget: CommandBudget
    patience: Patience
    leaving: bool = False


class Clients:
    """Lets clients in, answers them and lets them go.

    Args:
        settings: limits.
        keys: who may connect; None: everyone.
        hub: knows their subscriptions.
        commands: answers them.
        loaded: set once the topics have been read; a connection waits for it a while.
        clock: for rates.
        metrics: counts them.
    """

    def __init__(
        self,
        settings: WsBridgeSettings,
        keys: ApiKeys | None,
        hub: Hub,
        commands: Commands,
        loaded: asyncio.Event,
        clock: Clock,
        metrics: BridgeMetrics,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._hub = hub
        self._commands = commands
        self._loaded = loaded
        self._clock = clock
        self._metrics = metrics
        self._by_sid: dict[str, Client] = {}
        self._by_address: Counter[str] = Counter()
        self._tasks = Tasks()
        self._handshakes: dict[str, float] = {}
        self.closing = False
        self.server = SocketServer(
            self._answer,
            self._tasks,
            logger=False,
            engineio_logger=False,
            cors_allowed_origins="*",
            cors_credentials=False,
            http_compression=True,
            max_http_buffer_size=2 * 65_536,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)

    def __len__(self) -> int:
        return len(self._by_sid)

    def get(self, sid: str) -> Client | None:
        """A client that is connected and not about to be disconnected."""
        client = self._by_sid.get(sid)
        return None if client is None or client.leaving else client

    def tell(self, client: Client, code: str, message: str, **more: object) -> None:
        """Send a `status` to one client."""
        client.outlet.queue(frames.event("status", {"code": code, "message": message, **more}))

    def tell_all(self, code: str, message: str, **more: object) -> None:
        """Send a `status` to every client."""
        for client in self._by_sid.values():
            self.tell(client, code, message, **more)

    def end(self, client: Client, code: Code, *, reconnect: bool) -> None:
        """Disconnect a client, with `closing` before."""
        if client.leaving:
            return
        client.leaving = True
        self._hub.leave(client.sid)
        self._metrics.disconnects.labels(code).inc()
        _LOG.info("disconnecting", sid=client.sid, code=code)
        self._tasks.start(self.server.close(client.sid, code, reconnect=reconnect))

    async def end_all(self) -> None:
        """Tell everyone that the bridge ends, and disconnect them."""
        self.closing = True
        self.tell_all("shutting_down", "the bridge is shutting down")
        for client in list(self._by_sid.values()):
            self.end(client, "shutting_down", reconnect=True)
        await self._tasks.finish()

    def sweep(self, now: float) -> None:
        """End connections that never became a client's."""
        mine = {self.server.manager.eio_sid_from_sid(sid, "/") for sid in self._by_sid}
        strangers = [sid for sid in self.server.eio.sockets if sid not in mine]
        self._handshakes = {sid: self._handshakes.get(sid, now) for sid in strangers}
        for sid, since in self._handshakes.items():
            if now - since >= self._settings.connect_seconds:
                self._tasks.start(self.server.eio.shut(sid))

    async def _connect(self, sid: str, environ: Mapping[str, Any], auth: object = None) -> None:
        request = environ["aiohttp.request"]
        address = request.remote or "unknown"
        try:
            name = self._admit(address, auth)
        except RefusalError as refusal:
            self._metrics.refused.labels(refusal.code).inc()
            _LOG.info("refused", address=address, code=refusal.code)
            eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
            self._tasks.start(self._shut_later(eio_sid))
            raise socketio.exceptions.ConnectionRefusedError(str(refusal), refusal.fields()) from None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._loaded.wait(), self._settings.connect_seconds / 2)
        outlet = self.server.outlet(sid)
        if outlet is None:
            raise socketio.exceptions.ConnectionRefusedError("gone", {"code": "internal", "message": "gone"})
        settings, now = self._settings, self._clock.monotonic()
        self._by_sid[sid] = Client(
            sid,
            address,
            outlet,
            CommandBudget(settings.commands_per_second, now),
            Patience(settings.slow_warn_seconds, settings.slow_limit_seconds),
        )
        self._by_address[address] += 1
        self._metrics.connections.set(len(self._by_sid))
        _LOG.info("connected", sid=sid, address=address, name=name)

    def _admit(self, address: str, auth: object) -> str:
        if self.closing:
            raise RefusalError("shutting_down", "the bridge is shutting down")
        if len(self._by_sid) >= self._settings.max_connections:
            raise RefusalError("rate_limited", "the bridge has as many connections as it takes")
        if self._by_address[address] >= self._settings.max_connections_per_ip:
            raise RefusalError("rate_limited", "this address has as many connections as it may")
        if self._keys is None:
            return "anonymous"
        name = self._keys.name_of(auth.get("apiKey") if isinstance(auth, dict) else None)
        if name is None:
            raise RefusalError("unauthorized", "auth: {apiKey} with a valid key is needed")
        return name

    async def _disconnect(self, sid: str, _reason: object = None) -> None:
        self._hub.leave(sid)
        client = self._by_sid.pop(sid, None)
        if client is None:
            return
        self._by_address[client.address] -= 1
        if not self._by_address[client.address]:
            del self._by_address[client.address]
        self._metrics.connections.set(len(self._by_sid))

    def _answer(self, sid: str, name: str, arguments: tuple[object, ...]) -> Answer:
        client = self.get(sid)
        if client is None:
            return refused(RefusalError("shutting_down", "this connection is being closed"))
        if not client.budget.spend(self._clock.monotonic()):
            limit = self._settings.commands_per_second
            return refused(RefusalError("rate_limited", f"a client may send {limit} commands a second"))
        if client.outlet.backlog() > _MAX_BACKLOG:
            self.end(client, "slow_consumer", reconnect=True)
            return refused(RefusalError("slow_consumer", "too much waits for this client already"))
        return self._commands.answer(sid, name, arguments)

    async def _shut_later(self, eio_sid: str) -> None:
        await asyncio.sleep(1.0)
        await self.server.eio.shut(eio_sid)
