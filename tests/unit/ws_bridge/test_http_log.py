from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tickstream.core.clock import SystemClock
from tickstream.core.metrics import new_registry
from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.adapters.http_log import http_logger
from tickstream.ws_bridge.metrics import BridgeMetrics


async def _broken(_request: web.Request) -> web.Response:
    raise ZeroDivisionError


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_what_is_not_http_is_a_line_at_a_bounded_rate_and_faults_keep_their_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = BridgeMetrics(new_registry())
    app = web.Application()
    app.router.add_get("/", _broken)
    runner = web.AppRunner(app, access_log=None, logger=http_logger(Audit(SystemClock(), metrics)))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        with capture_logs() as logged, caplog.at_level(logging.DEBUG):
            for _ in range(300):
                assert b" 400 " in await ask(port, b"GET / HTTP/1.1\r\nnot a header\r\n\r\n")
            assert caplog.records == []
            assert b" 500 " in await ask(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert {(line["event"], line["address"], line["code"]) for line in logged} == {
            ("refused", "127.0.0.1", "bad_request")
        }
        assert all("\n" not in line["reason"] for line in logged)
        assert len(logged) + metrics.audit_left_out._value.get() == 300
        assert [record.exc_info is not None for record in caplog.records] == [True]
    finally:
        await runner.cleanup()
