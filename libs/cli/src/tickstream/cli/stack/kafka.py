"""Apache Kafka: one combined broker and controller, sized for a laptop."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import struct
import subprocess
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import NotReadyError, StackError
from tickstream.cli.stack.jars import Advance, JarLock
from tickstream.cli.stack.java import java, java_version
from tickstream.cli.stack.ports import LOOPBACK, free_port
from tickstream.cli.stack.processes import plain_environment
from tickstream.cli.stack.servers import Server, Site

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{main},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{main}
controller.listener.names=CONTROLLER
log.dirs={data}
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

_LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
"""

_RECORDING = "kafka.aot"
_RECORDING_PORT = 19_092
_RECORDING_POLL_SECONDS = 0.2
_MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError")
_METADATA_REQUEST = struct.pack(">hhih", 3, 1, 1, 10) + b"tickstream" + struct.pack(">i", 0)
_ANSWER_LIMIT = 1 << 20


class KafkaServer(Server):
    """The broker, in Java from a wheel."""

    name = "kafka"
    program = "java"
    ports = {"main": 9092, "controller": 9093}  # noqa: RUF012 (declared in the base class)
    settings = (
        "KAFKA_BOOTSTRAP_SERVERS",
        "KAFKA_SECURITY_PROTOCOL",
        "KAFKA_SASL_MECHANISM",
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD",
        "KAFKA_SSL_CA_LOCATION",
        "KAFKA_SSL_CERTIFICATE_LOCATION",
        "KAFKA_SSL_KEY_LOCATION",
    )

    def __init__(self) -> None:
        self._jars = JarLock.load("kafka")

    @property
    def entry(self) -> str:
        return self._jars.name

    def install(self, cache: Cache, advance: Advance) -> None:
        self._jars.install(cache, advance)

    def prepare(self, site: Site) -> list[str]:
        scratch = site.directory / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        (site.directory / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
        properties = site.directory / "server.properties"
        properties.write_text(_properties(site, site.data), encoding="utf-8")
        if not site.data.is_dir():
            self._format(site)
        return [*self._java(site), "kafka.Kafka", str(properties)]

    @property
    def _recorded(self) -> str:
        return f"{self.entry}-java-{java_version()}"

    def tuned(self, cache: Cache) -> bool:
        return cache.has(self._recorded)

    def tune(self, cache: Cache) -> None:
        cache.install(self._recorded, lambda directory: self._record(directory, cache))

    def _record(self, directory: Path, cache: Cache) -> None:
        """Start and stop a broker of no use, so that Java writes down what it loads and compiles."""
        work = directory / "work"
        work.mkdir()
        ports: dict[str, int] = {}
        for name in self.ports:
            ports[name] = free_port(_RECORDING_PORT, avoid=ports.values())
        command = self.prepare(Site(work, ports, {}, cache))
        command.insert(1, f"-XX:AOTCacheOutput={directory / _RECORDING}")
        with subprocess.Popen(command, cwd=work, env=plain_environment(os.environ)) as broker:
            while broker.poll() is None and not _takes_work(ports["main"]):
                time.sleep(_RECORDING_POLL_SECONDS)
            broker.terminate()
        if not (directory / _RECORDING).exists():
            raise StackError(f"Java recorded nothing; the broker ended with {broker.returncode}")
        shutil.rmtree(work)

    def _java(self, site: Site) -> list[str]:
        recording = site.cache.path(self._recorded) / _RECORDING
        classpath = f"{site.cache.path(self.entry)}/*"
        return [
            java(),
            *_MEMORY,
            *([f"-XX:AOTCache={recording}", "-Xlog:aot*=error"] if recording.exists() else []),
            f"-Djava.io.tmpdir={site.directory / 'tmp'}",
            f"-Dlog4j2.configurationFile={site.directory / 'log4j2.properties'}",
            "-cp",
            classpath,
        ]

    def _format(self, site: Site) -> None:
        draft = site.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        properties = site.directory / "format.properties"
        properties.write_text(_properties(site, draft), encoding="utf-8")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(properties)]
        done = subprocess.run(
            [*self._java(site), *tool], capture_output=True, check=False, env=plain_environment({}), text=True
        )
        if done.returncode != 0:
            raise StackError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")
        draft.rename(site.data)

    def check(self, site: Site) -> None:
        ask_brokers(LOOPBACK, site.port)

    def environment(self, site: Site) -> dict[str, str]:
        return {"KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{site.port}"}

    def check_own(self, environment: Mapping[str, str]) -> None:
        plaintext = environment.get("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT") == "PLAINTEXT"
        problems = []
        for server in environment[self.own_setting].split(","):
            host, _, port = server.strip().rpartition(":")
            try:
                if plaintext:
                    ask_brokers(host, int(port))
                else:
                    socket.create_connection((host, int(port)), timeout=5).close()
            except (OSError, ValueError, NotReadyError) as error:
                problems.append(str(error))
            else:
                return
        raise NotReadyError("; ".join(problems))


def _properties(site: Site, data: Path) -> str:
    return _PROPERTIES.format(host=LOOPBACK, data=data, **site.ports)


def _takes_work(port: int) -> bool:
    try:
        ask_brokers(LOOPBACK, port)
    except NotReadyError:
        return False
    return True


def ask_brokers(host: str, port: int) -> int:
    """How many brokers the cluster's metadata names: a broker is among them once it takes work.

    Raises:
        NotReadyError: no answer in Kafka's protocol, or no broker takes work yet.
    """
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(struct.pack(">i", len(_METADATA_REQUEST)) + _METADATA_REQUEST)
            (length,) = struct.unpack(">i", _receive(connection, 4))
            if not 8 <= length <= _ANSWER_LIMIT:
                raise NotReadyError(f"{host}:{port} doesn't speak Kafka's protocol")
            brokers: int = struct.unpack(">ii", _receive(connection, 8))[1]
    except OSError as error:
        raise NotReadyError(f"no Kafka at {host}:{port}: {error}") from error
    if brokers < 1:
        raise NotReadyError(f"the Kafka at {host}:{port} has no broker that takes work")
    return brokers


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise ConnectionError("the connection was closed in mid-answer")
        received += chunk
    return received
