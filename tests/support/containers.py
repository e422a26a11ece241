"""The servers of a test run as containers, where a container engine is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from testcontainers.core.container import DockerContainer

from tests.support.servers import Servers
from tickstream.cli.stack.catalogue import SERVERS
from tickstream.cli.stack.errors import NotReadyError
from tickstream.cli.stack.ports import LOOPBACK

_START_SECONDS = 120.0


class ContainerControl:
    """Stops and starts containers; their host ports are fixed, so that they come back where they were."""

    def __init__(self, containers: Mapping[str, DockerContainer], env: Mapping[str, str]) -> None:
        self._containers = containers
        self._env = env

    def stop(self, server: str) -> None:
        self._containers[server].get_wrapped_container().stop()

    def start(self, server: str) -> None:
        self._containers[server].get_wrapped_container().start()
        self.wait(server)

    def kill(self, server: str) -> None:
        self._containers[server].get_wrapped_container().kill()

    def wait(self, server: str) -> None:
        """Wait until a server answers in its own protocol."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                SERVERS[server].check_own(self._env)
            except NotReadyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


@contextmanager
def container_servers(ports: Mapping[str, int]) -> Iterator[Servers]:
    """Kafka, InfluxDB, PostgreSQL and Redis on these ports of the host."""
    secret = secrets.token_urlsafe(16)
    containers = {
        "kafka": _kafka(ports["kafka"]),
        "influxdb": _influxdb(ports["influxdb"], secret),
        "postgres": DockerContainer("postgres:18")
        .with_env("POSTGRES_USER", "tickstream")
        .with_env("POSTGRES_PASSWORD", secret)
        .with_bind_ports(5432, ports["postgres"]),
        "redis": DockerContainer("redis:8")
        .with_command(f"redis-server --requirepass {secret} --databases 128 --appendonly yes")
        .with_bind_ports(6379, ports["redis"]),
    }
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ports['kafka']}",
        "DATABASE_URL": f"postgresql://tickstream:{secret}@{LOOPBACK}:{ports['postgres']}/tickstream",
        "REDIS_URL": f"redis://:{secret}@{LOOPBACK}:{ports['redis']}/0",
        "INFLUXDB_URL": f"http://{LOOPBACK}:{ports['influxdb']}",
        "INFLUXDB_TOKEN": secret,
        "INFLUXDB_ORG": "tickstream",
        "INFLUXDB_BUCKET": "market",
        "TIMESERIES": "influxdb",
    }
    control = ContainerControl(containers, env)
    with ExitStack() as running:
        for container in containers.values():
            running.enter_context(container)
        for server in containers:
            control.wait(server)
        yield Servers(env, control)


def _kafka(port: int) -> DockerContainer:
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{LOOPBACK}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    return DockerContainer("apache/kafka:4.1.1").with_envs(**settings).with_bind_ports(port, port)


def _influxdb(port: int, secret: str) -> DockerContainer:
    settings = {
        "DOCKER_INFLUXDB_INIT_MODE": "setup",
        "DOCKER_INFLUXDB_INIT_USERNAME": "tickstream",
        "DOCKER_INFLUXDB_INIT_PASSWORD": secret,
        "DOCKER_INFLUXDB_INIT_ORG": "tickstream",
        "DOCKER_INFLUXDB_INIT_BUCKET": "market",
        "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN": secret,
    }
    return DockerContainer("influxdb:2.7").with_envs(**settings).with_bind_ports(8086, port)
