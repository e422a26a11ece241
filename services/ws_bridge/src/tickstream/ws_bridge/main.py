"""The bridge's composition root: settings, Kafka, the hub, the socket, the pages, shutdown."""

from __future__ import annotations

import asyncio
import hmac
import resource
from typing import Final

import uvloop
from aiohttp import web

from tickstream.core.clock import Clock, SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.errors import FatalError
from tickstream.core.health import add_routes
from tickstream.core.kafka import Kafka
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.reporting import Reporter
from tickstream.core.service import Stop, run_service
from tickstream.ws_bridge.adapters import instruments
from tickstream.ws_bridge.adapters.alerting import Alerting
from tickstream.ws_bridge.adapters.audit import Audit
from tickstream.ws_bridge.adapters.callers import Callers
from tickstream.ws_bridge.adapters.canary import Canaries
from tickstream.ws_bridge.adapters.clients import Clients
from tickstream.ws_bridge.adapters.commands import Commands
from tickstream.ws_bridge.adapters.doorman import Doorman, Proofs
from tickstream.ws_bridge.adapters.feed import Feed, Listeners, Rest
from tickstream.ws_bridge.adapters.groups import Groups
from tickstream.ws_bridge.adapters.http_log import http_logger
from tickstream.ws_bridge.adapters.intake import Intake, Log, unsealing
from tickstream.ws_bridge.adapters.key_store import KeyStore
from tickstream.ws_bridge.adapters.naps import Naps
from tickstream.ws_bridge.adapters.past import Past, PastStore
from tickstream.ws_bridge.adapters.past_influxdb import InfluxPast
from tickstream.ws_bridge.adapters.past_postgres import PostgresPast
from tickstream.ws_bridge.adapters.reading import Reading
from tickstream.ws_bridge.adapters.rereading import Rereader
from tickstream.ws_bridge.adapters.resumes import ResumeLimits, Resumes
from tickstream.ws_bridge.adapters.system import SystemFigures
from tickstream.ws_bridge.adapters.tokens import Tokens, read_public_key
from tickstream.ws_bridge.adapters.web import SOCKET_PATH, Assets, guard
from tickstream.ws_bridge.domain.access import ApiKeys, is_local_name, read_keys
from tickstream.ws_bridge.domain.canary import Canary
from tickstream.ws_bridge.domain.forwarding import Proxies
from tickstream.ws_bridge.domain.homes import Partitions
from tickstream.ws_bridge.domain.hub import Hub
from tickstream.ws_bridge.domain.journey import Journey
from tickstream.ws_bridge.domain.keyring import Keyring
from tickstream.ws_bridge.domain.last_trades import LastTrades
from tickstream.ws_bridge.domain.lateness import Lateness
from tickstream.ws_bridge.domain.market import Market
from tickstream.ws_bridge.domain.pace import Tempo
from tickstream.ws_bridge.domain.positions import Offsets
from tickstream.ws_bridge.domain.protocol import Limits
from tickstream.ws_bridge.domain.sharing import Room
from tickstream.ws_bridge.flusher import Flusher
from tickstream.ws_bridge.health import Health
from tickstream.ws_bridge.metrics import BridgeMetrics
from tickstream.ws_bridge.settings import WsBridgeSettings

_LOG = logger(__name__)
_PREFERRED_PORT: Final = 8080
_MAX_SYMBOLS_KNOWN: Final = 100_000
_FRAME_RECORDS: Final = 2_000
_FRAME_BYTES: Final = 2_097_152
"""The stock Python client takes messages of up to 4 MB."""
_ANSWER_BYTES: Final = 3_145_728
"""Of a snapshot; the answer has other fields, too."""
_SNAPSHOT_BYTES: Final = 16_777_216
_STOP_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 1.0
_IDLE_SECONDS: Final = 75.0
"""That a connection may be kept open for a next request; aiohttp's own are an hour."""
_CANARY_SECONDS: Final = 3.0
"""With one canary a second and a look at each request, a deaf node isn't ready within 5 s."""


class Bridge:
    """Everything of one node, wired together in the running event loop."""

    def __init__(self, settings: WsBridgeSettings) -> None:
        self._settings = settings
        clock = self._clock = SystemClock()
        flush_seconds = settings.flush_ms / 1000
        tempo = Tempo(flush_seconds, settings.flush_max_ms / 1000)
        limits = Limits(
            settings.max_symbols, settings.max_subscriptions, settings.commands_per_second, 1000 / settings.flush_ms
        )
        room = Room(
            settings.buffer_records,
            settings.buffer_bytes,
            _FRAME_RECORDS,
            _SNAPSHOT_BYTES,
            _FRAME_BYTES,
            _ANSWER_BYTES,
        )
        codecs = Codecs.from_settings(settings)
        reading = Reading(codecs)  # the event loop's own
        last_trades = LastTrades(unsealing(reading))
        market = Market(settings.history_bars, settings.history_records, _MAX_SYMBOLS_KNOWN, last_trades)
        self.registry = new_registry()
        self.metrics = BridgeMetrics(self.registry)
        self.hub = Hub(market, limits, room, flush_seconds)
        self.loaded = asyncio.Event()
        self.journey = Journey(Canary(_CANARY_SECONDS), Lateness(settings.lag_seconds))
        self.intake = Intake(self.hub, self.loaded, self.journey.lateness, self.metrics, clock, reading)
        self.audit = Audit(clock, self.metrics)
        self.store = _store(settings, clock)
        self.doorman = _doorman(settings, self.store, clock)
        self.resumes = Resumes(
            self.hub,
            Rereader(settings, clock, self.metrics, settings.resume_seconds),
            room,
            ResumeLimits(
                settings.resume_records, settings.resume_seconds, settings.resume_clients, settings.resume_readers
            ),
            clock,
            self.metrics,
        )
        self.feed = Feed(
            Kafka(settings),
            Reading(codecs),
            self.metrics,
            clock,
            settings.lookback_records,
            self.loaded,
            Listeners(
                self.hub.subscriptions,
                self._opened,
                self.intake.take,
                self._heard,
                self._rested,
                self._woken,
                self._awake,
            ),
            tempo,
        )
        self.naps = Naps(self.hub, self.feed, settings.rest_seconds, clock, self.metrics)
        self.clients = Clients(
            settings,
            self.doorman,
            self.hub,
            Commands(
                self.hub,
                self.resumes,
                clock,
                self.metrics,
                self.loaded.is_set,
                self.audit,
                self.naps,
                lambda sid: self.clients.get(sid) is not None,
            ),
            self.loaded,
            clock,
            self.metrics,
            self.audit,
        )
        self.reporter = Reporter(Kafka(settings), Codecs.from_settings(settings), self.registry, "ws_bridge", clock)
        published = self.journey.canary.published
        self.canaries = Canaries(Kafka(settings), Codecs.from_settings(settings), clock, published)
        self.flusher = Flusher(
            self.hub,
            self.intake,
            self.clients,
            self.journey,
            clock,
            self.metrics,
            tempo,
        )
        kafka = settings.kafka_bootstrap_servers
        self.health = Health(self.feed, self.journey, self.hub, self.clients, kafka, self.loaded, clock, self.metrics)

    def application(self) -> web.Application:
        """The pages and the socket."""
        settings = self._settings
        hosts = frozenset(name.lower() for name in settings.allowed_hosts)
        loopback = is_local_name(settings.http_host.lower())
        origins = frozenset(settings.origins)
        proxies = Proxies(settings.trusted_proxies)
        guarding = guard(
            self.audit, lambda: self.clients.closing, proxies, loopback=loopback, hosts=hosts, origins=origins
        )
        app = web.Application(middlewares=[guarding])
        add_routes(app, self.health.reasons, self.registry)
        self.clients.server.attach(app, SOCKET_PATH)
        key = settings.alerting_api_key
        own_key = key.get_secret_value() if key else None
        callers = Callers(self.doorman, self.audit)
        callers.add_routes(app)
        Alerting(settings.alerting_url, own_key, callers).add_routes(app)
        Past(self.hub.market, _past(settings), callers).add_routes(app)
        Groups(self.hub.market, callers).add_routes(app)
        SystemFigures(settings, callers, SystemClock()).add_routes(app)
        app.router.add_get("/{path:.*}", Assets(settings.static_dir).serve)
        return app

    def _opened(self, log: Log) -> None:
        self.intake.apply()  # what was read before comes before
        key = _resume_key(self._settings, log.cluster)
        for channel, starts in log.starts.items():
            unread = log.resting if channel == "ticks" else ()
            self.hub.positions.open(channel, key, log.epochs[channel], starts, unread)
        self.hub.homes.open(len(log.starts["ticks"]))
        self.canaries.open(tuple(log.canaries))

    def _rested(self, partitions: Partitions) -> None:
        self.intake.apply()
        self.hub.positions.rest("ticks", partitions)
        self.naps.rested(partitions)

    def _woken(self, rest: Rest) -> None:
        self.intake.apply()
        self.hub.market.forget_trades(rest.gaps)
        for partition, offset in rest.ends.items():
            self.hub.positions.reached("ticks", partition, offset)
        self.naps.woken(frozenset(rest.ends))

    def _awake(self, partitions: Partitions) -> None:
        self.intake.apply()  # snapshots have what was read
        self.naps.awake(partitions)

    def _heard(self, reached: Offsets) -> None:
        self.journey.canary.heard(reached, self._clock.monotonic())


async def _serve(settings: WsBridgeSettings, stop: Stop) -> None:
    bridge = Bridge(settings)
    runner = web.AppRunner(
        bridge.application(),
        access_log=None,
        logger=http_logger(bridge.audit),
        shutdown_timeout=2.0,
        keepalive_timeout=_IDLE_SECONDS,
    )
    await runner.setup()
    port = await _listen(runner, settings)
    _LOG.info("listening", host=settings.http_host, port=port, auth=settings.auth)
    with bridge.reporter:
        await _work(bridge, settings, stop)
    await bridge.clients.server.shutdown()
    if bridge.store is not None:
        await bridge.store.close()
    await runner.cleanup()
    _LOG.info("ended")


async def _work(bridge: Bridge, settings: WsBridgeSettings, stop: Stop) -> None:
    """Read, answer and send until the end, and in the end until every client has gone."""
    ending = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        flushing = tasks.create_task(bridge.flusher.run(ending))
        following = [tasks.create_task(bridge.health.watch()), tasks.create_task(_look_for_readers(bridge))]
        if settings.database_url:
            following.append(tasks.create_task(_follow_instruments(bridge, settings)))
        if bridge.doorman is not None:
            following.append(tasks.create_task(bridge.doorman.follow(bridge.clients.keys_in_use)))
        bridge.feed.start()
        bridge.canaries.start()
        while not stop and not flushing.done() and bridge.feed.failure is None:  # noqa: ASYNC110 - a signal sets it
            await asyncio.sleep(_STOP_SECONDS)
        await bridge.clients.end_all()
        await bridge.resumes.stop()
        await bridge.canaries.stop()
        await bridge.feed.stop()
        ending.set()
        for task in following:
            task.cancel()
    if bridge.feed.failure is not None:
        raise FatalError(f"what was read can't be taken in: {bridge.feed.failure!r}") from bridge.feed.failure


async def _look_for_readers(bridge: Bridge) -> None:
    await bridge.loaded.wait()
    while True:
        bridge.naps.look()
        await asyncio.sleep(_LOOK_SECONDS)


async def _follow_instruments(bridge: Bridge, settings: WsBridgeSettings) -> None:
    if settings.database_url is not None:
        await instruments.follow(settings.database_url.get_secret_value(), bridge.hub.market.know, _MAX_SYMBOLS_KNOWN)


async def _listen(runner: web.AppRunner, settings: WsBridgeSettings) -> int:
    ports = (settings.http_port,) if settings.http_port is not None else (_PREFERRED_PORT, 0)
    reason = ""
    for port in ports:
        try:
            await web.TCPSite(runner, settings.http_host, port, backlog=1024).start()
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        return int(runner.addresses[0][1])
    raise FatalError(f"HTTP_PORT {ports[0]} on {settings.http_host} can't be listened on: {reason}")


def _store(settings: WsBridgeSettings, clock: Clock) -> KeyStore | None:
    if settings.auth == "off" or settings.database_url is None:
        return None
    return KeyStore(settings.database_url.get_secret_value(), clock)


def _past(settings: WsBridgeSettings) -> PastStore | None:
    url, token = settings.influxdb_url, settings.influxdb_token
    if settings.store == "influxdb" and url is not None and token is not None:
        return InfluxPast(url, token.get_secret_value(), settings.influxdb_org, settings.influxdb_bucket)
    if settings.store == "postgres" and settings.database_url is not None:
        return PostgresPast(settings.database_url.get_secret_value())
    return None


def _doorman(settings: WsBridgeSettings, store: KeyStore | None, clock: Clock) -> Doorman | None:
    if settings.auth == "off":
        return None
    file = settings.api_keys_file
    file_keys = None if file is None else ApiKeys(read_keys(file.read_text(encoding="utf-8")))
    keyring = Keyring(settings.key_check_seconds, settings.key_grace_seconds)
    return Doorman(Proofs(file_keys, store, _tokens(settings)), keyring, settings.key_check_seconds, clock)


def _tokens(settings: WsBridgeSettings) -> Tokens | None:
    if settings.jwt_secret is not None:
        return Tokens(settings.jwt_secret.get_secret_value().encode(), "HS256", settings.jwt_audience)
    if settings.jwt_public_key is not None:
        return Tokens(read_public_key(settings.jwt_public_key), "EdDSA", settings.jwt_audience)
    return None


def _resume_key(settings: WsBridgeSettings, cluster: str) -> bytes:
    """What signs tokens: the same on all nodes, also without a setting, and as secret as Kafka's password is."""
    if settings.resume_secret is not None:
        return settings.resume_secret.get_secret_value().encode()
    password = settings.kafka_sasl_password
    secret = password.get_secret_value() if password is not None else ""
    return hmac.digest(secret.encode(), f"resume {cluster} {settings.kafka_topic_prefix}".encode(), "sha256")


def _raise_file_limit() -> None:
    """One connection is one open file."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def run(settings: WsBridgeSettings, stop: Stop) -> None:
    """Serve until `stop`."""
    _raise_file_limit()
    uvloop.run(_serve(settings, stop))


def main() -> int:
    """The command `tickstream-ws-bridge`."""
    return run_service("WS_BRIDGE", WsBridgeSettings, run)
