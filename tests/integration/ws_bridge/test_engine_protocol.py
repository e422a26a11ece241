"""The cases of Engine.IO's own test suite (protocol revision 4), one test each, against the bridge.

The suite wants a server that echoes messages. The bridge answers commands of Socket.IO instead, so where the suite
sends `hello`, these connect and ask for the time. Intervals are the settings' own, not the suite's 300 and 200 ms.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator

import aiohttp
import msgpack
import pytest

from tests.support.market import Market
from tests.support.programs import Running, service
from tests.support.raw_socket import SEPARATOR, Door, WebSocket, door

pytestmark = pytest.mark.integration

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
INTERVAL, TIMEOUT = 0.3, 2.0


@pytest.fixture
async def to_bridge(bridge: Running) -> AsyncIterator[Door]:
    async with door(bridge.url) as made:
        yield made


@pytest.fixture(scope="module")
def brisk(env: dict[str, str], market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A bridge whose heart beats fast, and which compresses for who asks."""
    heart = {"WS_BRIDGE_PING_INTERVAL_SECONDS": str(INTERVAL), "WS_BRIDGE_PING_TIMEOUT_SECONDS": str(TIMEOUT)}
    own = {**heart, "WS_BRIDGE_COMPRESSION": "true"}
    with service("tickstream-ws-bridge", env=env | own, log=tmp_path_factory.mktemp("log") / "log") as running:
        running.await_ready()
        yield running


@pytest.fixture
async def to_brisk(brisk: Running) -> AsyncIterator[Door]:
    async with door(brisk.url) as made:
        yield made


async def in_vain(at: Door, sid: str | None = None, **query: str) -> int:
    """The status that a websocket is refused with."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with at.websocket(sid, **query):
            pass
    return refused.value.status


# Handshake


async def test_a_session_opens_over_polling(to_bridge: Door) -> None:
    said = (await to_bridge.polling()).handshake
    assert set(said) == KEYS
    assert isinstance(said["sid"], str)
    assert said["upgrades"] == ["websocket"]
    assert (said["pingInterval"], said["pingTimeout"], said["maxPayload"]) == (25_000, 20_000, 65_536)


async def test_a_session_opens_over_websocket(to_bridge: Door) -> None:
    async with to_bridge.websocket() as socket:
        said = socket.handshake
    assert set(said) == KEYS
    assert said["upgrades"] == []
    assert (said["pingInterval"], said["pingTimeout"], said["maxPayload"]) == (25_000, 20_000, 65_536)


async def test_intervals_of_less_than_a_second_are_told_as_they_are(to_brisk: Door) -> None:
    said = (await to_brisk.polling()).handshake
    assert (said["pingInterval"], said["pingTimeout"]) == (INTERVAL * 1000, TIMEOUT * 1000)


QUERIES = [
    {"transport": "polling"},
    {"transport": "polling", "EIO": "abc"},
    {"transport": "polling", "EIO": "3"},
    {"EIO": "4"},
    {"EIO": "4", "transport": "abc"},
    {"EIO": "4", "transport": "polling", "sid": "nobody"},
    {"EIO": "4", "transport": "websocket"},
]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_request_with_a_wrong_query_is_a_bad_one(to_bridge: Door, query: dict[str, str]) -> None:
    assert (await to_bridge.ask("GET", **query))[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_session_opens_by_get_only(to_bridge: Door, method: str) -> None:
    assert (await to_bridge.ask(method, EIO="4", transport="polling"))[0] == 400


@pytest.mark.parametrize(
    "query", [{"EIO": "abc"}, {"EIO": "3"}, {"transport": "abc"}, {"transport": "polling"}, {"sid": "nobody"}]
)
async def test_a_websocket_with_a_wrong_query_is_refused(to_bridge: Door, query: dict[str, str]) -> None:
    # A GET for polling that asks for a websocket is answered as polling; the websocket handshake fails by that.
    assert await in_vain(to_bridge, **query) in ((200, 400) if query == {"transport": "polling"} else (400,))


# Messages


def command(number: int) -> str:
    return f'42{number}["time",{{}}]'


async def test_one_text_packet_goes_both_ways_over_polling(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    assert await session.post("40") == (200, "ok")
    [answer] = await session.packets(1)
    assert answer.startswith('40{"sid":')


async def test_several_text_packets_go_both_ways_over_polling(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    await session.send("40")
    await session.packets(1)
    await session.send(command(1), command(2), command(3))
    answers = await session.packets(3)
    assert [answer[:3] for answer in answers] == ["431", "432", "433"]


async def test_more_packets_than_usual_fit_into_one_payload(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    await session.send("40")
    await session.packets(1)
    await session.send(*map(command, range(30)))
    answers = await session.packets(30)
    assert [answer.partition("[")[0] for answer in answers] == [f"43{number}" for number in range(30)]


@pytest.mark.parametrize("chunked", [True, False])
async def test_a_body_may_come_in_parts(bridge: Running, to_bridge: Door, chunked: bool) -> None:
    session = await to_bridge.polling()
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 5"
    query = f"EIO=4&transport=polling&sid={session.sid}"
    writer.write(f"POST /socket.io/?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}\r\n\r\n".encode())
    for part in (b"40", b"/x,"):
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
    writer.write(b"0\r\n\r\n" if chunked else b"")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    assert (await session.packets(1))[0].startswith("44/x,")


async def test_a_body_of_parts_beyond_the_limit_ends_the_session(to_bridge: Door) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"4" * 1_000

    session = await to_bridge.polling()
    assert (await session.post(parts()))[0] == 400
    assert (await session.poll())[0] == 400


async def test_text_and_binary_packets_go_both_ways_over_polling(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    connect = msgpack.packb({"type": 0, "nsp": "/"})
    event = msgpack.packb({"type": 2, "nsp": "/", "id": 7, "data": ["time", {}]})
    await session.send("b" + base64.b64encode(connect).decode())
    [welcome] = await session.packets(1)
    assert welcome[0] == "b"
    await session.send("3", "b" + base64.b64encode(event).decode())
    [answer] = await session.packets(1)
    said = msgpack.unpackb(base64.b64decode(answer[1:]))
    assert (said["type"], said["id"], said["data"][0]["ok"]) == (3, 7, True)


@pytest.mark.parametrize("body", ["abc", "", "4hello" + SEPARATOR, SEPARATOR, "b!", "bAAA", "7", "²", "d=40"])
async def test_an_invalid_packet_ends_the_session_over_polling(to_bridge: Door, body: str) -> None:
    session = await to_bridge.polling()
    assert (await session.post(body))[0] == 400
    assert (await session.poll())[0] == 400


async def test_a_second_poll_at_once_ends_the_session(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    first = asyncio.create_task(session.poll())
    await asyncio.sleep(0.2)
    assert (await session.poll(t="burst"))[0] == 400
    assert await first == (200, "1")
    assert (await session.poll())[0] == 400


async def test_a_text_packet_goes_both_ways_over_websocket(to_bridge: Door) -> None:
    async with to_bridge.websocket() as socket:
        assert (await socket.connect()).startswith('40{"sid":')


async def test_a_binary_packet_goes_both_ways_over_websocket(to_bridge: Door) -> None:
    async with to_bridge.websocket() as socket:
        await socket.send(msgpack.packb({"type": 0, "nsp": "/"}))
        assert set(msgpack.unpackb(await socket.binary())) == {"type", "nsp", "data"}


@pytest.mark.parametrize("message", ["abc", "", "7", "²"])
async def test_an_invalid_packet_ends_the_session_over_websocket(to_bridge: Door, message: str) -> None:
    async with to_bridge.websocket() as socket:
        await socket.send(message)
        await socket.until_closed()


# Heartbeat


async def test_pings_and_pongs_keep_a_session_over_polling(to_brisk: Door) -> None:
    session = await to_brisk.polling()
    for _ in range(3):
        assert await session.poll() == (200, "2")
        assert await session.post("3") == (200, "ok")


async def test_a_session_over_polling_without_pongs_ends(to_brisk: Door) -> None:
    session = await to_brisk.polling()
    await asyncio.sleep(INTERVAL + TIMEOUT)
    status, text = await session.poll()
    if status == 200:
        assert text == "2"
        status, _text = await session.poll()
    assert status == 400


async def test_pings_and_pongs_keep_a_session_over_websocket(to_brisk: Door) -> None:
    async with to_brisk.websocket() as socket:
        for _ in range(3):
            assert (await socket.socket.receive(60)).data == "2"
            await socket.send("3")


async def test_a_session_over_websocket_without_pongs_ends(to_brisk: Door) -> None:
    async with to_brisk.websocket() as socket:
        assert await socket.until_closed() == ["2"]


async def test_a_client_that_only_pings_back_lives_on(to_brisk: Door) -> None:
    async with to_brisk.websocket() as socket:
        await socket.connect()
        for _ in range(3 * int(TIMEOUT / INTERVAL)):
            assert (await socket.socket.receive(60)).data == "2"
            await socket.send("3")
        await socket.send(command(5))
        assert (await socket.text()).startswith("435[")


# Compression


@pytest.mark.parametrize("asks", [True, False])
async def test_a_websocket_is_compressed_for_who_asks_where_that_is_allowed(
    brisk: Running, bridge: Running, asks: bool
) -> None:
    request = '420["subscribe",{"channel":"bars","symbols":["SPY"],"interval":"1m","history":10}]'
    for running, allowed in ((brisk, True), (bridge, False)):
        async with aiohttp.ClientSession() as http:
            address = f"{running.url}/socket.io/?EIO=4&transport=websocket" + "&compress=1" * asks
            async with http.ws_connect(address, compress=15) as socket:
                assert bool(socket.compress) is (asks and allowed)
                made = WebSocket(socket)
                await made.text()
                await made.connect()
                for _ in range(3):
                    await made.send(request)
                    answer = await made.text()
                    assert answer.startswith('430[{"ok":true'), answer
                    assert answer.count("start_ms") > 9


# Close


async def test_a_client_ends_its_session_over_polling(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    poll = asyncio.create_task(session.poll())
    await asyncio.sleep(0.2)
    assert (await session.post("1"))[0] == 200
    assert await poll == (200, "6")
    assert (await session.poll())[0] == 400


async def test_a_client_ends_its_session_over_websocket(to_bridge: Door) -> None:
    async with to_bridge.websocket() as socket:
        await socket.send("1")
        assert await socket.until_closed() == []


# Upgrade


async def probed(socket: WebSocket) -> None:
    await socket.send("2probe")
    assert await socket.text() == "3probe"


async def test_a_session_moves_from_polling_to_websocket(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        assert await session.poll() == (200, "6")
        await socket.send("5")
        assert (await socket.connect()).startswith('40{"sid":')


async def test_a_poll_that_is_open_ends_when_the_session_moves(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    poll = asyncio.create_task(session.poll())
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        assert await poll == (200, "6")
        await socket.send("5")
        assert (await socket.connect()).startswith('40{"sid":')


async def test_after_the_move_polling_is_refused_and_harmless(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        await socket.send("5")
        assert (await socket.connect()).startswith('40{"sid":')
        assert (await session.poll())[0] == 400
        assert (await session.post("41"))[0] == 400
        await socket.send(command(1))
        assert (await socket.text()).startswith("431[")


async def test_after_the_move_another_websocket_is_refused_and_harmless(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        await socket.send("5")
        assert (await socket.connect()).startswith('40{"sid":')
        assert await in_vain(to_bridge, session.sid) == 400
        await socket.send(command(1))
        assert (await socket.text()).startswith("431[")


@pytest.mark.parametrize("first", ["5", "4hello", "2", "2prob", "x", "", b"2probe", None])
async def test_a_probe_that_is_none_leaves_the_session_to_polling(to_bridge: Door, first: str | bytes | None) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        if first is not None:
            await socket.send(first)
            assert await socket.until_closed() == []
    await session.send("40")
    assert (await session.packets(1))[0].startswith('40{"sid":')


@pytest.mark.parametrize("second", ["6", "40", "x", None])
async def test_a_move_that_is_broken_off_leaves_the_session_to_polling(to_bridge: Door, second: str | None) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        if second is not None:
            await socket.send(second)
            await socket.until_closed()
    await session.send("40")
    heard: list[str] = []

    async def welcomed() -> None:
        while not heard:  # the end of the websocket may not have been noticed yet
            heard.extend(packet for packet in await session.packets(1) if packet != "6")

    await asyncio.wait_for(welcomed(), 30)
    assert heard[0].startswith('40{"sid":')


async def test_one_move_at_a_time(to_bridge: Door) -> None:
    session = await to_bridge.polling()
    async with to_bridge.websocket(session.sid) as socket:
        await probed(socket)
        assert await in_vain(to_bridge, session.sid) == 400
        await socket.send("5")
        assert (await socket.connect()).startswith('40{"sid":')
