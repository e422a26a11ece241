"""The load generator beside a server that sends what the test says, in pieces of its choosing."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.bench.bridge import generator
from tests.bench.bridge.generator import Generator, Sample

COMMANDS = [generator.PYTHON, generator.best()] if generator.compiled() else [generator.PYTHON]
OPEN = b'0{"sid":"x"}'
CONNECTED = b'40{"sid":"y"}'
Conversation = Callable[["Peer"], None]


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")

    def upgrade(self) -> None:
        while self._stream.readline().strip():
            pass
        self.send_raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    def heard(self) -> bytes:
        """The next frame's payload, unmasked."""
        _first, length = self._stream.read(2)
        length &= 0x7F
        if length == 126:
            length = int.from_bytes(self._stream.read(2), "big")
        mask = self._stream.read(4)
        return bytes(byte ^ mask[at % 4] for at, byte in enumerate(self._stream.read(length)))

    def send(self, payload: bytes, pieces: int = 1) -> None:
        self.send_raw(framed(payload), pieces)

    def send_raw(self, data: bytes, pieces: int = 1) -> None:
        step = -(-len(data) // pieces)
        for start in range(0, len(data), step):
            self._connection.sendall(data[start : start + step])

    def join(self, answer: str = '"snapshot":[],"recovered":false,"resume":"t0"') -> dict[str, object]:
        """Let the client connect and subscribe; gives what it asks for."""
        self.upgrade()
        self.send(OPEN)
        assert self.heard() == b"40"
        self.send(CONNECTED)
        asked = self.heard()
        self.send(b'430[{"ok":true,%b}]' % answer.encode(), pieces=3)
        name, request = json.loads(asked.removeprefix(b"420"))
        assert name == "subscribe"
        return dict(request)

    def done(self) -> None:
        """Wait until the generator has taken all: it answers a ping."""
        self.send(b"2")
        assert self.heard() == b"3"

    def left(self) -> None:
        """Wait until the client has ended the connection."""
        while self._stream.read(1):
            pass


@contextmanager
def serving(*conversations: Conversation) -> Iterator[int]:
    """Has one conversation after the other, each with a new connection; gives the port."""
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            for conversation in conversations:
                connection, _address = listener.accept()
                with connection:
                    connection.settimeout(30)
                    conversation(Peer(connection))
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread
            failures.append(error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            thread.join(60)
    assert not failures, failures


def framed(payload: bytes) -> bytes:
    size = len(payload)
    return (bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")) + payload


def record(symbol: str, seq: int, stamp: int = 0) -> str:
    return f'{{"symbol":"{symbol}","price":1.5,"ts_event_ms":5,"ts_ingest_ms":{stamp},"seq":{seq},"source":"x"}}'


def frame(*records: str, lost: int = 0, token: str = "t1") -> bytes:  # noqa: S107 - an opaque one
    return f'42["ticks",{{"data":[{",".join(records)}],"resume":"{token}","lost":{lost}}}]'.encode()


class Turn:
    """What the test and the server's conversation wait for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def give(self) -> None:
        self._event.set()

    def take(self) -> None:
        assert self._event.wait(30)
        self._event.clear()


@pytest.mark.parametrize("command", COMMANDS)
def test_records_are_counted_however_the_frames_are_cut(command: list[str]) -> None:
    sent, counted = Turn(), Turn()

    def conversation(peer: Peer) -> None:
        assert peer.join()["mode"] == "all"
        peer.send(frame(record("S000", 1), record("S001", 1)), pieces=40)
        peer.send_raw(b"".join(framed(frame(record("S000", seq))) for seq in (2, 3, 4)))
        peer.done()
        sent.give()
        counted.take()

    with serving(conversation) as port, Generator(port, 1, symbols=2, each=2, command=command) as load:
        assert load.ready.clients == 1
        sent.take()
        seen = load.sample()
        assert (seen.records, seen.frames, seen.connected) == (5, 4, 1)
        assert load.sample().records == 0
        counted.give()


if generator.compiled():

    def test_gaps_repetitions_and_ages_are_told_for_each_symbol() -> None:
        sent, counted = Turn(), Turn()
        long_ago = round(time.time() * 1000) - 70_000

        def conversation(peer: Peer) -> None:
            peer.join(f'"snapshot":[{record("S000", 5)}],"recovered":false,"resume":"t0"')
            peer.send(frame(record("S000", 7), record("S001", 3, long_ago), record("S001", 3, long_ago), lost=1))
            peer.send(b'42["status",{"code":"slow_consumer"}]')
            peer.done()
            sent.give()
            counted.take()

        with serving(conversation) as port, Generator(port, 1, symbols=2, each=2) as load:
            sent.take()
            seen = load.sample()
            counted.give()
        assert (seen.records, seen.lost, seen.missing, seen.repeated, seen.told) == (3, 1, 1, 1, 1)
        assert 70_000 <= seen.age(0.5) < 100_000
        assert seen.age(1) == 120_000

    def test_a_client_comes_back_with_its_newest_token_and_misses_nothing() -> None:
        sent, back, counted = Turn(), Turn(), Turn()

        def first(peer: Peer) -> None:
            assert "resume" not in peer.join()
            peer.send(frame(record("S000", 1), token="newest"))
            peer.done()
            sent.give()
            peer.left()

        def second(peer: Peer) -> None:
            assert peer.join('"snapshot":[],"recovered":true,"resume":"t"')["resume"] == "newest"
            peer.send(frame(record("S000", 2), record("S000", 4)))
            peer.done()
            back.give()
            counted.take()

        with serving(first, second) as port, Generator(port, 1, symbols=1, each=1) as load:
            sent.take()
            assert load.reconnect(0.05).recovered == 1
            back.take()
            seen = load.sample()
            counted.give()
        assert (seen.records, seen.missing, seen.ended) == (3, 1, 0)


def test_samples_that_follow_each_other_make_one() -> None:
    parts = [
        Sample(2.0, records=3, ages=Counter({1: 2, 9: 1}), connected=4),
        Sample(1.0, records=1, ages=Counter({50: 1}), connected=3),
    ]
    whole = Sample.whole(parts)
    assert (whole.seconds, whole.records, whole.connected) == (3.0, 4, 3)
    assert [whole.age(share) for share in (0.5, 0.75, 0.99)] == [1, 9, 50]
