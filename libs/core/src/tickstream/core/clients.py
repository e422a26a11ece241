"""Kafka's clients, which find back to a cluster that said for a moment that it has no brokers.

A broker that shuts down may answer so, and librdkafka then forgets all brokers that it knows, those of its settings
too, and may stay without any for good (its issue 5301). So each client looks now and then, in the thread that uses it,
whether it knows a controller of the cluster; while it doesn't, it is told once more where it finds its brokers.
Python's client has no call for that: librdkafka's own is made.

A topic that is new has no leader for a moment, or one that doesn't know of it yet. That isn't a cluster that doesn't
answer, so who asks for the ends of its logs waits for it.
"""

# ruff: noqa: TID251 - beside `kafka`, this module is where the Kafka clients are let in

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition, cimpl

_LOOK_EVERY: Final = 2.0
_TURNS: Final = 100
_TURN: Final = 0.1
_UNSETTLED: Final = frozenset((
    KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's own names for them
))  # fmt: skip
"""What is said of a partition that has no leader yet, or that its leader doesn't know yet."""
_T = TypeVar("_T")
_LIBRARY: Final = ctypes.CDLL(cimpl.__file__)
_LIBRARY.rd_kafka_brokers_add.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_LIBRARY.rd_kafka_controllerid.argtypes = (ctypes.c_void_p, ctypes.c_int)
_LIBRARY.rd_kafka_controllerid.restype = ctypes.c_int32


def once_settled(ask: Callable[[], _T], pause: Callable[[float], None] = time.sleep) -> _T:
    """What is asked of a partition, as soon as it has a leader.

    Raises:
        KafkaException: it has none for ten seconds, or something else is the matter.
    """
    for _ in range(_TURNS):
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _UNSETTLED:
                raise
        pause(_TURN)
    return ask()


class _Homing:
    """Knows where a client finds its brokers.

    Attributes:
        home: the servers that it is told when it has lost them all.
    """

    home: str
    _look_at: float

    def _settle(self, servers: object) -> None:
        self.home = str(servers)
        self._look_at = time.monotonic() + _LOOK_EVERY

    def _look_home(self) -> None:
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        # The C object of a client begins with librdkafka's handle; there is none any more once it is closed.
        handle = ctypes.c_void_p.from_address(id(self) + object.__basicsize__).value
        if handle is not None and _LIBRARY.rd_kafka_controllerid(handle, 0) < 0:
            _LIBRARY.rd_kafka_brokers_add(handle, self.home.encode())


class HomingConsumer(_Homing, Consumer):
    """A consumer; looks home whenever it is read from, or asked in vain."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(dict(config))
        self._settle(config["bootstrap.servers"])

    def poll(self, timeout: float = -1) -> Message | None:
        """As the library's."""
        self._look_home()
        return super().poll(timeout)

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """As the library's."""
        self._look_home()
        return super().consume(num_messages, timeout)

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        """As the library's."""
        try:
            return super().list_topics(topic, timeout=timeout)
        except KafkaException:
            self._look_home()
            raise

    def get_watermark_offsets(
        self,
        partition: TopicPartition,
        timeout: float = -1,
        cached: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> tuple[int, int]:
        """As the library's, once the partition is settled."""
        ask = super().get_watermark_offsets
        if cached:
            return ask(partition, timeout=timeout, cached=True)
        try:
            return once_settled(lambda: ask(partition, timeout=timeout))
        except KafkaException:
            self._look_home()
            raise


class HomingProducer(_Homing, Producer):
    """A producer; looks home whenever it is served."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(dict(config))
        self._settle(config["bootstrap.servers"])

    def poll(self, timeout: float = -1) -> int:
        """As the library's."""
        self._look_home()
        return super().poll(timeout)

    def flush(self, timeout: float = -1) -> int:
        """As the library's."""
        left = timeout if timeout >= 0 else math.inf
        while True:
            self._look_home()
            waiting = super().flush(min(left, _LOOK_EVERY))
            left -= _LOOK_EVERY
            if not waiting or left <= 0:
                return waiting
