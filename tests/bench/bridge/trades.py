"""Trades on a topic at an even rate."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Literal

import numpy as np

from tickstream.core.codec import Codecs
from tickstream.core.columns import Strings, TickColumns, nulls
from tickstream.core.kafka import Kafka
from tickstream.core.model import Tick

_STEP: Final = 0.01


class Trades:
    """Publishes trades of all symbols, one after the other, from a thread; uncompressed, as KafkaJS has no lz4.

    Args:
        kafka: where to.
        symbols: how many.
        rate: trades a second; may be changed.
        encoding: of the values.
    """

    def __init__(self, kafka: Kafka, symbols: int, rate: float, encoding: Literal["avro", "json"] = "avro") -> None:
        self.rate = rate
        self._producer = kafka.producer("bench", max_in_flight=5, linger_ms=2, compression_type="none")
        self._topic = kafka.topic("stock_ticks")
        self._codec = Codecs().of(Tick)
        self._encoding = encoding
        self._stop = threading.Event()
        self._names = [f"S{number:03}" for number in range(symbols)]
        self._keys = [name.encode() for name in self._names]
        self._sent = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._send(len(self._names))
        self._producer.flush(30)
        self._thread.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush(30)

    def _run(self) -> None:
        at = time.monotonic()
        due = 0.0
        while not self._stop.is_set():
            due += self.rate * _STEP
            self._send(int(due))
            due -= int(due)
            at += _STEP
            time.sleep(max(0.0, at - time.monotonic()))

    def _send(self, count: int) -> None:
        if not count:
            return
        symbols = len(self._names)
        numbers = np.arange(self._sent, self._sent + count)
        self._sent += count
        codes = (numbers % symbols).astype(np.int32)
        now = np.full(count, time.time_ns())
        columns = TickColumns(
            symbol=Strings(codes, self._names),
            price=100 + numbers % 997 / 100,
            volume=np.full(count, 100.0),
            ts_event=now,
            ts_ingest=now,
            seq=numbers // symbols + 1,
            source=Strings(np.zeros(count, dtype=np.int32), ["bench"]),
            venue=nulls(count),
            conditions=nulls(count),
            flags=np.zeros(count, dtype=np.int64),
        )
        values = self._codec.encode_columns(columns, format=self._encoding)
        for code, value in zip(codes.tolist(), values, strict=True):
            self._producer.produce(self._topic, value, self._keys[code])
        self._producer.poll(0)
