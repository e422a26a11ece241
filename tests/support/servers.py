"""Real servers for tests: one set for the whole run, and in it a place of its own for each test.

TICKSTREAM_TEST_SERVERS says whose they are: `native` (the default: a native stack of the run's own),
`docker` (containers), or `env` (those that the settings name).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from psycopg import sql
from redis import Redis

from tests.support.ports import spare_port
from tickstream.cli.stack.catalogue import DEFAULT, SERVERS
from tickstream.cli.stack.stack import Stack
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings, load


class Control(Protocol):
    """Who can stop and start the servers, by name: kafka, influxdb, postgres, redis."""

    def stop(self, server: str) -> None: ...

    def start(self, server: str) -> None: ...

    def kill(self, server: str) -> None: ...


@dataclass(frozen=True)
class Servers:
    """The run's servers.

    Attributes:
        env: the settings that services reach them with.
    """

    env: dict[str, str]
    control: Control

    @property
    def kafka(self) -> str:
        return self.env["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def database_url(self) -> str:
        return self.env["DATABASE_URL"]

    @property
    def redis_url(self) -> str:
        return self.env["REDIS_URL"]

    @property
    def influxdb_url(self) -> str:
        return self.env["INFLUXDB_URL"]

    @property
    def influxdb_token(self) -> str:
        return self.env["INFLUXDB_TOKEN"]

    @property
    def influxdb_org(self) -> str:
        return self.env["INFLUXDB_ORG"]

    @property
    def influxdb_bucket(self) -> str:
        return self.env["INFLUXDB_BUCKET"]

    def stop(self, server: str) -> None:
        """Stop one server as an operator would; its port and its data are kept."""
        self.control.stop(server)

    def start(self, server: str) -> None:
        """Start it again, where it was; returns when it answers."""
        self.control.start(server)

    def kill(self, server: str) -> None:
        """End one server with SIGKILL."""
        self.control.kill(server)


class NativeControl:
    """A native stack's servers."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def stop(self, server: str) -> None:
        self._stack.down([server])

    def start(self, server: str) -> None:
        self._stack.up([server])

    def kill(self, server: str) -> None:
        self._stack.kill(server)


class NoControl:
    """Somebody else's servers."""

    def stop(self, server: str) -> None:
        raise RuntimeError(f"{server} isn't this run's own: tests of outages need TICKSTREAM_TEST_SERVERS=native")

    start = stop
    kill = stop


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The run's servers, up and answering."""
    kind = os.environ.get("TICKSTREAM_TEST_SERVERS", "native")
    sources = {"native": _native, "docker": _docker, "env": _given}
    if kind not in sources:
        pytest.exit(f"TICKSTREAM_TEST_SERVERS must be one of {', '.join(sources)}, was {kind}", returncode=2)
    with sources[kind](tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
def isolated_env(servers: Servers) -> Iterator[dict[str, str]]:
    """The servers' settings with topics, a database, a bucket and a Redis database that no other test sees."""
    with isolated(servers) as env:
        yield env


@contextmanager
def isolated(servers: Servers) -> Iterator[dict[str, str]]:
    """What `isolated_env` gives, for fixtures of a wider scope."""
    name = f"test_{secrets.token_hex(6)}"
    with (
        _own_database(servers, name) as database_url,
        _own_bucket(servers, name),
        _own_redis(servers) as redis_url,
        _own_topics(servers, f"{name}."),
    ):
        yield servers.env | {
            "KAFKA_TOPIC_PREFIX": f"{name}.",
            "DATABASE_URL": database_url,
            "INFLUXDB_BUCKET": name,
            "REDIS_URL": redis_url,
            "HTTP_PORT": "0",
        }


def unnamed_servers(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the settings that name somebody's servers."""
    named = {setting for server in SERVERS.values() for setting in server.settings}
    return {setting: value for setting, value in environment.items() if setting not in named}


def spare_ports() -> dict[str, int]:
    """A port for each server."""
    return {server: spare_port() for server in SERVERS}


@contextmanager
def _native(directory: Path) -> Iterator[Servers]:
    environment = unnamed_servers(os.environ) | {"TICKSTREAM_STATE_DIR": str(directory)}
    stack = Stack("tests", environment=environment, ports=spare_ports(), die_with_parent=True)
    try:
        stack.up(DEFAULT)
        yield Servers(stack.env(), NativeControl(stack))
    finally:
        stack.wipe(force=True)


@contextmanager
def _given(_directory: Path) -> Iterator[Servers]:
    missing = [s for name in DEFAULT for s in SERVERS[name].settings[:1] if not os.environ.get(s)]
    if missing:
        pytest.exit(f"TICKSTREAM_TEST_SERVERS=env needs {', '.join(missing)}", returncode=2)
    settings = [setting for name in DEFAULT for setting in SERVERS[name].settings if setting in os.environ]
    env = {"INFLUXDB_ORG": "tickstream", "INFLUXDB_BUCKET": "market"} | {s: os.environ[s] for s in settings}
    for name in DEFAULT:
        SERVERS[name].check_own(env)
    yield Servers(env | {"TIMESERIES": "influxdb"}, NoControl())


def _docker(_directory: Path) -> AbstractContextManager[Servers]:
    from tests.support.containers import container_servers  # noqa: PLC0415 (only where an engine is)

    return container_servers(spare_ports())


@contextmanager
def _own_database(servers: Servers, name: str) -> Iterator[str]:
    database = sql.Identifier(name)
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
    yield f"{servers.database_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))


@contextmanager
def _own_bucket(servers: Servers, name: str) -> Iterator[None]:
    with InfluxDBClient(servers.influxdb_url, servers.influxdb_token, org=servers.influxdb_org) as client:
        bucket = client.buckets_api().create_bucket(bucket_name=name, org=servers.influxdb_org)
    yield
    with InfluxDBClient(servers.influxdb_url, servers.influxdb_token, org=servers.influxdb_org) as client:
        client.buckets_api().delete_bucket(bucket)


@contextmanager
def _own_topics(servers: Servers, prefix: str) -> Iterator[None]:
    """Topics are made by those who need them; gone with the test, or a broker's heap fills up over a whole run."""
    yield
    kafka = Kafka(load(KafkaSettings, "TEST", [], servers.env))
    admin = kafka.admin()
    topics = [name for name in kafka.existing() if name.startswith(prefix)]
    for deleted in (admin.delete_topics(topics) if topics else {}).values():
        deleted.result()


@contextmanager
def _own_redis(servers: Servers) -> Iterator[str]:
    base = servers.redis_url.rpartition("/")[0]
    with Redis.from_url(servers.redis_url) as client:
        # Database 0 counts the tests and is nobody's; a number comes round again when all have been used.
        databases = int(client.config_get("databases")["databases"])
        number = 1 + client.incr("tests:databases") % (databases - 1)
    url = f"{base}/{number}"
    with Redis.from_url(url) as client:
        client.flushdb()
    yield url
    with Redis.from_url(url) as client:
        client.flushdb()
