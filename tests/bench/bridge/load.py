"""What load.c does, for machines without a C compiler: only the commands that count, and at a higher cost.

It reads frames without decoding their JSON, and takes the age of the newest record for that of the whole frame.

Usage: python -m tests.bench.bridge.load PORT CLIENTS MODE SYMBOLS SYMBOLS_EACH
Prints {"ready": ...} once every client has its acknowledgement, and for each line `sample` what came since the last.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import uvloop

_STAMP: Final = b'"ts_ingest_ms":'
_LONG: Final = 126
_LONGER: Final = 127


@dataclass
class Measured:
    """What all clients together have seen since the last sample."""

    records: int = 0
    frames: int = 0
    bytes: int = 0
    ages: Counter[int] = field(default_factory=Counter)


class Client(asyncio.Protocol):
    """One websocket client.

    Args:
        mode: of its subscription.
        symbols: those it subscribes to.
        measured: where it counts.
    """

    def __init__(self, mode: str, symbols: list[str], measured: list[Measured]) -> None:
        self._mode = mode
        self._symbols = symbols
        self._measured = measured
        self._received = bytearray()
        self._upgraded = False
        self.subscribed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._write_raw(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(head[:200]).decode(errors="replace"))
            self._upgraded = True
            self._received = rest
        while self._take_frame():
            pass

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectionError("the server has gone"))

    def _take_frame(self) -> bool:
        received = self._received
        if len(received) < 2:
            return False
        length, start = received[1], 2
        if length == _LONG:
            length, start = int.from_bytes(received[2:4], "big"), 4
        elif length == _LONGER:
            length, start = int.from_bytes(received[2:10], "big"), 10
        if len(received) < start + length:
            return False
        payload = bytes(received[start : start + length])
        del received[: start + length]
        self._heard(payload)
        return True

    def _heard(self, payload: bytes) -> None:
        if payload.startswith(b'42["ticks"'):
            self._count(payload)
        elif payload == b"2":
            self._send(b"3")
        elif payload.startswith(b"0"):
            self._send(b"40")
        elif payload.startswith(b"40"):
            request = {"channel": "ticks", "symbols": self._symbols, "mode": self._mode}
            self._send(b"420" + json.dumps(["subscribe", request]).encode())
        elif payload.startswith(b"430") and not self.subscribed.done():
            self.subscribed.set_result(payload)

    def _count(self, payload: bytes) -> None:
        measured = self._measured[-1]
        records = payload.count(_STAMP)
        measured.records += records
        measured.frames += 1
        measured.bytes += len(payload)
        at = payload.rfind(_STAMP) + len(_STAMP)
        measured.ages[max(0, int(time.time() * 1000) - int(payload[at : payload.index(b",", at)]))] += records

    def _send(self, payload: bytes) -> None:
        length = len(payload)
        size = bytes((0x80 | length,)) if length < _LONG else bytes((0x80 | _LONG,)) + length.to_bytes(2, "big")
        self._write_raw(b"\x81" + size + b"\0\0\0\0" + payload)

    def _write_raw(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined] # a transport of TCP


async def _measure(port: int, clients: int, mode: str, symbols: int, each: int) -> None:
    loop = asyncio.get_running_loop()
    dice = random.Random(7)  # noqa: S311 - not a secret
    names = [f"S{number:03}" for number in range(symbols)]
    measured = [Measured()]
    began = time.monotonic()
    made = []
    for _ in range(clients):
        _transport, client = await loop.create_connection(
            lambda: Client(mode, dice.sample(names, each), measured), "127.0.0.1", port
        )
        made.append(client)
    await asyncio.wait_for(asyncio.gather(*(client.subscribed for client in made)), 120)
    took = time.monotonic() - began
    _say({"ready": clients, "recovered": 0, "median_seconds": took, "slowest_seconds": took})
    began, cpu = time.monotonic(), _cpu()
    while (await asyncio.to_thread(sys.stdin.readline)).strip() == "sample":
        now, used, seen = time.monotonic(), _cpu(), measured[-1]
        measured[-1] = Measured()
        _say({"seconds": now - began, "cpu_seconds": used - cpu, "connected": clients, **vars(seen)})
        began, cpu = now, used


def _say(fields: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    uvloop.run(_measure(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
