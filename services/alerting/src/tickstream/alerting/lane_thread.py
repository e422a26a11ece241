"""The loop over bars: on one instance at a time, beside the loop over trades."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tickstream.alerting.adapters.lane_store import LaneStore
from tickstream.alerting.adapters.outbox import Outbox
from tickstream.alerting.adapters.store import Store
from tickstream.alerting.beside import beside
from tickstream.alerting.figures import Figures
from tickstream.alerting.in_force import RulesInForce
from tickstream.alerting.lane_handler import LaneHandler
from tickstream.alerting.settings import AlertingSettings
from tickstream.core.brake import Brake
from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError
from tickstream.core.kafka import Kafka, Publisher, log_end_of
from tickstream.core.lease import Lease
from tickstream.core.runner import Patience, Runner
from tickstream.core.service import Stop

BATCH: Final = 20_000
PATIENCE: Final = Patience(first=0.1, more=0.02)
_GROUP: Final = "alerting-bars"
_LEASE: Final = "alerting-lease"


class LaneThread:
    """Stands by until no other instance is active, then works.

    Args:
        settings: the service's.
        kafka, codecs, store, clock, figures: what it works with.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
    """

    def __init__(
        self,
        settings: AlertingSettings,
        kafka: Kafka,
        codecs: Codecs,
        store: Store,
        wait: Callable[[Callable[[], None]], None],
        clock: Clock,
        figures: Figures,
    ) -> None:
        self._settings = settings
        self._kafka = kafka
        self._codecs = codecs
        self._store = store
        self._wait = wait
        self._clock = clock
        self._figures = figures
        self._parts: tuple[Runner | LaneHandler, ...] = ()

    @property
    def waiting_for(self) -> str:
        """Why it can't do its work now; standing by is its work, too."""
        return next((part.waiting_for for part in self._parts if part.waiting_for), "")

    def running(self, stop: Stop) -> AbstractContextManager[None]:
        """See `beside`."""
        return beside("lane", self._hold, stop)

    def _hold(self, stop: Stop) -> None:
        with Lease(self._kafka, _LEASE, stop) as lease:
            if lease.wait(stop):
                self._work(stop)
            if lease.lost:
                raise FatalError("it isn't the active instance for bars any more")

    def _work(self, stop: Stop) -> None:
        consumer = self._kafka.consumer(_GROUP)
        handler = LaneHandler(
            store=LaneStore(self._store),
            outbox=Outbox(self._store, self._kafka, Publisher(self._kafka.producer(_GROUP)), self._codecs),
            kafka=self._kafka,
            codecs=self._codecs,
            rules=RulesInForce(self._store, self._clock, self._figures),
            calendar=self._settings.calendar,
            log_end=log_end_of(consumer),
            wait=self._wait,
            figures=self._figures,
        )
        runner = Runner(
            consumer,
            handler.topics,
            handler,
            stop,
            self._clock,
            max_batch=BATCH,
            until_caught_up=self._settings.until_caught_up,
            patience=PATIENCE,
        )
        handler.at_end = lambda: runner.at_end
        handler.pause = Brake(consumer)
        self._parts = (runner, handler)
        runner.run()
        if not stop:
            self._wait(handler.finish)
