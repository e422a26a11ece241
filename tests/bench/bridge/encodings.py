"""What a record costs in JSON, in MessagePack and compressed: bytes on the wire, and CPU time of the bridge.

A frame has as many records as a client with 20 symbols gets in 50 ms of 10,000 trades a second of 200 symbols.
`first` is the encoding of the record, once for all clients; `each` is its share of the frame of each client.

Usage: python -m tests.bench.bridge.encodings
"""

from __future__ import annotations

import random
import sys
import time
import zlib
from collections.abc import Callable
from typing import Final

from tickstream.core.model import Tick
from tickstream.ws_bridge.adapters.dialects import JSON, MESSAGE_PACK, Dialect
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.entry import Entry, entry_of

RECORDS: Final = 50
TIMES: Final = 2_000
NOW: Final = 1_381_239_000_123_456_789
TOKEN: Final = b'"%b"' % (b"c2lnbmVkLXRva2Vu" * 8)


TICK: Final = Tick("S000", 100.01, 100.0, NOW, NOW, 7_000, "replay", "Q", None, "@", 0)


def entries() -> list[Entry]:
    """Trades as they come."""
    made = []
    dice = random.Random(7)  # noqa: S311 - not a secret
    for number in range(RECORDS):
        event, ingest = NOW + number * 1_000_000, NOW + number * 1_000_000 + dice.randrange(9_000_000)
        price, volume, seq = round(dice.uniform(20, 400), 2), float(dice.randrange(1, 2_000)), dice.randrange(100_000)
        tick = Tick(
            f"S{number % 20:03}", price, volume, event, ingest, seq, "replay", dice.choice("QNTPZ"), None, "@", 0
        )
        made.append(entry_of(tick, body_of(tick), 0, number))
    return made


def nanoseconds(work: Callable[[], object], times: int) -> float:
    """CPU time of one call; the least of five rounds."""
    rounds = []
    for _ in range(5):
        began = time.process_time_ns()
        for _ in range(times):
            work()
        rounds.append((time.process_time_ns() - began) / times)
    return min(rounds)


def row(name: str, dialect: Dialect, level: int) -> str:
    """One row of the table."""
    waiting = entries()

    def frame() -> bytes:
        packet = dialect.frame("ticks", waiting, TOKEN, 0)
        if level:
            deflate = zlib.compressobj(level, wbits=-15)
            packet = deflate.compress(packet) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return packet

    def again() -> bytes:
        return dialect.frame("ticks", waiting, TOKEN, 0)

    def first() -> None:
        for entry in waiting:
            entry.packed = None
        again()

    size = len(frame()) / RECORDS
    each = nanoseconds(frame, TIMES) / RECORDS
    if dialect is MESSAGE_PACK:
        more = (nanoseconds(first, TIMES // 10) - nanoseconds(again, TIMES)) / RECORDS
    else:
        more = nanoseconds(lambda: body_of(TICK), TIMES * 10)
    return f"| {name} | {size:.0f} | {more:,.0f} | {each:,.0f} |"


def main() -> None:
    """Print the table."""
    lines = ["| encoding | bytes a record | first, ns | each, ns |", "|---|---|---|---|"]
    for name, dialect in (("JSON", JSON), ("MessagePack", MESSAGE_PACK)):
        lines.append(row(name, dialect, 0))
        lines += [row(f"{name}, deflate {level}", dialect, level) for level in (1, 6)]
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
