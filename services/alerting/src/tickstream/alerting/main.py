"""The alerting service: rules over trades and bars."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial

from tickstream.alerting.adapters.api import make_app
from tickstream.alerting.adapters.outbox import Outbox
from tickstream.alerting.adapters.pruning import Pruning
from tickstream.alerting.adapters.routing_file import read_routing
from tickstream.alerting.adapters.routing_store import RoutingStore
from tickstream.alerting.adapters.rules_file import read_rules
from tickstream.alerting.adapters.schema import migrate
from tickstream.alerting.adapters.store import Store
from tickstream.alerting.figures import Figures
from tickstream.alerting.handler import AlertingHandler
from tickstream.alerting.housekeeping import Housekeeping
from tickstream.alerting.in_force import RulesInForce
from tickstream.alerting.lane_thread import BATCH, PATIENCE, LaneThread
from tickstream.alerting.notifier import Notifier
from tickstream.alerting.settings import AlertingSettings
from tickstream.alerting.watched_file import Hangups, WatchedFile
from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.health import HealthServer
from tickstream.core.kafka import Kafka, Publisher, log_end_of, retry_forever
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.news import News
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


class Files:
    """What is configured in files, None where there is none."""

    def __init__(self, settings: AlertingSettings, figures: Figures) -> None:
        hangups = Hangups()
        hangups.on_signal()
        self.rules = WatchedFile(settings.rules_file, read_rules, hangups, figures) if settings.rules_file else None
        routing = partial(read_routing, environment=os.environ)
        self.notify = WatchedFile(settings.notify_file, routing, hangups, figures) if settings.notify_file else None


def run(settings: AlertingSettings, stop: Stop) -> None:
    """Run until told to stop, or until caught up."""
    clock, registry = SystemClock(), new_registry()
    figures = Figures(registry)
    files = Files(settings, figures)
    waiting = Waiting(stop)
    database_url = settings.database_url.get_secret_value()
    if settings.migrate_only:
        waiting.until_done(lambda: migrate(database_url))
        return
    api_key = settings.api_key.get_secret_value() if settings.api_key else None
    app = make_app(database_url, api_key, settings.calendar)
    with HealthServer(settings.http_host, settings.http_port, _PORT, waiting.reasons, registry, app) as server:
        _LOG.info("listening", host=settings.http_host, port=server.port)
        store = Store(database_url)
        store.open()
        try:
            _prepare(settings, files, store, waiting)
            if not stop:
                with Reporter(Kafka(settings), Codecs.from_settings(settings), registry, _NAME, clock):
                    _watch(settings, files, store, stop, waiting, clock, figures)
        finally:
            store.close()


def _prepare(settings: AlertingSettings, files: Files, store: Store, waiting: Waiting) -> None:
    waiting.until_done(lambda: migrate(settings.database_url.get_secret_value()))
    if files.rules is not None:
        specs = files.rules.content
        waiting.until_done(lambda: store.upsert_rules(specs))
    if files.notify is not None:
        # Before any rule is looked at: of the first alerts people are told already.
        waiting.until_done(RoutingStore(store).begin)
    waiting.until_done(Kafka(settings).ensure_topics)


def _watch(
    settings: AlertingSettings,
    files: Files,
    store: Store,
    stop: Stop,
    waiting: Waiting,
    clock: Clock,
    figures: Figures,
) -> None:
    """Watch trades on this thread, and bars on another one when no other instance does."""
    kafka, codecs = Kafka(settings), Codecs.from_settings(settings)
    lane = LaneThread(settings, kafka, codecs, store, waiting.until_done, clock, figures)
    consumer, news = kafka.consumer(_NAME), News(kafka, codecs, clock)
    handler = AlertingHandler(
        store=store,
        outbox=Outbox(store, kafka, Publisher(kafka.producer(_NAME)), codecs),
        kafka=kafka,
        codecs=codecs,
        rules=RulesInForce(store, clock, figures),
        news=news,
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
    handler.position = runner.position
    waiting.started(runner, handler, lane)
    with ExitStack() as beside:
        beside.enter_context(closing(news))
        # While it only catches up, people aren't told and nothing is tidied.
        if files.notify is not None and not settings.until_caught_up:
            wait = partial(waiting.until_done, part="notifications")
            beside.enter_context(Notifier(files.notify, kafka, store, wait, clock, figures).running(stop))
        if not settings.until_caught_up:
            pruning = Pruning(store, settings.retention_days) if settings.retention_days else None
            wait = partial(waiting.until_done, part="housekeeping")
            beside.enter_context(Housekeeping(files.rules, store, pruning, wait, clock).running(stop))
        beside.enter_context(lane.running(stop))
        runner.run()


def main() -> int:
    """The entry point of `tickstream-alerting`."""
    return run_service("ALERTING", AlertingSettings, run)
