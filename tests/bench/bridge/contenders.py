"""The servers that are measured: the bridge, and what one would write without it."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from tests.support.programs import until
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.ports import free_port
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings, load
from tickstream.core.topics import TOPICS

_NODE_FILES: Final = ("package.json", "package-lock.json", ".npmrc", "server.js")
_NODE: Final = Path(__file__).with_name("node")


@dataclass(frozen=True)
class Contender:
    """One kind of server.

    Attributes:
        name: whose it is.
        command: starts it on a port.
        encoding: of the trades that it reads.
    """

    name: str
    command: Callable[[int], list[str]]
    encoding: Literal["avro", "json"] = "avro"


@dataclass(frozen=True)
class Running:
    """A server that listens.

    Attributes:
        kafka: with topics that only this server reads.
    """

    process: psutil.Process
    port: int
    kafka: Kafka

    def cpu(self) -> float:
        """CPU-seconds of all its threads until now."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self.process.memory_info().rss)


def _bridge(_port: int) -> list[str]:
    return [str(Path(sys.executable).with_name("tickstream-ws-bridge"))]


def _emit(port: int) -> list[str]:
    return [sys.executable, "-m", "tests.bench.bridge.emit_server", str(port)]


def _node(port: int) -> list[str]:
    digest = hashlib.sha256(b"".join((_NODE / name).read_bytes() for name in _NODE_FILES)).hexdigest()
    built = Cache(Places.of(os.environ).cache).install(f"bridge-peer-node-{digest[:8]}", _install_node)
    return ["node", str(built / "server.js"), str(port)]


def _install_node(directory: Path) -> None:
    for name in _NODE_FILES:
        shutil.copy(_NODE / name, directory)
    command = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--silent"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)


BRIDGE: Final = Contender("tickstream-ws-bridge", _bridge)
EMIT: Final = Contender("python-socketio", _emit)
NODE: Final = Contender("Node, Socket.IO and KafkaJS", _node, "json")


def lacks_node() -> bool:
    """Whether the Node peer can't be had here."""
    return shutil.which("node") is None or shutil.which("npm") is None


@contextmanager
def running(contender: Contender, more: Mapping[str, str] | None = None) -> Iterator[Running]:
    """The server, on topics of its own, which are deleted afterwards."""
    env = {**os.environ, "KAFKA_TOPIC_PREFIX": f"bench-{secrets.token_hex(4)}.", **(more or {})}
    for name in ("DATABASE_URL", "TIMESERIES"):
        env.pop(name, None)
    kafka = Kafka(load(KafkaSettings, "BENCH", [], env))
    kafka.ensure_topics()
    port = free_port(23_000)
    command = contender.command(port)
    child = subprocess.Popen(command, env={**env, "HTTP_PORT": str(port)}, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(child, port), f"{contender.name} doesn't listen")
        yield Running(psutil.Process(child.pid), port, kafka)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        admin = kafka.admin()  # it must live until the answers are in
        for deleted in admin.delete_topics([kafka.topic(name) for name in TOPICS]).values():
            deleted.result(30)


def _listens(child: subprocess.Popen[bytes], port: int) -> bool:
    if child.poll() is not None:
        raise RuntimeError(f"the server ended with {child.returncode}")
    return any(one.laddr.port == port for one in psutil.Process(child.pid).net_connections("tcp"))
