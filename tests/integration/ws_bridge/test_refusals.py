"""What the bridge says no to, and that nothing a client sends does any harm."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from aiohttp import web
from yarl import URL

from tests.integration.ws_bridge.conftest import metric, write_pages
from tests.support.market import Market
from tests.support.programs import Running, run, service
from tests.support.sockets import javascript, listener, refusal, until

pytestmark = pytest.mark.integration

KEY = "the-key-of-ann"


@pytest.fixture(scope="module")
def guarded(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge that wants a key."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "static").mkdir()
    write_pages(folder / "static")
    (folder / "keys").write_text(f"ann:{hashlib.sha256(KEY.encode()).hexdigest()}\n")
    own = {
        "WS_BRIDGE_AUTH": "key",
        "WS_BRIDGE_API_KEYS_FILE": str(folder / "keys"),
        "WS_BRIDGE_STATIC_DIR": str(folder / "static"),
        "WS_BRIDGE_ORIGINS": "https://dash.example",
        "WS_BRIDGE_MAX_CONNECTIONS_PER_IP": "2",
        "WS_BRIDGE_ALERTING_API_KEY": "of-the-bridge",
        "WS_BRIDGE_ALERTING_URL": "http://127.0.0.1:1",
    }
    with service("tickstream-ws-bridge", env=env | own, log=folder / "log") as running:
        running.await_ready()
        yield running


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("subscribe", {"channel": "ticks"}, "bad_request"),
        ("subscribe", {"channel": "quotes", "symbols": ["SPY"]}, "unknown_channel"),
        ("subscribe", {"channel": "ticks", "symbols": [f"S{n}" for n in range(51)]}, "too_many_symbols"),
        ("subscribe", {"channel": "bars", "symbols": ["SPY"]}, "bad_request"),
        ("subscribe", {"channel": "ticks", "symbols": ["x" * 70_000]}, "too_large"),
        ("unsubscribe", {"subscription": "nope"}, "unknown_subscription"),
        ("unsubscribe", {"channel": "ticks", "symbols": ["SPY"]}, "unknown_subscription"),
        ("subscriptions", {"channel": "ticks"}, "bad_request"),
        ("shout", {}, "bad_request"),
        ("connect", {}, "bad_request"),
        ("disconnect", {}, "bad_request"),
    ],
)
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_bad_command_is_answered_with_its_code_and_the_connection_lives_on(
    bridge: Running, command: str, arguments: dict[str, Any], code: str, transport: str
) -> None:
    if (code, transport) == ("too_large", "polling"):
        return  # a request of that size is refused as a whole: see the test of it
    async with listener(bridge.url, [transport]) as client:
        answer = await client.ask(command, arguments)
        assert answer["ok"] is False
        assert answer["error"]["code"] == code
        assert answer["error"]["message"]
        assert (await client.ask("time", {}))["ok"] is True


async def test_a_request_beyond_64_kb_is_refused_over_polling(bridge: Running) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{bridge.url}/socket.io/?EIO=4&transport=polling") as opened:
            sid = json.loads((await opened.text())[1:])["sid"]
        url = f"{bridge.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
        async with http.post(url, data="4" + "x" * 70_000) as refused:
            assert refused.status == 413
            assert (await refused.json())["code"] == "too_large"


async def test_too_many_subscriptions_and_too_many_commands_are_refused(bridge: Running) -> None:
    async with listener(bridge.url) as client:
        for interval in ("1s", "1m", "5m", "15m", "1h"):
            await client.subscribe(channel="bars", symbols=["SPY"], interval=interval)
        answer = await client.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"]})
        assert answer["error"]["code"] == "too_many_subscriptions"
        answers = await asyncio.gather(*(client.ask("time", {}) for _ in range(100)))
        assert {one["error"]["code"] for one in answers if not one["ok"]} == {"rate_limited"}


FRAMES: list[str | bytes] = [
    "", "4", "42", "42[", "42[]", "42[1]", '42["subscribe"', '42[["subscribe"],{}]', '42{"a":1}', '4{"a":1}',
    "4null", "43[]", "4399[]", "44", "451-[]", '451-["subscribe",{"_placeholder":true,"num":0}]', "49", "4abc",
    "40/other,", "41/other,", "9", "x", "\x00", "²", "3", "5", "6", "0", "1", '420["subscribe",' + "[" * 10_000,
    "42" + "9" * 200 + "[]", '420["time",{}]' * 3, b"", b"\x00", b"4binary", '420["connect",{"a":1}]',
    '420["disconnect"]', "40" + "[" * 5_000,
]  # fmt: skip


async def test_nothing_that_a_client_sends_harms_the_bridge(bridge: Running) -> None:
    dice = random.Random(5)  # noqa: S311 - not a secret
    before = sockets_of(bridge)
    async with aiohttp.ClientSession() as http, listener(bridge.url) as witness:
        for number in range(120):
            frames = FRAMES if number == 0 else [dice.choice(FRAMES) for _ in range(4)]
            for frame in frames if number == 0 else [frames]:
                await abuse(http, bridge.url, [frame] if isinstance(frame, str | bytes) else frame, number % 2 == 0)
        assert (await witness.ask("time", {}))["ok"] is True
        await until(partial(connections_are, bridge, 1), lambda: "connections are left over")
    await until(lambda: sockets_of(bridge) <= before, lambda: "open sockets are left over")
    log = bridge.log()
    assert "Traceback" not in log
    assert "Error handling request" not in log


def sockets_of(bridge: Running) -> int:
    """Sockets that the bridge has open to clients, and to listen."""
    return sum(one.laddr.port == bridge.port for one in psutil.Process(bridge.child.pid).net_connections("tcp"))


def connections_are(bridge: Running, count: int) -> bool:
    return metric(bridge, "tickstream_ws_bridge_connections") == count


async def abuse(http: aiohttp.ClientSession, url: str, frames: list[str | bytes], connected: bool) -> None:
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with http.ws_connect(address) as socket:
        assert (await socket.receive_str()).startswith("0")
        if connected:
            await socket.send_str("40")
        for frame in frames:
            if socket.closed:
                break
            try:
                await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
            except aiohttp.ClientConnectionResetError:
                break


async def test_a_stranger_to_the_protocol_is_told_before_the_connection_ends(bridge: Running) -> None:
    async with aiohttp.ClientSession() as http:
        for message in ("4abc", "x", b"binary", "4" + "x" * 2_000_000):
            async with http.ws_connect(f"{bridge.url}/socket.io/?EIO=4&transport=websocket") as socket:
                await socket.send_str("40")
                await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
                heard = [str(one.data) async for one in socket]
                assert any('42["closing"' in one for one in heard), (message[:10], heard)


async def test_a_handshake_without_a_connect_is_ended(bridge: Running) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{bridge.url}/socket.io/?EIO=4&transport=websocket") as socket, asyncio.timeout(30):
            heard = [message.data async for message in socket]
        assert len(heard) == 1


@pytest.mark.parametrize("auth", [None, {}, {"apiKey": "wrong"}, {"apiKey": 7}, {"token": KEY}, [KEY]])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_without_a_valid_key_the_connection_is_refused_with_code_and_message(
    guarded: Running, auth: Any, transport: str
) -> None:
    said = await refusal(guarded.url, [transport], auth)
    assert said["data"]["code"] == "unauthorized"
    assert said["data"]["message"]


async def test_with_a_valid_key_clients_of_both_kinds_connect(guarded: Running) -> None:
    request = json.dumps({"channel": "ticks", "symbols": ["SPY"]})
    async with listener(guarded.url, auth={"apiKey": KEY}) as client:
        assert (await client.ask("time"))["ok"] is True
        async with javascript(guarded.url, "websocket", request, json.dumps({"apiKey": KEY})) as other:
            await other.until(lambda: other.events("ack"))
            # Two connections are what this bridge takes from one address.
            assert (await refusal(guarded.url, ["websocket"], {"apiKey": KEY}))["data"]["code"] == "rate_limited"
        async with javascript(guarded.url, "polling", request, json.dumps({"apiKey": "wrong"})) as other:
            await other.until(lambda: other.events("connect_error"))
            assert other.events("connect_error")[0]["data"]["code"] == "unauthorized"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://dash.example"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://dash.example.evil.example"}, 403),
        ({"Origin": "https://DASH.example"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://dash.example", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost:1", "Origin": "http://127.0.0.1:1"}, 200),
    ],
)
async def test_pages_of_other_origins_and_names_bent_to_this_machine_are_refused(
    guarded: Running, headers: dict[str, str], status: int
) -> None:
    async with aiohttp.ClientSession() as http:
        url = f"{guarded.url}/socket.io/?EIO=4&transport="
        async with http.get(url + "polling", headers=headers) as answer:
            assert answer.status == status
            allowed = headers.get("Origin") if status == 200 else None
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        asks = headers | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-mine"}
        async with http.options(url + "polling", headers=asks) as answer:
            assert answer.status == status
            if allowed:
                assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
                assert answer.headers["Access-Control-Allow-Headers"] == "x-mine"
                assert answer.headers["Vary"] == "Origin"
        handshake = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        async with http.get(url + "websocket", headers=headers | handshake) as answer:
            assert answer.status == (101 if status == 200 else status)


async def test_a_page_of_another_site_cannot_speak_through_a_session_that_is_open(bridge: Running) -> None:
    async with listener(bridge.url, ["polling"]) as client:
        url = f"{bridge.url}/socket.io/?EIO=4&transport=polling&sid={client.client.eio.sid}"
        async with aiohttp.ClientSession() as http:
            for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
                async with http.post(url, data='42["subscribe",{}]', headers=headers) as answer:
                    assert answer.status == 403
                    assert "Access-Control-Allow-Origin" not in answer.headers
            two = [("Origin", bridge.url), ("Origin", "http://evil.example")]
            async with http.post(url, data='42["subscribe",{}]', headers=two) as answer:
                assert answer.status == 403
        assert (await client.ask("time"))["ok"] is True


async def test_the_dashboard_is_served_with_a_strict_policy(bridge: Running) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{bridge.url}/") as page:
            assert page.status == 200
            assert page.content_type == "text/html"
            policy = page.headers["Content-Security-Policy"]
            for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
                assert rule in policy
            assert "unsafe" not in policy
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Cache-Control"] == "no-cache"
            tag = page.headers["ETag"]
        async with http.get(f"{bridge.url}/", headers={"If-None-Match": tag}) as page:
            assert page.status == 304
        async with http.get(f"{bridge.url}/assets/index-B1nd3rQz.js") as script:
            assert script.headers["Content-Encoding"] == "gzip"
            assert "immutable" in script.headers["Cache-Control"]
            assert (await script.text()).startswith("console.log")
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/assets/../../secret.txt", "/nope"):
            url = URL(f"{bridge.url}{path}", encoded=True)
            async with http.get(url) as page:
                assert page.status == 404
                assert "Content-Security-Policy" in page.headers


async def test_rules_and_alerts_are_passed_through_with_the_bridges_own_key(
    env: dict[str, str], market: Market, tmp_path: Path
) -> None:
    seen: list[tuple[str, str, str, bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "")
        seen.append((request.method, request.path_qs, key, await request.read()))
        return web.json_response({"rules": []}, status=201)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    own = {"WS_BRIDGE_ALERTING_URL": f"http://127.0.0.1:{runner.addresses[0][1]}", "WS_BRIDGE_ALERTING_API_KEY": "ours"}
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{bridge.url}/api/v1/rules?dry=1", json={"a": 1}) as passed:
                assert (passed.status, await passed.json()) == (201, {"rules": []})
            async with http.get(f"{bridge.url}/api/v1/alerts/7", headers={"Authorization": "Bearer mine"}) as passed:
                assert passed.status == 201
            async with http.get(f"{bridge.url}/api/v1/access") as told:
                assert await told.json() == {"name": "anonymous", "write": True}
            async with http.get(f"{bridge.url}/api/v1/alerts", headers={"Origin": "http://evil.example"}) as refused:
                assert refused.status == 403
            async with http.post(f"{bridge.url}/api/v1/rules", data=b"x" * 300_000) as refused:
                assert refused.status == 413
            async with http.get(f"{bridge.url}/api/v1/users") as refused:
                assert refused.status == 404
            await runner.cleanup()
            async with http.get(f"{bridge.url}/api/v1/alerts") as refused:
                assert refused.status == 502
                assert refused.content_type == "application/problem+json"
    assert [one[:3] for one in seen] == [
        ("POST", "/api/v1/rules?dry=1", "Bearer ours"),
        ("GET", "/api/v1/alerts/7", "Bearer ours"),
    ]
    assert json.loads(seen[0][3]) == {"a": 1}


async def test_a_guarded_bridge_passes_nothing_through_without_a_key(guarded: Running) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{guarded.url}/api/v1/rules") as refused:
            assert refused.status == 401
        async with http.get(f"{guarded.url}/api/v1/rules", headers={"X-API-Key": KEY}) as passed:
            assert passed.status == 502


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_on_sigterm_clients_are_told_and_the_bridge_ends_with_0(
    env: dict[str, str], market: Market, tmp_path: Path, transport: str
) -> None:
    with service("tickstream-ws-bridge", env=env, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url, [transport]) as client:
            await client.subscribe(channel="ticks", symbols=["SPY"])
            bridge.child.send_signal(signal.SIGTERM)
            await client.until(lambda: client.events("disconnect"))
            assert "shutting_down" in [status["code"] for status in client.events("status")]
            assert client.events("closing") == [{"code": "shutting_down", "reconnect": True}]
        assert await asyncio.to_thread(bridge.child.wait, 60) == 0


def test_bad_settings_end_with_2_and_are_all_named(env: dict[str, str]) -> None:
    bad = {"HTTP_HOST": "0.0.0.0", "WS_BRIDGE_FLUSH_MS": "1", "WS_BRIDGE_ORIGINS": "evil.example"}
    done = run("tickstream-ws-bridge", env={**os.environ, **env, **bad})
    assert done.returncode == 2
    for name in ("WS_BRIDGE_AUTH must be key unless HTTP_HOST", "WS_BRIDGE_FLUSH_MS", "WS_BRIDGE_ORIGINS"):
        assert name in done.stderr
