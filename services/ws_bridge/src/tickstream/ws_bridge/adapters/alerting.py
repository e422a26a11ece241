"""Passes the dashboard's requests for rules, alerts and silences through to tickstream-alerting."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import aiohttp
from aiohttp import web

from tickstream.core.logging import logger
from tickstream.ws_bridge.adapters.callers import Callers
from tickstream.ws_bridge.adapters.web import STATUSES, problem
from tickstream.ws_bridge.domain.grant import ANYONE, Grant
from tickstream.ws_bridge.domain.protocol import RefusalError

_LOG = logger(__name__)
_PATHS: Final = "/api/v1/{path:(?:rules|alerts|silences)(?:/[A-Za-z0-9_:-][A-Za-z0-9._:-]*)*}"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TRIAL: Final = ("POST", "/api/v1/rules/test")
"""Changes nothing; is asked by POST, since what is to be tested doesn't fit into a URL."""
_MAX_BODY: Final = 262_144
_MAX_ANSWER: Final = 8_388_608
_SECONDS: Final = 10.0
_ACTOR: Final = "X-Tickstream-Actor"
"""Whose key was let in, percent-encoded: what someone does to an alert is written down under that name."""
_MAX_ACTOR: Final = 200


class Alerting:
    """A narrow way through to one service.

    Args:
        url: of tickstream-alerting.
        api_key: presented to it.
        callers: says who may read, and who may write.
    """

    def __init__(self, url: str, api_key: str | None, callers: Callers) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._callers = callers
        self._session: aiohttp.ClientSession | None = None

    def add_routes(self, app: web.Application) -> None:
        """Put the paths on the application."""
        for method in _METHODS:
            app.router.add_route(method, _PATHS, self._pass)
        app.cleanup_ctx.append(self._connected)

    async def _connected(self, _app: web.Application):  # type: ignore[no-untyped-def]  # noqa: ANN202 - aiohttp's own shape
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
            self._session = session
            yield

    async def _pass(self, request: web.Request) -> web.Response:
        writes = request.method != "GET" and (request.method, request.path) != _TRIAL
        admit = self._callers.admit_writer if writes else self._callers.admit_overseer
        try:
            grant = await admit(request)
        except RefusalError as refusal:
            return problem(STATUSES[refusal.code], refusal.code, str(refusal))
        answer = await self._passed(request, grant)
        if writes:
            self._callers.wrote(request, grant, answer.status)
        return answer

    async def _passed(self, request: web.Request, grant: Grant) -> web.Response:
        body = await request.content.read(_MAX_BODY + 1) if request.can_read_body else b""
        while request.can_read_body and len(body) <= _MAX_BODY and not request.content.at_eof():
            body += await request.content.read(_MAX_BODY + 1 - len(body))
        if len(body) > _MAX_BODY:
            return problem(413, "too_large", f"a body may have {_MAX_BODY} bytes at the most")
        if body and request.content_type != "application/json":
            return problem(415, "bad_request", f"the body must be application/json, was {request.content_type}")
        try:
            return await self._forward(request, body, grant)
        except (aiohttp.ClientError, TimeoutError) as error:
            _LOG.warning("alerting_away", reason=str(error) or type(error).__name__)
            return problem(502, "internal", "tickstream-alerting doesn't answer")

    async def _forward(self, request: web.Request, body: bytes, grant: Grant) -> web.Response:
        if self._session is None:
            raise aiohttp.ClientConnectionError("not started")
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        if grant is not ANYONE:
            headers[_ACTOR] = quote(grant.name[:_MAX_ACTOR], safe=" ", errors="replace")
        url = f"{self._url}{request.path}"
        async with self._session.request(
            request.method, url, params=request.query, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.content.read(_MAX_ANSWER + 1)
            while len(content) <= _MAX_ANSWER and not answer.content.at_eof():
                content += await answer.content.read(_MAX_ANSWER + 1 - len(content))
            if len(content) > _MAX_ANSWER:
                return problem(502, "internal", "the answer of tickstream-alerting is too large")
            passed = {name: answer.headers[name] for name in ("Content-Type", "Retry-After") if name in answer.headers}
            return web.Response(status=answer.status, body=content, headers=passed | {"Cache-Control": "no-store"})
