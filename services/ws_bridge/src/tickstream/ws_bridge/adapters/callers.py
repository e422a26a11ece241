"""Who asks over HTTP, and what for: the same keys and tokens as on the socket."""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.adapters.doorman import Doorman
from tickstream.ws_bridge.adapters.web import STATUSES, problem
from tickstream.ws_bridge.domain.entry import Channel
from tickstream.ws_bridge.domain.grant import ANYONE, Grant
from tickstream.ws_bridge.domain.protocol import RefusalError

_PATH: Final = "/api/v1/access"


class Callers:
    """Lets in who asks, and writes down who was turned away.

    Args:
        doorman: knows keys and tokens; None: none is needed, and nothing is forbidden.
        audit: what it is written to.
    """

    def __init__(self, doorman: Doorman | None, audit: Audit) -> None:
        self._doorman = doorman
        self._audit = audit

    def add_routes(self, app: web.Application) -> None:
        """Put the path on the application that tells a caller what it may do."""
        app.router.add_get(_PATH, self._access)

    async def admit(self, request: web.Request) -> Grant:
        """What the key or token of a request allows.

        Raises:
            RefusalError: nothing, or nobody can say now.
        """
        if self._doorman is None:
            return ANYONE
        try:
            return await _shown(self._doorman, request)
        except RefusalError as refusal:
            self._audit.refused(_address(request), refusal.code, str(refusal))
            raise

    async def admit_reader(self, request: web.Request, channel: Channel, symbol: str) -> Grant:
        """Let in those who may read a symbol's records of a channel.

        Raises:
            RefusalError: who asks may not.
        """
        grant = await self.admit(request)
        if channel not in grant.scope.channels or not grant.scope.has(symbol):
            raise self._denial(request, grant, f"this key is not for {channel} of {symbol}")
        return grant

    async def admit_channel(self, request: web.Request, channel: Channel) -> Grant:
        """Let in those who may read a channel, of whichever symbols.

        Raises:
            RefusalError: who asks may not.
        """
        grant = await self.admit(request)
        if channel not in grant.scope.channels:
            raise self._denial(request, grant, f"this key is not for {channel}")
        return grant

    async def admit_overseer(self, request: web.Request) -> Grant:
        """Let in those who may read the alerts of every symbol: what this guards isn't cut to a key's symbols.

        Raises:
            RefusalError: who asks may not.
        """
        grant = await self.admit(request)
        if "alerts" not in grant.scope.channels or not grant.scope.every_symbol:
            raise self._denial(request, grant, "this key is not for the alerts of every symbol")
        return grant

    async def admit_writer(self, request: web.Request) -> Grant:
        """Let in those who may change rules, acknowledgements and silences, besides reading them.

        Raises:
            RefusalError: who asks may not.
        """
        grant = await self.admit_overseer(request)
        if not grant.may_write:
            raise self._denial(request, grant, "this key may only read: it was given no permission to write")
        return grant

    def wrote(self, request: web.Request, grant: Grant, status: int) -> None:
        """Write down a change, or a try at one, and how it was answered."""
        self._audit.changed(_address(request), grant, _what(request), status)

    def _denial(self, request: web.Request, grant: Grant, reason: str) -> RefusalError:
        self._audit.denied_request(_address(request), grant, _what(request))
        return RefusalError("forbidden", reason)

    async def _access(self, request: web.Request) -> web.Response:
        try:
            grant = await self.admit(request)
        except RefusalError as refusal:
            return problem(STATUSES[refusal.code], refusal.code, str(refusal))
        body = orjson.dumps({"name": grant.name, "write": grant.may_write})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def _shown(doorman: Doorman, request: web.Request) -> Grant:
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await doorman.admit_bearer(text.strip())
    key = request.headers.get("X-API-Key")
    if key is None:
        raise RefusalError("unauthorized", "an API key is needed, as Authorization: Bearer or X-API-Key")
    return await doorman.admit_key(key)


def _address(request: web.Request) -> str:
    return request.remote or "unknown"


def _what(request: web.Request) -> str:
    return f"{request.method} {request.path}"
