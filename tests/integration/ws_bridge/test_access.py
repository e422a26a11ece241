"""Who comes in, what they may read, and how it ends: keys in PostgreSQL, and the gateway's tokens."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import psycopg
import pytest
import socketio.exceptions
from psycopg import sql
from yarl import URL

from tests.integration.ws_bridge.conftest import write_pages
from tests.support.market import Market, bar, tick
from tests.support.programs import Running, must, service
from tests.support.schema import migrate_to
from tests.support.servers import Servers, isolated
from tests.support.sockets import DEADLINE, Listener, javascript, listener, refusal, until
from tickstream.core.access import key_digest, new_key
from tickstream.core.model import MarketEvent

pytestmark = pytest.mark.integration

JWT_SECRET = "of the gateway, and long enough for it"


@pytest.fixture(scope="module")
def keys(env: dict[str, str]) -> dict[str, str]:
    """The environment of a database that has the table of keys."""
    must("tickstream-alerting", "--migrate-only", env=env)
    return env


@pytest.fixture(scope="module")
def guarded(keys: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge that takes the database's keys and the gateway's tokens."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "static").mkdir()
    write_pages(folder / "static")
    own = {
        "WS_BRIDGE_AUTH": "key",
        "WS_BRIDGE_JWT_SECRET": JWT_SECRET,
        "WS_BRIDGE_KEY_CHECK_SECONDS": "0.2",
        "WS_BRIDGE_KEY_GRACE_SECONDS": "10",
        "WS_BRIDGE_STATIC_DIR": str(folder / "static"),
        "WS_BRIDGE_ALERTING_URL": "http://127.0.0.1:1",
    }
    with service("tickstream-ws-bridge", env=keys | own, log=folder / "log") as running:
        running.await_ready()
        yield running


def create(env: dict[str, str], **fields: object) -> dict[str, str]:
    """A new key of ann's, as the command makes them."""
    key_id, key = new_key()
    row = {"id": key_id, "name": "ann", "digest": key_digest(key), "channels": ["*"], "symbols": ["*"]} | fields
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join(map(sql.Placeholder, row))
    with psycopg.connect(env["DATABASE_URL"]) as database:
        database.execute(sql.SQL("INSERT INTO api_keys ({}) VALUES ({})").format(columns, values), row)
    return {"id": key_id, "key": key}


def token(seconds: float = 3600, **claims: Any) -> str:
    """One of the gateway's tokens."""
    given = {"sub": "ann", "aud": "tickstream", "channels": ["*"], "symbols": ["*"]}
    return jwt.encode(given | {"exp": time.time() + seconds} | claims, JWT_SECRET, algorithm="HS256")


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it holds; fails only when it still doesn't long after it should."""
    async with asyncio.timeout(DEADLINE):
        while not await holds():  # noqa: ASYNC110 - it is a question to another process
            await asyncio.sleep(0.1)


async def ended(client: Listener) -> dict[str, Any]:
    """What a client was told before it was disconnected."""
    await client.until(lambda: client.events("disconnect"))
    [closing] = client.events("closing")
    assert isinstance(closing, dict)
    return closing


async def test_a_key_reads_the_channels_and_symbols_that_it_was_made_for(
    keys: dict[str, str], guarded: Running, market: Market
) -> None:
    key = create(keys, channels=["ticks", "market_events"], symbols=["SPY", "B*"], max_subscriptions=7)["key"]
    async with listener(guarded.url, auth={"apiKey": key}) as client:
        answer = await client.ask("subscribe", {"channel": "bars", "symbols": ["SPY"], "interval": "1m"})
        assert answer["error"]["code"] == "forbidden"
        named = await client.subscribe(channel="ticks", symbols=["SPY", "AIG", "BAC", "BX"])
        assert named["symbols"] == ["SPY", "BAC"]
        assert named["rejected"] == [
            {"symbol": "AIG", "code": "forbidden"},
            {"symbol": "BX", "code": "unknown_symbol"},
        ]
        assert named["limits"]["maxSubscriptions"] == 7
        everything = await client.subscribe(channel="ticks", symbols=["*"], mode="all")
        assert everything["symbols"] == ["*"]
        assert {record["symbol"] for record in everything["snapshot"]} == {"SPY", "BAC"}
        await client.subscribe(channel="market_events", symbols=["*"])
        news = [MarketEvent("halt", 1, symbol) for symbol in ("AIG", "SPY", None)]
        prints = [tick(symbol, 100 + number) for number in range(5) for symbol in ("AIG", "BAC", "BX", "SPY")]
        await asyncio.to_thread(market.publish, [*prints, *news])
        await client.until(lambda: len(client.records("ticks")) >= 15 and len(client.records("market_events")) >= 2)
        assert {record["symbol"] for record in client.records("ticks")} == {"BAC", "BX", "SPY"}
        assert {record["symbol"] for record in client.records("market_events")} == {None, "SPY"}


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_revoked_key_ends_its_connections_and_opens_no_more(
    keys: dict[str, str], guarded: Running, transport: str
) -> None:
    made = json.loads(await asyncio.to_thread(must, "tickstream", "keys", "create", "ann", "--json", env=keys))
    other = create(keys)
    async with (
        listener(guarded.url, [transport], auth={"apiKey": made["key"]}) as client,
        listener(guarded.url, [transport], auth={"apiKey": other["key"]}) as witness,
    ):
        await client.subscribe(channel="ticks", symbols=["SPY"])
        await asyncio.to_thread(must, "tickstream", "keys", "revoke", made["id"], env=keys)
        assert await ended(client) == {"code": "auth_expired", "reconnect": False}
        assert (await witness.ask("time"))["ok"] is True
    said = await refusal(guarded.url, [transport], {"apiKey": made["key"]})
    assert said["data"] == {"code": "unauthorized", "message": "the key has been revoked"}


async def test_a_javascript_client_is_told_when_its_key_has_expired(keys: dict[str, str], guarded: Running) -> None:
    made = create(keys)
    key = made["key"]
    request = json.dumps({"channel": "ticks", "symbols": ["SPY"]})
    async with javascript(guarded.url, "websocket", request, json.dumps({"apiKey": key})) as client:
        await client.until(lambda: client.events("ack"))
        with psycopg.connect(keys["DATABASE_URL"]) as database:
            database.execute("UPDATE api_keys SET expires_at = now() WHERE id = %s", (made["id"],))
        await client.until(lambda: client.events("closing"))
        assert client.events("closing") == [{"code": "auth_expired", "reconnect": False}]
    said = await refusal(guarded.url, ["websocket"], {"apiKey": key})
    assert said["data"] == {"code": "unauthorized", "message": "the key has expired"}


async def test_keys_that_were_never_made_are_refused(keys: dict[str, str], guarded: Running) -> None:
    made = create(keys)
    _id, stranger = new_key()
    mixed = f"tsk_{made['id']}_{stranger.rpartition('_')[2]}"
    for key in (stranger, mixed, made["key"].upper(), made["key"][:-1], made["id"], made["key"] + "\n", "\ud800"):
        said = await refusal(guarded.url, ["websocket"], {"apiKey": key})
        assert said["data"]["code"] == "unauthorized"
    for auth in ({"apiKey": made["key"], "token": token()}, {"token": made["key"]}, {"apiKey": token()}):
        assert (await refusal(guarded.url, ["websocket"], auth))["data"]["code"] == "unauthorized"


async def test_a_token_grants_what_it_says_and_its_end_ends_the_connection(guarded: Running) -> None:
    async with listener(guarded.url, auth={"token": token(-1, symbols=["SPY"], channels=["ticks"])}) as client:
        named = await client.subscribe(channel="ticks", symbols=["SPY", "AIG"])
        assert (named["symbols"], named["rejected"]) == (["SPY"], [{"symbol": "AIG", "code": "forbidden"}])
        assert (await client.ask("subscribe", {"channel": "alerts", "symbols": ["*"]}))["error"]["code"] == "forbidden"
        assert await ended(client) == {"code": "auth_expired", "reconnect": False}
    for bad in (token(-60), token(nbf=time.time() + 60), token(aud="elsewhere")):
        assert (await refusal(guarded.url, ["websocket"], {"token": bad}))["data"]["code"] == "unauthorized"


async def test_the_connections_of_a_key_share_its_limits(keys: dict[str, str], guarded: Running) -> None:
    auth = {"apiKey": create(keys, max_connections=2, max_subscriptions=3, commands_per_second=5)["key"]}
    async with listener(guarded.url, auth=auth) as first:
        async with listener(guarded.url, auth=auth) as second:
            assert (await refusal(guarded.url, ["websocket"], auth))["data"]["code"] == "rate_limited"
            await first.subscribe(channel="bars", symbols=["SPY"], interval="1s")
            await first.subscribe(channel="bars", symbols=["SPY"], interval="1m")
            await second.subscribe(channel="bars", symbols=["SPY"], interval="1m")
            for client in (first, second):
                answer = await client.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"]})
                assert answer["error"]["code"] == "too_many_subscriptions"
            answers = await asyncio.gather(*(client.ask("time") for client in (first, second) for _ in range(8)))
            assert {one["error"]["code"] for one in answers if not one["ok"]} == {"rate_limited"}

        async def subscribed() -> bool:
            answer = await first.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"]})
            assert answer["ok"] or answer["error"]["code"] in ("rate_limited", "too_many_subscriptions")
            return bool(answer["ok"])

        await eventually(subscribed)


async def test_rules_and_alerts_are_for_keys_to_all_of_them(keys: dict[str, str], guarded: Running) -> None:
    cases: list[tuple[dict[str, object], int]] = [
        ({}, 502),
        ({"channels": ["ticks"]}, 403),
        ({"symbols": ["SPY"]}, 403),
    ]
    async with aiohttp.ClientSession() as http:
        for options, status in cases:
            headers = {"X-API-Key": create(keys, **options)["key"]}
            async with http.get(f"{guarded.url}/api/v1/rules", headers=headers) as answer:
                assert answer.status == status


CHANGES = [
    ("POST", "rules"),
    ("PUT", "rules/7"),
    ("PATCH", "rules/7"),
    ("DELETE", "rules/7"),
    ("PUT", "alerts/7/acknowledgement"),
    ("DELETE", "alerts/7/acknowledgement"),
    ("POST", "silences"),
    ("DELETE", "silences/7"),
    ("PUT", "rules/test"),
    ("POST", "rules/test/7"),
]
READS = [("GET", "rules"), ("GET", "alerts/7"), ("GET", "silences"), ("POST", "rules/test")]
NO_PATHS = [("POST", "rules/test/.."), ("GET", "rules/../../../metrics"), ("GET", "rules/%2e%2e/%2e%2e/healthz")]
PASSED, FORBIDDEN = 502, 403
"""Nobody listens where the requests are passed on to."""


async def ask(url: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """The status and the body of an answer."""
    whole = URL(f"{url}/api/v1/{path}", encoded=True)
    async with aiohttp.ClientSession() as http, http.request(method, whole, headers=headers) as answer:
        is_json = answer.content_type.endswith("json")
        return answer.status, await answer.json(content_type=None) if is_json else {}


def shown(keys: dict[str, str], proof: str, options: dict[str, bool]) -> dict[str, str]:
    """The headers that show a new key, or a token, with or without leave to write."""
    if proof == "token":
        return {"Authorization": f"Bearer {token(**options)}"}
    key = create(keys, **{f"may_{name}": value for name, value in options.items()})["key"]
    return {"X-API-Key": key} if proof == "key" else {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("proof", ["key", "bearer", "token"])
async def test_what_changes_something_needs_leave_to_write(keys: dict[str, str], guarded: Running, proof: str) -> None:
    reader, writer = shown(keys, proof, {}), shown(keys, proof, {"write": True})
    for method, path in CHANGES:
        status, told = await ask(guarded.url, method, path, reader)
        assert (status, told["code"]) == (FORBIDDEN, "forbidden"), (method, path)
        assert "may only read" in told["detail"]
        assert (await ask(guarded.url, method, path, writer))[0] == PASSED, (method, path)
    for method, path in READS:
        for headers in (reader, writer):
            assert (await ask(guarded.url, method, path, headers))[0] == PASSED, (method, path)
    for method, path in NO_PATHS:
        assert (await ask(guarded.url, method, path, writer))[0] in (404, 405), (method, path)


async def test_leave_to_write_is_none_to_read(keys: dict[str, str], guarded: Running) -> None:
    for options in ({"symbols": ["SPY"]}, {"channels": ["ticks"]}):
        headers = {"X-API-Key": create(keys, may_write=True, **options)["key"]}
        for method, path in (*READS, *CHANGES):
            assert (await ask(guarded.url, method, path, headers))[0] == FORBIDDEN


async def test_leave_to_write_counts_soon_after_it_is_given_or_taken_and_is_told(
    keys: dict[str, str], guarded: Running
) -> None:
    made = create(keys)
    headers = {"X-API-Key": made["key"]}

    async def may_write() -> bool:
        _status, told = await ask(guarded.url, "GET", "access", headers)
        assert told == {"name": "ann", "write": told["write"]}
        return bool(told["write"])

    async def may_not() -> bool:
        return not await may_write()

    assert await may_not()
    for option, holds, status in (("--write", may_write, PASSED), ("--read-only", may_not, FORBIDDEN)):
        await asyncio.to_thread(must, "tickstream", "keys", "change", made["id"], option, env=keys)
        await eventually(holds)
        assert (await ask(guarded.url, "DELETE", "rules/7", headers))[0] == status
    assert (await ask(guarded.url, "GET", "access", {}))[0] == 401


async def test_the_log_says_who_changed_what_and_who_may_not(keys: dict[str, str], guarded: Running) -> None:
    reader, writer = create(keys), create(keys, may_write=True)
    for made in (reader, writer):
        await ask(guarded.url, "DELETE", "rules/7", {"X-API-Key": made["key"]})

    def lines(event: str, made: dict[str, str]) -> list[dict[str, Any]]:
        said = [json.loads(line) for line in guarded.log().splitlines() if line.startswith("{")]
        return [one for one in said if one["event"] == event and one.get("holder") == f"key:{made['id']}"]

    await until(lambda: lines("changed", writer), guarded.log)
    [changed], [denied] = lines("changed", writer), lines("denied", reader)
    assert (changed["what"], changed["status"], changed["address"]) == ("DELETE /api/v1/rules/7", "502", "127.0.0.1")
    assert (denied["what"], denied["code"]) == ("DELETE /api/v1/rules/7", "forbidden")
    assert not lines("changed", reader)


async def test_a_table_of_keys_that_was_not_migrated_yet_lets_them_read(servers: Servers, tmp_path: Path) -> None:
    with isolated(servers) as env:
        migrate_to(env["DATABASE_URL"], "0005")
        headers = {"X-API-Key": create(env)["key"]}
        own = {"WS_BRIDGE_AUTH": "key", "WS_BRIDGE_ALERTING_URL": "http://127.0.0.1:1"}
        with service("tickstream-ws-bridge", env=env | own, log=tmp_path / "log") as bridge:
            await asyncio.to_thread(bridge.await_ready)
            assert (await ask(bridge.url, "GET", "rules", headers))[0] == PASSED
            assert (await ask(bridge.url, "DELETE", "rules/7", headers))[0] == FORBIDDEN


async def test_the_log_says_who_came_and_what_was_denied_and_holds_no_secret(
    keys: dict[str, str], guarded: Running
) -> None:
    made, secret_token = create(keys, symbols=["SPY"]), token(sub="the-audited")
    wrong = made["key"][:-1] + ("0" if made["key"][-1] != "0" else "1")
    async with listener(guarded.url, auth={"apiKey": made["key"]}) as client:
        await client.subscribe(channel="ticks", symbols=["AIG"])
    async with listener(guarded.url, auth={"token": secret_token}):
        await refusal(guarded.url, ["websocket"], {"apiKey": wrong})

    def lines(event: str, **fields: str) -> list[dict[str, Any]]:
        said = [json.loads(line) for line in guarded.log().splitlines() if line.startswith("{")]
        return [one for one in said if one["event"] == event and fields.items() <= one.items()]

    await until(lambda: lines("denied", holder=f"key:{made['id']}", channel="ticks", what="AIG"), guarded.log)
    assert lines("connected", holder=f"key:{made['id']}", name="ann", address="127.0.0.1")
    assert lines("connected", holder="subject:the-audited")
    assert lines("refused", code="unauthorized", address="127.0.0.1")
    for secret in (made["key"].rpartition("_")[2], wrong, secret_token, key_digest(made["key"]).hex(), JWT_SECRET):
        assert secret not in guarded.log()


async def test_without_the_database_known_keys_go_on_for_a_while_and_others_are_told_to_try_again(
    servers: Servers, keys: dict[str, str], guarded: Running
) -> None:
    known, unknown = create(keys)["key"], create(keys)["key"]
    async with listener(guarded.url, auth={"apiKey": known}) as client:
        await asyncio.to_thread(servers.stop, "postgres")
        try:
            said = await refusal(guarded.url, ["websocket"], {"apiKey": unknown})
            assert said["data"]["code"] == "internal"
            assert (await client.ask("time"))["ok"] is True
            assert guarded.ready()
            assert await ended(client) == {"code": "internal", "reconnect": True}
        finally:
            await asyncio.to_thread(servers.start, "postgres")

    async def lets_in(key: str) -> bool:
        try:
            async with listener(guarded.url, auth={"apiKey": key}):
                return True
        except socketio.exceptions.ConnectionError:
            return False

    for key in (known, unknown):
        await eventually(partial(lets_in, key))


async def test_before_the_table_of_keys_is_there_who_comes_is_told_to_try_again(
    servers: Servers, tmp_path: Path
) -> None:
    with (
        isolated(servers) as env,
        service("tickstream-ws-bridge", env=env | {"WS_BRIDGE_AUTH": "key"}, log=tmp_path / "log") as bridge,
    ):
        await asyncio.to_thread(bridge.await_ready)
        _id, key = new_key()
        assert (await refusal(bridge.url, ["websocket"], {"apiKey": key}))["data"]["code"] == "internal"
        must("tickstream-alerting", "--migrate-only", env=env)
        made = create(env)["key"]

        async def knows() -> bool:
            said = await refusal(bridge.url, ["websocket"], {"apiKey": key})
            return bool(said["data"]["code"] == "unauthorized")

        await eventually(knows)
        async with listener(bridge.url, auth={"apiKey": made}) as client:
            assert (await client.ask("time"))["ok"] is True


async def test_limits_of_an_address_are_shared_by_all_of_its_clients(
    env: dict[str, str], market: Market, tmp_path: Path
) -> None:
    market.publish([bar("SPY", 11)])
    own = {"WS_BRIDGE_MAX_SUBSCRIPTIONS_PER_IP": "1", "WS_BRIDGE_COMMANDS_PER_SECOND_PER_IP": "10"}
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path / "log") as bridge:
        await asyncio.to_thread(bridge.await_ready)
        async with listener(bridge.url) as first, listener(bridge.url) as second:
            await first.subscribe(channel="ticks", symbols=["SPY"])
            answer = await second.ask("subscribe", {"channel": "ticks", "symbols": ["SPY"]})
            assert answer["error"]["code"] == "too_many_subscriptions"
            answers = await asyncio.gather(*(client.ask("time") for client in (first, second) for _ in range(15)))
            assert {one["error"]["code"] for one in answers if not one["ok"]} == {"rate_limited"}
