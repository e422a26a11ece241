"""Answers the clients' commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.adapters.dialects import Reply
from tickstream.ws_bridge.adapters.naps import Naps
from tickstream.ws_bridge.adapters.resumes import Resumes
from tickstream.ws_bridge.adapters.socket_io import Answer, refused
from tickstream.ws_bridge.domain.grant import Grant
from tickstream.ws_bridge.domain.hub import Hub, Subscribed, symbols_of
from tickstream.ws_bridge.domain.protocol import (
    RefusalError,
    Subscribe,
    UnsubscribeOne,
    parse_empty,
    parse_subscribe,
    parse_unsubscribe,
)
from tickstream.ws_bridge.domain.replay import Absence
from tickstream.ws_bridge.metrics import BridgeMetrics

_LOG = logger(__name__)

_Arguments = tuple[object, ...]


class Commands:
    """The commands of the socket.

    Args:
        hub: carries them out.
        resumes: lets clients go on where they were.
        clock: for `time`.
        metrics: counts them.
        readable: whether the topics have been read far enough for snapshots.
        audit: writes down what was denied.
        naps: say whether the trades asked for are read, and see to it.
        connected: whether a client is still there.
    """

    def __init__(
        self,
        hub: Hub,
        resumes: Resumes,
        clock: Clock,
        metrics: BridgeMetrics,
        readable: Callable[[], bool],
        audit: Audit,
        naps: Naps,
        connected: Callable[[str], bool],
    ) -> None:
        self._hub = hub
        self._resumes = resumes
        self._clock = clock
        self._metrics = metrics
        self._readable = readable
        self._audit = audit
        self._naps = naps
        self._connected = connected
        self._known: dict[str, Callable[[str, Grant, _Arguments], Answer]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "subscriptions": self._subscriptions,
            "time": self._time,
        }

    def answer(self, client: str, grant: Grant, name: str, arguments: _Arguments) -> Answer:
        """Carry out a command as far as it is granted; whatever goes wrong becomes an answer, never an exception.

        Returns:
            the answer, or, where something has to be read first, what gives it.
        """
        command = self._known.get(name, _unknown)
        try:
            answer = command(client, grant, arguments)
        except Exception as error:  # noqa: BLE001 - the client gets an answer, the log the trace
            return self._failed(name, error)
        if isinstance(answer, Reply):
            self._count(name, "ok")
        return answer

    def _failed(self, name: str, error: Exception) -> Reply:
        if not isinstance(error, RefusalError):
            _LOG.error("command_failed", command=name[:80], exc_info=error)
            error = RefusalError("internal", "the command could not be carried out")
        self._count(name, error.code)
        return refused(error)

    def _count(self, name: str, outcome: str) -> None:
        self._metrics.commands.labels(name if name in self._known else "unknown", outcome).inc()

    def _subscribe(self, client: str, grant: Grant, arguments: _Arguments) -> Answer:
        request = replace(parse_subscribe(arguments, self._hub.limits), scope=grant.scope)
        if request.channel not in grant.scope.channels:
            self._audit.denied(client, grant, request.channel, "the channel")
            raise RefusalError("forbidden", f"the channel {request.channel} is not among those allowed")
        if not self._readable():
            raise RefusalError("internal", "the topics are still being read; try again in a moment")
        if self._naps.lacks(request):
            return self._awaited(client, request, grant)
        return self._begin(client, request, grant)

    async def _awaited(self, client: str, request: Subscribe, grant: Grant) -> Reply:
        """Subscribe once the trades asked for are read again, if the client is still there."""
        try:
            await self._naps.end(request)
            answer = self._begin(client, request, grant) if self._connected(client) else _gone()
        except Exception as error:  # noqa: BLE001 - as in `answer`
            return self._failed("subscribe", error)
        if not isinstance(answer, Reply):
            return await answer
        self._count("subscribe", "ok")
        return answer

    def _begin(self, client: str, request: Subscribe, grant: Grant) -> Answer:
        if request.resume is None:
            return self._subscribed(self._hub.subscribe(client, request), grant)
        begun = self._resumes.begin(client, request, request.resume)
        if isinstance(begun, Subscribed):
            return self._subscribed(begun, grant)
        return self._resumed(begun, grant)

    async def _resumed(self, absence: Absence, grant: Grant) -> Reply:
        try:
            answer = self._subscribed(await self._resumes.finish(absence), grant)
        except Exception as error:  # noqa: BLE001 - as in `answer`
            return self._failed("subscribe", error)
        self._count("subscribe", "ok")
        return answer

    def _subscribed(self, made: Subscribed, grant: Grant) -> Reply:
        forbidden = [symbol for symbol in made.rejected if not grant.scope.has(symbol)]
        if forbidden:
            self._audit.denied(made.subscription.client, grant, made.subscription.channel, ",".join(forbidden))
        fields = {
            "ok": True,
            "subscription": made.subscription.id,
            "symbols": made.symbols,
            "rejected": [_rejection(symbol, grant) for symbol in made.rejected],
            "more": made.more,
            "recovered": made.recovered,
            "resume": orjson.loads(made.token),
            "limits": self._hub.limits.within(grant.allowance).fields(),
        }
        return Reply(fields, made.snapshot)

    def _unsubscribe(self, client: str, _grant: Grant, arguments: _Arguments) -> Reply:
        request = parse_unsubscribe(arguments, self._hub.limits)
        done = self._hub.unsubscribe(client, request)
        ended = {"subscription": request.subscription} if isinstance(request, UnsubscribeOne) else {}
        return Reply({"ok": True, **ended, "symbols": done.symbols, "resume": orjson.loads(done.token)})

    def _subscriptions(self, client: str, _grant: Grant, arguments: _Arguments) -> Reply:
        parse_empty(arguments)
        mine = [
            {
                "subscription": one.id,
                "channel": one.channel,
                "interval": one.interval or None,
                "symbols": symbols_of(one),
                "mode": one.mode,
                "maxHz": one.max_hz,
            }
            for one in self._hub.subscriptions.of(client)
        ]
        return Reply({"ok": True, "subscriptions": mine})

    def _time(self, _client: str, _grant: Grant, arguments: _Arguments) -> Reply:
        parse_empty(arguments)
        return Reply({"ok": True, "ts_ms": self._clock.now_ns() // NANOS_PER_MILLI})


def _rejection(symbol: str, grant: Grant) -> dict[str, str]:
    return {"symbol": symbol, "code": "unknown_symbol" if grant.scope.has(symbol) else "forbidden"}


def _gone() -> Reply:
    return refused(RefusalError("shutting_down", "this connection is being closed"))


def _unknown(_client: str, _grant: Grant, _arguments: _Arguments) -> Reply:
    raise RefusalError("bad_request", "there is no such command")
