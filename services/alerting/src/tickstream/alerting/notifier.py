"""Tells people of alerts: on one instance at a time, beside the loops over trades and bars.

Order of effects of a turn:

1. transitions that nobody has decided about are read, with silences and acknowledgements,
2. the router decides in memory,
3. decisions, notifications, what the router remembers, and that the transitions are decided about
   are saved in one PostgreSQL transaction,
4. notifications are sent from there.

After a failure of 3 everything is loaded again before the next try. When the configuration's file
has changed, attempts that are under way are waited for, and it begins again with the new one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tickstream.alerting.adapters.deliveries import Deliveries
from tickstream.alerting.adapters.receivers import receivers_of
from tickstream.alerting.adapters.routing_store import RoutingStore
from tickstream.alerting.adapters.store import OvertakenError, Store
from tickstream.alerting.beside import beside
from tickstream.alerting.dispatcher import Dispatcher
from tickstream.alerting.domain.routing.plan import Plan
from tickstream.alerting.domain.routing.router import Changes, Router
from tickstream.alerting.figures import Figures
from tickstream.alerting.routing_spec import RoutingSpec
from tickstream.alerting.watched_file import WatchedFile
from tickstream.core.clock import Clock
from tickstream.core.errors import FatalError, RetryableError
from tickstream.core.kafka import Kafka
from tickstream.core.lease import Lease
from tickstream.core.logging import logger
from tickstream.core.service import Stop

_LOG = logger(__name__)
_LEASE: Final = "alerting-notify-lease"
_PERIOD: Final = 0.25
_COUNTED_EVERY: Final = 5.0


class Routing:
    """The router, with what it remembers in the database.

    Args:
        plan: what was configured.
        store: the database.
        clock: the time that groups and silences go by.
        figures: what is counted.
    """

    def __init__(self, plan: Plan, store: RoutingStore, clock: Clock, figures: Figures) -> None:
        self._plan = plan
        self._store = store
        self._clock = clock
        self._figures = figures
        self._router: Router | None = None
        self._now = 0

    def catch_up(self) -> None:
        """Decide about everything that has come, and is due.

        Raises:
            RetryableError: PostgreSQL doesn't answer, or another instance was faster.
        """
        while self._turn():
            pass

    def _turn(self) -> bool:
        """Decide about what has come, and what is due; says whether more has come already."""
        self._now = max(self._now, self._clock.now_ns())
        router = self._router or self._load()
        self._router = None
        try:
            with self._store.turn(router.state, self._now) as turn:
                router.decide(self._now, turn.unrouted, turn.around)
                changes = router.take_changes()
                if turn.unrouted or changes != Changes():
                    turn.changes = changes
        except OvertakenError as error:
            raise RetryableError(str(error)) from error
        self._router = router
        for decision in changes.decisions:
            self._figures.decisions.labels(decision.outcome).inc()
        return turn.more

    def _load(self) -> Router:
        router = Router(self._plan, self._store.load())
        router.adopt(self._now)
        _LOG.info("routing_loaded", alerts=len(router.state.alerts), groups=len(router.state.groups))
        return router


class Notifier:
    """Stands by until no other instance is active, then works.

    Args:
        file: what is configured.
        kafka, store, clock, figures: what it works with.
        wait: repeats a call until it raises no RetryableError, or the service is to end.
    """

    def __init__(
        self,
        file: WatchedFile[RoutingSpec],
        kafka: Kafka,
        store: Store,
        wait: Callable[[Callable[[], None]], None],
        clock: Clock,
        figures: Figures,
    ) -> None:
        self._kafka = kafka
        self._wait = wait
        self._clock = clock
        self._figures = figures
        self._file = file
        self._store = store
        self._deliveries = Deliveries(store)
        self._count_at = 0.0

    def running(self, stop: Stop) -> AbstractContextManager[None]:
        """See `beside`."""
        return beside("notifier", self._hold, stop)

    def _hold(self, stop: Stop) -> None:
        with Lease(self._kafka, _LEASE, stop) as lease:
            # A stand-by reads its file as well: what is wrong with it is to be seen before it has to take over.
            if lease.wait(stop, self._file.look):
                self._work(stop)
            if lease.lost:
                raise FatalError("it isn't the active instance for notifications any more")

    def _work(self, stop: Stop) -> None:
        self._file.look()
        while not stop:
            self._tell(self._file.content, stop)

    def _tell(self, spec: RoutingSpec, stop: Stop) -> None:
        """Tell people as one configuration has it, until there is another."""
        receivers = receivers_of(spec)
        routing = Routing(spec.plan(), RoutingStore(self._store), self._clock, self._figures)
        self._wait(lambda: self._deliveries.take_over(self._clock.now_ns(), list(receivers)))
        with Dispatcher(receivers, self._deliveries, self._clock, self._wait, self._figures) as dispatcher:
            while not (stop or self._file.look()):
                self._wait(routing.catch_up)
                self._wait(dispatcher.turn)
                self._wait(self._count)
                stop.wait(_PERIOD)

    def _count(self) -> None:
        now = self._clock.monotonic()
        if now >= self._count_at:
            self._figures.waiting.set(self._deliveries.waiting())
            self._count_at = now + _COUNTED_EVERY
