"""`/healthz`, `/readyz` and `/metrics` for services whose own loop is not asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Final, Self

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tickstream.core.errors import FatalError

Readiness = Callable[[], Mapping[str, str]]
"""The reasons why the service can't do its work now, by part; empty when it can."""


def add_routes(app: web.Application, readiness: Readiness, registry: CollectorRegistry) -> None:
    """Put the three pages on an aiohttp application."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps({"status": "alive"}), content_type="application/json")

    async def readyz(_request: web.Request) -> web.Response:
        reasons = dict(readiness())
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return web.Response(body=orjson.dumps(body), status=503 if reasons else 200, content_type="application/json")

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)


class HealthServer:
    """Serves the three pages from a thread of its own.

    Args:
        host: the address to listen on.
        port: the port; None takes `preferred`, or any free one when that is taken.
        preferred: the service's usual port.
        readiness: asked at each `/readyz`, from the server's thread.
        registry: what `/metrics` shows.
        app: more to serve beside them; runs in the server's thread.
    """

    _START_LIMIT: Final = 10.0

    def __init__(
        self,
        host: str,
        port: int | None,
        preferred: int,
        readiness: Readiness,
        registry: CollectorRegistry,
        app: web.Application | None = None,
    ) -> None:
        self._host = host
        self._ports = (port,) if port is not None else (preferred, 0)
        self._app = app if app is not None else web.Application()
        add_routes(self._app, readiness, registry)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="health", daemon=True)
        self._runner = web.AppRunner(self._app, access_log=None)
        self.port = 0

    def start(self) -> None:
        """Begin to listen; `port` then holds the port.

        Raises:
            FatalError: the port can't be had.
        """
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(self._START_LIMIT)

    async def _listen(self) -> int:
        await self._runner.setup()
        for port in self._ports:
            site = web.TCPSite(self._runner, self._host, port)
            try:
                await site.start()
            except OSError as error:
                failure = error
                continue
            address: tuple[str, int] = self._runner.addresses[0]
            return address[1]
        raise FatalError(f"HTTP_PORT {self._ports[0]} on {self._host} can't be listened on: {failure.strerror}")

    def stop(self) -> None:
        """End the server and its thread."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(self._START_LIMIT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._START_LIMIT)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
