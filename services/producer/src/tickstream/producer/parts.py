"""The parts of a running producer."""

from __future__ import annotations

from dataclasses import dataclass

from tickstream.core.clock import Clock
from tickstream.core.kafka import Kafka
from tickstream.core.service import Stop
from tickstream.core.sessions import Sessions
from tickstream.producer.adapters.announcer import Announcer
from tickstream.producer.adapters.publisher import TickPublisher
from tickstream.producer.domain.selection import Share
from tickstream.producer.feed import Feed
from tickstream.producer.outside import Outside
from tickstream.producer.settings import ProducerSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """What every kind of run works with."""

    settings: ProducerSettings
    stop: Stop
    clock: Clock
    kafka: Kafka
    sessions: Sessions
    share: Share
    publisher: TickPublisher
    announcer: Announcer
    outside: Outside

    def feed(self) -> Feed:
        """A feed for one run."""
        return Feed(
            self.publisher, self.announcer, self.sessions, self.clock, self.outside, self.settings.delivery_timeout
        )
