"""The past over HTTP: what the bridge itself remembers, and what the time-series store has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from aiohttp import web

from tickstream.core.errors import RetryableError
from tickstream.core.logging import logger
from tickstream.core.model import Bar, IndicatorSet
from tickstream.ws_bridge.adapters.callers import Callers
from tickstream.ws_bridge.adapters.web import STATUSES, problem
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.past import PastChannel, PastRequest, read_past_request
from tickstream.ws_bridge.domain.protocol import RefusalError

_LOG = logger(__name__)
_PATHS: Final[dict[str, PastChannel]] = {"/api/v1/bars": "bars", "/api/v1/indicators": "indicators"}
_AT_ONCE: Final = 4
_WAITING: Final = 64
_SECONDS: Final = 10.0


class PastStore(Protocol):
    """A time-series store that the sink writes."""

    async def last_before(self, request: PastRequest, limit: int) -> Sequence[Bar | IndicatorSet]:
        """The last `limit` closed records that start before the request's time, oldest first.

        Raises:
            RetryableError: the store doesn't answer.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Past:
    """Serves `GET /api/v1/bars` and `/api/v1/indicators`, page by page into the past.

    Args:
        market: what the bridge remembers.
        store: has what came before; None: nothing has.
        callers: says who may read it.
    """

    def __init__(self, market: Market, store: PastStore | None, callers: Callers) -> None:
        self._market = market
        self._store = store
        self._callers = callers
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    def add_routes(self, app: web.Application) -> None:
        """Put the paths on the application."""
        for path in _PATHS:
            app.router.add_get(path, self._answer)
        app.on_cleanup.append(self._close)

    async def _close(self, _app: web.Application) -> None:
        if self._store is not None:
            await self._store.close()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            wanted = read_past_request(_PATHS[request.path], request.query)
            await self._callers.admit_reader(request, wanted.channel, wanted.symbol)
            bodies, more = await self._page(wanted)
        except RefusalError as refusal:
            status = {"bad_request": 400, "rate_limited": 429}.get(refusal.code) or STATUSES[refusal.code]
            return problem(status, refusal.code, str(refusal))
        except (RetryableError, TimeoutError) as error:
            _LOG.warning("past_unread", reason=str(error) or type(error).__name__)
            return problem(503, "internal", "the store of the past doesn't answer")
        body = b'{"records":[%b],"more":%b}' % (b",".join(bodies), b"true" if more else b"false")
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _page(self, wanted: PastRequest) -> tuple[list[bytes], bool]:
        """The records' JSON, oldest first, and whether there are older ones.

        Memory and store are asked for the same: what is newest may not be stored yet, and memory has what this node saw
        close, and of that the last.
        """
        one_more = wanted.limit + 1
        kept = self._market.closed_before(wanted.channel, wanted.interval.name, wanted.symbol, wanted.before, one_more)
        bodies = {start: entry.body for start, entry in kept}
        if self._store is not None:
            try:
                stored = await self._stored(self._store, wanted, one_more)
            except (RetryableError, TimeoutError):
                if len(kept) < one_more:
                    raise
            else:
                bodies = {record.start: body_of(record) for record in stored} | bodies
        starts = sorted(bodies)
        return [bodies[start] for start in starts[-wanted.limit :]], len(starts) > wanted.limit

    async def _stored(self, store: PastStore, wanted: PastRequest, limit: int) -> Sequence[Bar | IndicatorSet]:
        if self._waiting >= _WAITING:
            raise RefusalError("rate_limited", "too many ask for the past: try again")
        self._waiting += 1
        try:
            async with asyncio.timeout(_SECONDS), self._turns:
                return await store.last_before(wanted, limit)
        finally:
            self._waiting -= 1
