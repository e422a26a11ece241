"""A TCP proxy before a Kafka broker that rewrites nothing, but can hold requests and answers and cut connections."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from asyncio import AbstractEventLoop, StreamReader, StreamWriter
from typing import Final, Literal

PRODUCE: Final = 0
FETCH: Final = 1
ADD_OFFSETS_TO_TXN: Final = 25
END_TXN: Final = 26
TXN_OFFSET_COMMIT: Final = 28

When = Literal["before", "after"]

_LOOPBACK: Final = "127.0.0.1"
_ANSWER_LIMIT: Final = 30.0


class Caught:
    """A request that the proxy waits for, and what has become of it.

    Attributes:
        api_key: the kind of request.
        cut: the connection is ended "before" the broker gets the request, or "after" its answer and before the
            client gets that; none holds the request until it is released.
        seen: the proxy has got it.
        answered: the broker has answered it.
        error: the error code of that answer; of offsets that are committed that of the first partition.
    """

    def __init__(self, api_key: int, cut: When | None, loop: AbstractEventLoop) -> None:
        self.api_key = api_key
        self.cut = cut
        self.seen = threading.Event()
        self.answered = threading.Event()
        self.error: int | None = None
        self._loop = loop
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let it go on to the broker, whatever has become of the client."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def wait(self) -> None:
        """Wait until it is released."""
        await self._released.wait()

    def answer(self, frame: bytes) -> None:
        """Note the broker's answer."""
        self.error = _error(self.api_key, frame)
        self.answered.set()


class Withheld:
    """Answers that clients don't get, while those to their other requests go by.

    Attributes:
        api_key: the kind of request.
        began: one of them has been kept.
    """

    def __init__(self, api_key: int, loop: AbstractEventLoop) -> None:
        self.api_key = api_key
        self.began = threading.Event()
        self._loop = loop
        self._given = False
        self._kept: list[tuple[StreamWriter, bytes]] = []

    def give(self) -> None:
        """Let them have all of them, late as they are, and the next ones at once."""
        self._loop.call_soon_threadsafe(self._give)

    def pass_on(self, to_client: StreamWriter, frame: bytes) -> None:
        """Send an answer, or keep it."""
        if self._given:
            to_client.write(frame)
        else:
            self._kept.append((to_client, frame))
            self.began.set()

    def _give(self) -> None:
        self._given = True
        for to_client, frame in self._kept:
            to_client.write(frame)
        self._kept.clear()


class Proxy:
    """Passes connections on to a broker, and watches the requests that go by.

    Args:
        listen: the proxy's port.
        broker: the broker's.
    """

    def __init__(self, listen: int, broker: int) -> None:
        self._listen = listen
        self._broker = broker
        self._wanted: list[Caught] = []
        self._connections: set[_Connection] = set()
        self._withheld: Withheld | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        starting = asyncio.start_server(self._connected, _LOOPBACK, self._listen)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)

    def hold(self, api_key: int) -> Caught:
        """Hold the next request of a kind, and what follows it on its connection, until it is released."""
        return self._want(Caught(api_key, None, self._loop))

    def cut(self, api_key: int, when: When) -> Caught:
        """End the connection at the next request of a kind."""
        return self._want(Caught(api_key, when, self._loop))

    def withhold(self, api_key: int, *, also_later: bool) -> Withheld:
        """Keep the answers to a kind of request from the connections that there are, and maybe from later ones too."""
        withheld = Withheld(api_key, self._loop)
        self._loop.call_soon_threadsafe(self._withhold, withheld, also_later)
        return withheld

    def close(self) -> None:
        """End everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _want(self, caught: Caught) -> Caught:
        self._loop.call_soon_threadsafe(self._wanted.append, caught)
        return caught

    def _withhold(self, withheld: Withheld, also_later: bool) -> None:
        for connection in self._connections:
            connection.withheld = withheld
        if also_later:
            self._withheld = withheld

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, client: StreamReader, to_client: StreamWriter) -> None:
        with contextlib.closing(to_client):
            try:
                broker, to_broker = await asyncio.open_connection(_LOOPBACK, self._broker)
            except OSError:
                return
            with contextlib.closing(to_broker):
                connection = _Connection(self._wanted, to_client, to_broker)
                connection.withheld = self._withheld
                self._connections.add(connection)
                try:
                    await connection.run(client, broker)
                finally:
                    self._connections.discard(connection)


class _Connection:
    """One client's connection; `_caught` are its requests that matter, by their correlation ids."""

    def __init__(self, wanted: list[Caught], to_client: StreamWriter, to_broker: StreamWriter) -> None:
        self._wanted = wanted
        self._to_client = to_client
        self._to_broker = to_broker
        self._caught: dict[int, Caught] = {}
        self._late: dict[int, Withheld] = {}
        self.withheld: Withheld | None = None

    async def run(self, client: StreamReader, broker: StreamReader) -> None:
        answers = asyncio.ensure_future(self._answers(broker))
        try:
            # A request that is held keeps the broker's side open, also when the client has gone.
            await self._requests(client)
        finally:
            answers.cancel()

    async def _requests(self, client: StreamReader) -> None:
        while (frame := await _frame(client)) is not None:
            api_key, _, correlation = struct.unpack_from(">hhi", frame, 4)
            if self.withheld is not None and self.withheld.api_key == api_key:
                self._late[correlation] = self.withheld
            caught = next((each for each in self._wanted if each.api_key == api_key), None)
            if caught is None:
                self._to_broker.write(frame)
                continue
            self._wanted.remove(caught)
            self._caught[correlation] = caught
            caught.seen.set()
            if caught.cut == "before":
                return
            if caught.cut is None:
                await caught.wait()
            self._to_broker.write(frame)
            await asyncio.to_thread(caught.answered.wait, _ANSWER_LIMIT)
            if caught.cut == "after":
                return

    async def _answers(self, broker: StreamReader) -> None:
        while (frame := await _frame(broker)) is not None:
            (correlation,) = struct.unpack_from(">i", frame, 4)
            caught, late = self._caught.pop(correlation, None), self._late.pop(correlation, None)
            if caught is not None:
                caught.answer(frame[4:])
            if late is not None:
                late.pass_on(self._to_client, frame)
            elif caught is None or caught.cut is None:
                self._to_client.write(frame)
        self._to_client.close()


async def _frame(stream: StreamReader) -> bytes | None:
    """The next request or answer with its length before it; none at the end."""
    try:
        length = await stream.readexactly(4)
        return length + await stream.readexactly(int.from_bytes(length, "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _error(api_key: int, answer: bytes) -> int:
    """The error code of an answer, as librdkafka's versions of the requests have it.

    EndTxn and AddOffsetsToTxn: correlation id, throttle time, error. TxnOffsetCommit (flexible): correlation id,
    tags, throttle time, and for each topic its name and for each partition its number and error.
    """
    place = 8
    if api_key == TXN_OFFSET_COMMIT:
        # Lengths are one more than they say: the name ends before 10 + length, a length of partitions follows.
        place = 10 + answer[10] + 1 + 4
    return int(struct.unpack_from(">h", answer, place)[0])
