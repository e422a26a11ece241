"""One active instance, the others standing by.

What needs every partition is read by one instance. Which one is settled by a consumer group on a
topic of one partition: whoever holds it is active.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Self

from tickstream.core.kafka import Consumer, Kafka, TopicPartition
from tickstream.core.logging import logger
from tickstream.core.service import Stop
from tickstream.core.topics import SYSTEM_METRICS

_LOG = logger(__name__)
_POLL: Final = 0.2


class Lease:
    """Held by the active instance.

    Args:
        kafka: the cluster.
        group: of those who stand by for the same work.
        stop: set when the lease is lost.
    """

    def __init__(self, kafka: Kafka, group: str, stop: Stop) -> None:
        self._consumer: Consumer = kafka.consumer(group)
        self._topic = kafka.topic(SYSTEM_METRICS.name)
        self._stop = stop
        self._held = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="lease", daemon=True)
        self.lost = False

    def wait(self, stop: Stop, meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Stand by until the lease is ours; says whether it is, or the service is to end.

        Args:
            stop: says when to end.
            meanwhile: is called again and again while standing by.
        """
        while not stop:
            if self._held.wait(_POLL):
                return True
            meanwhile()
        return False

    def _poll(self) -> None:
        try:
            self._consumer.subscribe(
                [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
            )
            while not self._ended.is_set():
                self._consumer.poll(_POLL)
        except Exception:  # noqa: BLE001 - logged with its trace; a thread's own death would go unseen
            _LOG.exception("lease_failed")
            self._lose()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        if partitions:
            consumer.pause(partitions)
            _LOG.info("active")
            self._held.set()

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        if partitions and not self._ended.is_set():
            _LOG.error("lease_lost")
            self._lose()

    def _lose(self) -> None:
        self.lost = True
        self._stop.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._consumer.close()
