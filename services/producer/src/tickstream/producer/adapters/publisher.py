"""Trades to stock_ticks, with an exact account of what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.clock import Clock
from tickstream.core.codec import Format, TickCodec
from tickstream.core.columns import TickColumns
from tickstream.core.errors import FatalError
from tickstream.core.kafka import KafkaError, Message, Producer
from tickstream.core.partition import partition_for

MOST_IN_FLIGHT: Final = 100_000
"""Trades that were sent and have not arrived yet, at the most; half of what the client's queue takes."""

REQUESTS_IN_FLIGHT: Final = 5
"""As many as a producer that is idempotent may have; see `TickPublisher`."""

_TURN: Final = 0.05
_LAST_WAIT: Final = 10.0


class Account:
    """What became of the trades, by partition.

    Args:
        partitions: how many there are.

    Attributes:
        sent: how many were handed to the client.
        acknowledged: how many arrived.
        latest: the last that arrived.
        failed: how many did not arrive, by reason.
    """

    def __init__(self, partitions: int) -> None:
        self.sent = [0] * partitions
        self.acknowledged = [0] * partitions
        self.latest: list[Message | None] = [None] * partitions
        self.failed: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many are on their way."""
        return sum(self.sent) - sum(self.acknowledged) - self.failed.total()

    @property
    def offsets(self) -> list[int]:
        """The offset behind the last that arrived, in each partition."""
        return [0 if message is None else (message.offset() or 0) + 1 for message in self.latest]


class TickPublisher:
    """Sends trades by the batch, each to its symbol's partition.

    The first trade to a partition goes alone, and more follow once it has arrived. A broker takes any batch of a
    producer that it doesn't know, whatever its number: if it had refused the first one and taken the second,
    librdkafka would count both as arrived (issue 921 of confluent-kafka-go).

    Args:
        producer: an idempotent one; others may send through it too.
        topic: the full name.
        partitions: how many the topic has.
        codec: makes the values.
        format: Avro or JSON.
        clock: says when a trade was sent.
    """

    def __init__(
        self,
        producer: Producer,
        topic: str,
        partitions: int,
        codec: TickCodec,
        format: Format,  # noqa: A002 - the setting's name
        clock: Clock,
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._codec = codec
        self._format: Format = format
        self._clock = clock
        self._keys: list[bytes] = []
        self._partitions: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.account = Account(partitions)
        self._heard = _listener(self.account)

    def partitions_of(self, columns: TickColumns) -> NDArray[np.int64]:
        """The partition of each trade."""
        self._learn(columns.symbol.values)
        return self._partitions[columns.symbol.codes]

    def publish(self, columns: TickColumns, given_up: Callable[[], bool]) -> bool:
        """Send some trades, waiting while too many are on their way; says whether all were sent.

        Args:
            columns: the trades, at most a few thousand.
            given_up: asked while waiting; true ends it.

        Raises:
            FatalError: the client takes no more, or a trade did not arrive.
        """
        partitions = self.partitions_of(columns)
        first = self._first(partitions)
        if len(first):
            self._send(columns.take(first), partitions[first])
            if not self._wait(lambda: not self._has_opened(partitions[first]), given_up):
                return False
            rest = np.setdiff1d(np.arange(len(columns)), first)
            columns, partitions = columns.take(rest), partitions[rest]
        if not self._wait(lambda: self.account.waiting + len(columns) > MOST_IN_FLIGHT, given_up):
            return False
        self.check()
        self._send(columns, partitions)
        self._producer.poll(0)
        return True

    def _first(self, partitions: NDArray[np.int64]) -> NDArray[np.intp]:
        """The rows that are the first to their partition."""
        found, rows = np.unique(partitions, return_index=True)
        return rows[[self.account.sent[partition] == 0 for partition in found.tolist()]]

    def _has_opened(self, partitions: NDArray[np.int64]) -> bool:
        """Whether something has arrived in each of these."""
        return all(self.account.acknowledged[partition] for partition in partitions.tolist())

    def _wait(self, more: Callable[[], bool], given_up: Callable[[], bool]) -> bool:
        """Hear what has arrived while there is more to wait for; says whether it was waited for to the end."""
        while more():
            self._producer.poll(_TURN)
            self.check()
            if given_up():
                return False
        return True

    def _send(self, columns: TickColumns, partitions: NDArray[np.int64]) -> None:
        stamped = replace(columns, ts_ingest=np.full(len(columns), self._clock.now_ns(), dtype=np.int64))
        values = self._codec.encode_columns(stamped, self._format)
        keys = self._keys
        messages: list[dict[str, Any]] = [
            {"value": value, "key": keys[symbol], "partition": partition}
            for value, symbol, partition in zip(values, columns.symbol.codes.tolist(), partitions.tolist(), strict=True)
        ]
        queued = self._producer.produce_batch(self._topic, messages, on_delivery=self._heard)
        if queued != len(messages):
            raise FatalError(f"the Kafka client took {queued} of {len(messages)} records")
        for partition, count in enumerate(np.bincount(partitions).tolist()):
            self.account.sent[partition] += count

    def serve(self) -> None:
        """Hear what has arrived.

        Raises:
            FatalError: a trade did not arrive.
        """
        self._producer.poll(0)
        self.check()

    def flush(self, limit: float, ending: Callable[[], bool]) -> None:
        """Wait until everything sent has arrived or failed; what is still on its way then has failed.

        Args:
            limit: seconds to wait, at the most.
            ending: asked while waiting; once it is true a few seconds are left.
        """
        now = self._clock.monotonic()
        until = now + limit
        while self.account.waiting and now < until:
            self._producer.flush(_TURN)
            now = self._clock.monotonic()
            if ending():
                until = min(until, now + _LAST_WAIT)
                ending = _no
        self.account.failed["not acknowledged in time"] += self.account.waiting

    def check(self) -> None:
        """See that no trade was lost.

        Raises:
            FatalError: says how many, and why.
        """
        failed = +self.account.failed
        if failed:
            reasons = ", ".join(f"{count} x {reason}" for reason, count in failed.items())
            raise FatalError(f"trades did not arrive: {reasons}")

    def _learn(self, symbols: Any) -> None:
        known = len(self._keys)
        if known == len(symbols):
            return
        count = len(self.account.sent)
        fresh = list(symbols[known:])
        self._keys += [symbol.encode() for symbol in fresh]
        self._partitions = np.append(self._partitions, [partition_for(symbol, count) for symbol in fresh])


def _no() -> bool:
    return False


def _listener(account: Account) -> Callable[[KafkaError | None, Message], None]:
    """Hears of each trade what became of it; called for every one, so it does as little as it can."""
    acknowledged, latest, failed = account.acknowledged, account.latest, account.failed

    def on_delivery(error: KafkaError | None, message: Message) -> None:
        if error is None:
            partition = message.partition() or 0
            acknowledged[partition] += 1
            latest[partition] = message
        else:
            failed[error.name()] += 1

    return on_delivery
