"""The cases of Socket.IO's own test suite (protocol revision 5), one test each, against the bridge.

The suite wants a server that echoes `message`, sends `auth` to who connects, and has a namespace /custom. The bridge
has commands instead and no other namespace: the cases here expect its answers where the suite expects the echo.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest

from tests.support.programs import Running
from tests.support.raw_socket import Door, WebSocket, door

pytestmark = pytest.mark.integration


@pytest.fixture
async def to_bridge(bridge: Running) -> AsyncIterator[Door]:
    async with door(bridge.url) as made:
        yield made


@pytest.fixture
async def socket(to_bridge: Door) -> AsyncIterator[WebSocket]:
    async with to_bridge.websocket() as made:
        assert (await made.connect()).startswith("40{")
        yield made


async def lives_on(socket: WebSocket) -> None:
    await socket.send('4299["time"]')
    assert (await socket.text()).startswith('4399[{"ok":true')


def closing(heard: list[str | bytes]) -> list[Any]:
    """What was said of the end."""
    return [json.loads(one[2:])[1] for one in heard if isinstance(one, str) and one.startswith('42["closing"')]


BAD_REQUEST = [{"code": "bad_request", "reconnect": False}]


# Connect


@pytest.mark.parametrize("packet", ["40", "40{}", '40{"token":"123"}', "40/,", "40/?a=b,", "40null"])
async def test_a_client_connects_to_the_main_namespace(to_bridge: Door, packet: str) -> None:
    async with to_bridge.websocket() as made:
        answer = await made.connect(packet)
        assert answer.startswith("40{")
        assert set(json.loads(answer[2:])) == {"sid"}
        assert json.loads(answer[2:])["sid"] != made.handshake["sid"]
        await lives_on(made)


@pytest.mark.parametrize("namespace", ["/random", "/custom", "/random?a=b", "/42"])
async def test_other_namespaces_are_refused_and_the_main_one_can_still_be_had(to_bridge: Door, namespace: str) -> None:
    async with to_bridge.websocket() as made:
        for payload in ("", '{"token":"abc"}'):
            answer = await made.connect(f"40{namespace},{payload}")
            name = namespace.partition("?")[0]
            assert answer.startswith(f"44{name},{{")
            said = json.loads(answer[len(f"44{name},") :])
            assert said["message"] == "Invalid namespace"
            assert said["data"]["code"] == "bad_request"
        await made.connect()
        await lives_on(made)


async def test_a_namespace_needs_no_comma(to_bridge: Door) -> None:
    async with to_bridge.websocket() as made:
        assert (await made.connect("40/random")).startswith('44/random,{"message":"Invalid namespace"')


async def test_an_invalid_handshake_ends_the_connection(to_bridge: Door) -> None:
    async with to_bridge.websocket() as made:
        await made.send("4abc")
        assert closing(await made.until_closed()) == BAD_REQUEST


async def test_a_connection_without_a_handshake_ends(to_bridge: Door) -> None:
    async with to_bridge.websocket() as made:
        assert await made.until_closed() == []


async def test_who_is_connected_cannot_connect_once_more(socket: WebSocket) -> None:
    answer = await socket.connect('40{"token":"123"}')
    assert answer.startswith("44{")
    assert json.loads(answer[2:])["data"]["code"] == "bad_request"
    await lives_on(socket)


# Disconnect


async def test_a_client_leaves_the_namespace_and_comes_back_on_the_same_connection(socket: WebSocket) -> None:
    await socket.send("41")
    await socket.send('421["time"]')  # to nobody
    assert (await socket.connect()).startswith("40{")
    await lives_on(socket)


async def test_leaving_another_namespace_leaves_the_main_one_alone(socket: WebSocket) -> None:
    await socket.send("41/custom,")
    await socket.send("41/custom")
    await lives_on(socket)


# Messages


@pytest.mark.parametrize(
    "packet", ['421["message",1,"2",{"3":[true]}]', '421["message"]', '42/,1["message"]', '421 ["message"]']
)
async def test_an_unknown_event_is_answered(socket: WebSocket, packet: str) -> None:
    await socket.send(packet)
    answer = await socket.text()
    assert answer.startswith("431[")
    assert json.loads(answer[3:])[0]["error"]["code"] == "bad_request"


async def test_an_event_without_an_acknowledgement_is_carried_out_in_silence(socket: WebSocket) -> None:
    await socket.send('42["subscribe",{"channel":"bars","symbols":["SPY"],"interval":"1h"}]')
    await socket.send('421["subscriptions",{}]')
    said = json.loads((await socket.text())[3:])[0]
    assert [one["interval"] for one in said["subscriptions"]] == ["1h"]


async def test_an_event_to_another_namespace_is_nobodys(socket: WebSocket) -> None:
    await socket.send('42/custom,1["time"]')
    await lives_on(socket)


@pytest.mark.parametrize("number", [0, 456, 2**53, 10**19])
async def test_the_acknowledgement_has_the_events_number(socket: WebSocket, number: int) -> None:
    await socket.send(f'42{number}["time",{{}}]')
    assert (await socket.text()).startswith(f'43{number}[{{"ok":true')


TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


async def test_an_event_with_attachments_is_answered_once_they_are_there(socket: WebSocket) -> None:
    await socket.send(f'452-789["subscribe",{TWO}]')
    await socket.send(b"\1\2\3")
    await socket.send(b"\4\5\6")
    answer = await socket.text()
    assert answer.startswith("43789[")
    assert json.loads(answer[5:])[0]["error"]["code"] == "bad_request"
    await socket.send('450-8["time"]')
    assert (await socket.text()).startswith("438[")


async def test_an_event_with_attachments_that_wants_no_answer_is_harmless(socket: WebSocket) -> None:
    await socket.send(f'452-["message",{TWO}]')
    await socket.send(b"\1\2\3")
    await socket.send(b"\4\5\6")
    await lives_on(socket)


async def test_acknowledgements_of_what_was_never_asked_are_harmless(socket: WebSocket) -> None:
    await socket.send('437["x"]')
    await socket.send(f"462-7[{TWO}]")
    await socket.send(b"")
    await socket.send(b"\4\5\6")
    await lives_on(socket)


@pytest.mark.parametrize(
    "packet",
    [
        "4abc",  # an unknown type
        "49",
        "4",
        "42{}",  # a payload of the wrong form
        "42",
        "42[]",
        "42[1]",
        "42[",
        "42null",
        "42[NaN]",
        "43{}",
        "431",
        "43[]",
        "44{}",  # what only servers send
        '41{"a":1}',
        '42abc["message-with-ack",1]',  # an acknowledgement's number that is none
        '42-1["time"]',
        "42" + "9" * 25 + '["time"]',
        '421["time"]x',
        "421[" + "[" * 5_000,
        f"45[{TWO}]",  # attachments that don't add up
        '451-["x"',
        '4599-["x"]',
        b"\1\2\3",
    ],
)
async def test_a_packet_of_invalid_format_ends_the_connection(socket: WebSocket, packet: str | bytes) -> None:
    await socket.send(packet)
    assert closing(await socket.until_closed()) == BAD_REQUEST


@pytest.mark.parametrize("instead", ["40", '421["time"]', "43[]"])
async def test_nothing_comes_between_an_event_and_its_attachments(socket: WebSocket, instead: str) -> None:
    await socket.send(f'452-7["subscribe",{TWO}]')
    await socket.send(instead)
    assert closing(await socket.until_closed()) == BAD_REQUEST


async def test_attachments_are_bounded_together_with_their_event(socket: WebSocket) -> None:
    await socket.send(f'452-7["subscribe",{TWO}]')
    await socket.send(b"x" * 40_000)
    await socket.send(b"x" * 40_000)
    answer = await socket.text()
    assert json.loads(answer[3:])[0]["error"]["code"] == "too_large"
    await lives_on(socket)


async def test_surrogates_and_zeros_are_text_like_any_other(socket: WebSocket) -> None:
    for symbol in ("\\ud800", "\\u0000", "\U0001f600"):
        await socket.send(f'421["subscribe",{{"channel":"ticks","symbols":["{symbol}"]}}]')
        answer = await socket.text()
        assert json.loads(answer[3:])[0]["rejected"][0]["code"] == "unknown_symbol"


@pytest.mark.parametrize("rate", ["NaN", "Infinity", "-Infinity", "1e400", "-0.0"])
async def test_numbers_that_are_none_are_answered(socket: WebSocket, rate: str) -> None:
    await socket.send(f'421["subscribe",{{"channel":"ticks","symbols":["SPY"],"maxHz":{rate}}}]')
    answer = await socket.text()
    assert json.loads(answer[3:])[0]["error"]["code"] == "bad_request"


# MessagePack, as the stock parsers send it


def packed(kind: int, **more: Any) -> bytes:
    made: bytes = msgpack.packb({"type": kind, "nsp": "/", **more})
    return made


UNDEFINED = msgpack.ExtType(0, b"\0")
"""What the JavaScript parser makes of undefined."""


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}, {"data": UNDEFINED, "options": {"compress": True}}])
async def test_a_client_of_messagepack_connects_and_is_answered_in_it(to_bridge: Door, data: dict[str, Any]) -> None:
    async with to_bridge.websocket() as made:
        await made.send(packed(0, **data))
        welcome = msgpack.unpackb(await made.binary())
        assert (welcome["type"], welcome["nsp"], set(welcome["data"])) == (0, "/", {"sid"})
        await made.send(packed(2, id=3, data=["time", {"unknown": UNDEFINED}]))
        answer = msgpack.unpackb(await made.binary())
        assert set(answer) == {"type", "nsp", "id", "data"}
        assert (answer["type"], answer["id"], answer["data"][0]["error"]["code"]) == (3, 3, "bad_request")
        request = {"channel": "ticks", "symbols": ["SPY"], "resume": UNDEFINED}
        await made.send(packed(2, id=4, data=["subscribe", request], options={}))
        answer = msgpack.unpackb(await made.binary())
        assert (answer["id"], answer["data"][0]["ok"]) == (4, True)


async def test_other_namespaces_are_refused_in_messagepack_too(to_bridge: Door) -> None:
    async with to_bridge.websocket() as made:
        await made.send(msgpack.packb({"type": 0, "nsp": "/random", "data": {}}))
        answer = msgpack.unpackb(await made.binary())
        assert (answer["type"], answer["nsp"], answer["data"]["message"]) == (4, "/random", "Invalid namespace")
        await made.send(packed(0))
        assert msgpack.unpackb(await made.binary())["type"] == 0


def nested(depth: int) -> bytes:
    return b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa4time" + b"\x91" * depth + b"\xc0"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\xc1",
        b"\x93",
        packed(2, data=["time"])[:-1],
        packed(9),
        packed(5, data=["time"]),
        packed(2),
        packed(2, data=[]),
        packed(2, data=[1]),
        packed(2, data={"time": 1}),
        packed(2, data=["time"], id="1"),
        packed(2, data=["time"], id=1.5),
        packed(2, data=["time"], id=-1),
        packed(2, data=["time"], id=True),
        packed(4, data={}),
        packed(3, data=7, id=1),
        msgpack.packb({"type": 2, "nsp": 7, "data": ["time"]}),
        msgpack.packb([2, "/", ["time"]]),
        msgpack.packb({1: 2}),
        b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa4time\xdd\xff\xff\xff\xff",
        nested(5_000),
        b"\x91" * 60_000,
        '421["time"]',
    ],
)
async def test_what_is_no_packet_in_messagepack_ends_only_its_own_connection(
    to_bridge: Door, socket: WebSocket, packet: str | bytes
) -> None:
    async with to_bridge.websocket() as made:
        await made.send(packed(0))
        await made.binary()
        await made.send(packet)
        said = [msgpack.unpackb(one)["data"] for one in await made.until_closed() if isinstance(one, bytes)]
        assert ["closing", BAD_REQUEST[0]] in said
    await lives_on(socket)


ODD: list[Any] = [
    b"bytes",
    msgpack.ExtType(5, b"x"),
    msgpack.Timestamp(1, 2),
    {"channel": b"ticks", "symbols": ["SPY"]},
    {"channel": "ticks", "symbols": [b"SPY"]},
    {"channel": "ticks", "symbols": [float("nan")]},
    {"channel": "ticks", "symbols": ["SPY"], "maxHz": float("inf")},
    {"channel": "ticks", "symbols": ["SPY"], "history": 2**63},
    {"channel": "ticks", "symbols": ["SPY"], "history": -0.0},
    {"channel": "ticks", "symbols": ["SPY"], "resume": b"x"},
]


@pytest.mark.parametrize("argument", ODD)
async def test_odd_arguments_in_messagepack_are_answered(to_bridge: Door, argument: Any) -> None:
    async with to_bridge.websocket() as made:
        await made.send(packed(0))
        await made.binary()
        await made.send(packed(2, id=1, data=["subscribe", argument]))
        answer = msgpack.unpackb(await made.binary())
        assert (answer["id"], answer["data"][0]["error"]["code"]) == (1, "bad_request")


async def test_a_message_in_messagepack_has_the_same_limit(to_bridge: Door) -> None:
    async with to_bridge.websocket() as made:
        await made.send(packed(0))
        await made.binary()
        await made.send(packed(2, id=1, data=["subscribe", {"channel": "ticks", "symbols": ["x" * 70_000]}]))
        answer = msgpack.unpackb(await made.binary())
        assert (answer["id"], answer["data"][0]["error"]["code"]) == (1, "too_large")
        await made.send(packed(2, data=["subscribe", "x" * 70_000]))
        told = msgpack.unpackb(await made.binary())
        assert told["data"][0] == "status"
        assert told["data"][1]["code"] == "too_large"
        async with asyncio.timeout(60):
            await made.send(packed(2, id=2, data=["time"]))
            assert msgpack.unpackb(await made.binary())["data"][0]["ok"] is True
