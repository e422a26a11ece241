"""Transitions from the database to the `alerts` topic.

1. read the transitions that aren't marked as published, oldest first,
2. publish them and wait until they have arrived,
3. mark them.

A crash between 2 and 3 publishes the same records again, identical to the last byte:
`(alert_id, revision)` tells a reader that it has seen one before.
"""

from __future__ import annotations

from typing import Final

from tickstream.alerting.adapters.store import Store
from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka, Publisher
from tickstream.core.model import AlertEvent
from tickstream.core.topics import ALERTS

_AT_ONCE: Final = 1000
_ARRIVAL_LIMIT: Final = 15.0


class Outbox:
    """Publishes what the database says is still to be published."""

    def __init__(self, store: Store, kafka: Kafka, publisher: Publisher, codecs: Codecs) -> None:
        self._store = store
        self._topic = kafka.topic(ALERTS.name)
        self._publisher = publisher
        self._codec = codecs.of(AlertEvent)

    def drain(self) -> int:
        """Publish everything that waits, and give its number.

        Raises:
            RetryableError: PostgreSQL or Kafka doesn't answer; what wasn't marked stays for the next time.
        """
        published = 0
        while True:
            with self._store.unpublished(_AT_ONCE) as waiting:
                for each in waiting:
                    value = self._codec.encode(each.event)
                    self._publisher.publish(self._topic, each.event.symbol.encode(), value)
                if waiting:
                    self._publisher.flush(_ARRIVAL_LIMIT)
            published += len(waiting)
            if len(waiting) < _AT_ONCE:
                return published
