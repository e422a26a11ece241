"""The alerting service: rules over trades and bars."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from prometheus_client import CollectorRegistry

from tickstream.alerting.adapters.api import make_app
from tickstream.alerting.adapters.outbox import Outbox
from tickstream.alerting.adapters.routing_file import read_routing
from tickstream.alerting.adapters.routing_store import RoutingStore
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.adapters.schema import migrate
from tickstream.alerting.adapters.store import Store
from tickstream.alerting.figures import Figures
from tickstream.alerting.handler import AlertingHandler
from tickstream.alerting.in_force import RulesInForce
from tickstream.alerting.lane_thread import BATCH, PATIENCE, LaneThread, log_end_of
from tickstream.alerting.notifier import Notifier
from tickstream.alerting.settings import AlertingSettings
from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.health import HealthServer
from tickstream.core.kafka import Kafka, Publisher, retry_forever
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.reporting import Reporter
from tickstream.core.runner import Runner
from tickstream.core.service import Stop, run_service

_LOG = logger(__name__)
_NAME = "alerting"
_PORT = 8094


class Waiting:
    """Why the service can't do its work now."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._reasons: dict[str, str] = {"start": "starting"}
        self._parts: tuple[Runner | AlertingHandler | LaneThread, ...] = ()

    def until_done(self, call: Callable[[], None], part: str = "waiting") -> None:
        """Repeat `call`, of a part of the service, until it succeeds, or the service is to end."""

        def say(reason: str) -> None:
            if self._reasons.get(part) != reason:
                _LOG.warning("waiting", reason=reason)
            self._reasons[part] = reason

        retry_forever(call, self._stop, say)
        self._reasons.pop(part, None)

    def started(self, *parts: Runner | AlertingHandler | LaneThread) -> None:
        """From now on these say what they wait for."""
        self._parts = parts
        self._reasons.pop("start", None)

    def reasons(self) -> dict[str, str]:
        """What `/readyz` shows; empty when all is well."""
        waiting = next((part.waiting_for for part in self._parts if part.waiting_for), "")
        return self._reasons | ({"waiting": waiting} if waiting else {})


def run(settings: AlertingSettings, stop: Stop) -> None:
    """Run until told to stop, or until caught up."""
    clock, registry = SystemClock(), new_registry()
    waiting = Waiting(stop)
    database_url = settings.database_url.get_secret_value()
    if settings.migrate_only:
        waiting.until_done(lambda: migrate(database_url))
        return
    app = make_app(database_url, settings.api_key.get_secret_value() if settings.api_key else None)
    with HealthServer(settings.http_host, settings.http_port, _PORT, waiting.reasons, registry, app) as server:
        _LOG.info("listening", host=settings.http_host, port=server.port)
        store = Store(database_url)
        store.open()
        try:
            _prepare(settings, store, waiting)
            if not stop:
                _watch(settings, store, stop, waiting, clock, registry)
        finally:
            store.close()


def _prepare(settings: AlertingSettings, store: Store, waiting: Waiting) -> None:
    waiting.until_done(lambda: migrate(settings.database_url.get_secret_value()))
    rules_file = settings.rules_file
    if rules_file is not None:
        specs = read_rules(rules_file)
        waiting.until_done(lambda: store.upsert_rules(specs))
    if settings.notify_file is not None:
        # Before any rule is looked at: of the first alerts people are told already.
        waiting.until_done(RoutingStore(store).begin)
    waiting.until_done(Kafka(settings).ensure_topics)


def _watch(
    settings: AlertingSettings,
    store: Store,
    stop: Stop,
    waiting: Waiting,
    clock: Clock,
    registry: CollectorRegistry,
) -> None:
    """Watch trades on this thread, and bars on another one when no other instance does."""
    kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
    figures = Figures(registry)
    lane = LaneThread(settings, kafka, codecs, store, waiting.until_done, clock, figures)
    consumer = kafka.consumer(_NAME)
    handler = AlertingHandler(
        store=store,
        outbox=Outbox(store, kafka, Publisher(kafka.producer(_NAME)), codecs),
        kafka=kafka,
        codecs=codecs,
        rules=RulesInForce(store, clock, figures),
        log_end=log_end_of(consumer),
        wait=waiting.until_done,
        figures=figures,
    )
    runner = Runner(
        consumer,
        handler.topics,
        handler,
        stop,
        clock,
        max_batch=BATCH,
        until_caught_up=settings.until_caught_up,
        patience=PATIENCE,
    )
    waiting.started(runner, handler, lane)
    notifier = _notifier(settings, kafka, store, waiting, clock, figures)
    with Reporter(kafka, codecs, registry, _NAME, clock), notifier(stop), lane.running(stop):
        runner.run()


def _notifier(
    settings: AlertingSettings, kafka: Kafka, store: Store, waiting: Waiting, clock: Clock, figures: Figures
) -> Callable[[Stop], AbstractContextManager[None]]:
    """What tells people of alerts; nothing without a configuration, nor while the service only catches up."""
    if settings.notify_file is None or settings.until_caught_up:
        return lambda _stop: nullcontext()
    spec = read_routing(settings.notify_file, os.environ)
    wait = partial(waiting.until_done, part="notifications")
    return Notifier(spec, kafka, store, wait, clock, figures).running


def main() -> int:
    """The entry point of `tickstream-alerting`."""
    return run_service("ALERTING", AlertingSettings, run)
