"""Consumers that write down every poll while something else is going on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from tests.support.histories import Poll, Read
from tests.support.topics import kafka_of
from tickstream.core.kafka import Consumer, Message, TopicPartition

Content = Callable[[str, Message], bytes | None]
"""What counts of a topic's record; none where it doesn't count."""


class Reader:
    """A member of a group that reads topics' committed records from their beginnings, until it is closed.

    Nothing is committed to the group: after a rebalance the partitions are read from their beginnings again, as
    another reader of the history.

    Args:
        env: names the cluster.
        name: of this reader.
        group: shared by those that share out the partitions.
        topics: by their declared names.
        content: as above.
    """

    def __init__(self, env: Mapping[str, str], name: str, group: str, topics: Sequence[str], content: Content) -> None:
        self._kafka = kafka_of(env)
        self._name = name
        self._content = content
        self._assignments = 0
        self.polls: list[Poll] = []
        self._closed = threading.Event()
        self._consumer: Consumer = self._kafka.consumer(group, partition_assignment_strategy="range")
        self._consumer.subscribe([self._kafka.topic(topic) for topic in topics], on_assign=self._on_assign)
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def close(self) -> None:
        """Leave the group."""
        self._closed.set()
        self._thread.join()

    def _on_assign(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._assignments += 1

    def _run(self) -> None:
        while not self._closed.is_set():
            before = self._assignments
            messages = self._consumer.consume(2000, 0.1)
            if self._assignments != before:
                continue  # nobody knows which of them came before the rebalance
            reads = tuple(read for message in messages if message.error() is None for read in self._read(message))
            if reads:
                self.polls.append(Poll(f"{self._name}, assignment {self._assignments}", reads))
        self._consumer.close()

    def _read(self, message: Message) -> list[Read]:
        topic = self._kafka.declared(message.topic() or "")
        value = self._content(topic, message)
        return [] if value is None else [Read(f"{topic}-{message.partition()}", message.offset() or 0, value)]
