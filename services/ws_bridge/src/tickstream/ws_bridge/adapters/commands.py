"""Answers the clients' commands; every answer is the JSON of the acknowledgement."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from tickstream.core.clock import NANOS_PER_MILLI, Clock
from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.engine import Answer, refused
from tickstream.ws_bridge.adapters.resumes import Resumes
from tickstream.ws_bridge.domain.hub import Hub, Subscribed, symbols_of
from tickstream.ws_bridge.domain.protocol import (
    RefusalError,
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
    """

    def __init__(
        self, hub: Hub, resumes: Resumes, clock: Clock, metrics: BridgeMetrics, readable: Callable[[], bool]
    ) -> None:
        self._hub = hub
        self._resumes = resumes
        self._clock = clock
        self._metrics = metrics
        self._readable = readable
        self._known: dict[str, Callable[[str, _Arguments], Answer]] = {
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "subscriptions": self._subscriptions,
            "time": self._time,
        }

    def answer(self, client: str, name: str, arguments: _Arguments) -> Answer:
        """Carry out a command; whatever goes wrong becomes an answer, never an exception.

        Returns:
            the answer, or, where something has to be read first, what gives it.
        """
        command = self._known.get(name, _unknown)
        try:
            answer = command(client, arguments)
        except Exception as error:  # noqa: BLE001 - the client gets an answer, the log the trace
            return self._failed(name, error)
        if isinstance(answer, bytes):
            self._count(name, "ok")
        return answer

    def _failed(self, name: str, error: Exception) -> bytes:
        if not isinstance(error, RefusalError):
            _LOG.error("command_failed", command=name[:80], exc_info=error)
            error = RefusalError("internal", "the command could not be carried out")
        self._count(name, error.code)
        return refused(error)

    def _count(self, name: str, outcome: str) -> None:
        self._metrics.commands.labels(name if name in self._known else "unknown", outcome).inc()

    def _subscribe(self, client: str, arguments: _Arguments) -> Answer:
        request = parse_subscribe(arguments, self._hub.limits)
        if not self._readable():
            raise RefusalError("internal", "the topics are still being read; try again in a moment")
        if request.resume is None:
            return self._subscribed(self._hub.subscribe(client, request))
        begun = self._resumes.begin(client, request, request.resume)
        if isinstance(begun, Subscribed):
            return self._subscribed(begun)
        return self._resumed(begun)

    async def _resumed(self, absence: Absence) -> bytes:
        try:
            answer = self._subscribed(await self._resumes.finish(absence))
        except Exception as error:  # noqa: BLE001 - as in `answer`
            return self._failed("subscribe", error)
        self._count("subscribe", "ok")
        return answer

    def _subscribed(self, made: Subscribed) -> bytes:
        fields = {
            "ok": True,
            "subscription": made.subscription.id,
            "symbols": made.symbols,
            "rejected": [{"symbol": symbol, "code": "unknown_symbol"} for symbol in made.rejected],
            "snapshot": orjson.Fragment(b"[%b]" % b",".join(made.snapshot)),
            "recovered": made.recovered,
            "resume": orjson.Fragment(made.token),
            "limits": self._hub.limits.fields(),
        }
        return orjson.dumps(fields)

    def _unsubscribe(self, client: str, arguments: _Arguments) -> bytes:
        request = parse_unsubscribe(arguments, self._hub.limits)
        symbols = self._hub.unsubscribe(client, request)
        ended = {"subscription": request.subscription} if isinstance(request, UnsubscribeOne) else {}
        return orjson.dumps({"ok": True, **ended, "symbols": symbols})

    def _subscriptions(self, client: str, arguments: _Arguments) -> bytes:
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
        return orjson.dumps({"ok": True, "subscriptions": mine})

    def _time(self, _client: str, arguments: _Arguments) -> bytes:
        parse_empty(arguments)
        return orjson.dumps({"ok": True, "ts_ms": self._clock.now_ns() // NANOS_PER_MILLI})


def _unknown(_client: str, _arguments: _Arguments) -> bytes:
    raise RefusalError("bad_request", "there is no such command")
