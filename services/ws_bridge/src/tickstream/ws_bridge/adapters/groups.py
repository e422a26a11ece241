"""Which groups of symbols have figures, over HTTP: who subscribes to their scopes has to know their names."""

from __future__ import annotations

from typing import Final

import orjson
from aiohttp import web

from tickstream.ws_bridge.adapters.callers import Callers
from tickstream.ws_bridge.adapters.web import STATUSES, problem
from tickstream.ws_bridge.domain.market import GROUP_SCOPES, Market
from tickstream.ws_bridge.domain.protocol import RefusalError

_PATH: Final = "/api/v1/groups"


class Groups:
    """Serves the names of the groups that have figures, of those that the caller may read.

    Args:
        market: has the figures.
        callers: says who may read them.
    """

    def __init__(self, market: Market, callers: Callers) -> None:
        self._market = market
        self._callers = callers

    def add_routes(self, app: web.Application) -> None:
        """Put the path on the application."""
        app.router.add_get(_PATH, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            grant = await self._callers.admit_channel(request, "analytics")
        except RefusalError as refusal:
            return problem(STATUSES[refusal.code], refusal.code, str(refusal))
        names = [name for name in self._market.groups() if grant.scope.has(GROUP_SCOPES + name)]
        body = orjson.dumps({"groups": names})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})
