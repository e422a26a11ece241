"""A Kafka broker that tells clients to come to it by a proxy; its own traffic doesn't go that way."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.programs import until
from tests.support.proxy import Proxy
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import NotReadyError
from tickstream.cli.stack.kafka import KafkaServer, ask_brokers
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.ports import LOOPBACK, free_port
from tickstream.cli.stack.processes import plain_environment
from tickstream.cli.stack.servers import Site

_LISTENERS = """
listeners=PLAINTEXT://{host}:{main},CONTROLLER://{host}:{controller},PROXIED://{host}:{behind}
advertised.listeners=PLAINTEXT://{host}:{main},PROXIED://{host}:{proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
"""


@dataclass(frozen=True)
class ProxiedKafka:
    """Settings of the two ways to the broker, and the proxy on one of them."""

    direct: dict[str, str]
    proxied: dict[str, str]
    proxy: Proxy


@contextmanager
def proxied_kafka(directory: Path) -> Iterator[ProxiedKafka]:
    """A broker of its own for a test."""
    ports: dict[str, int] = {}
    for name in ("main", "controller", "behind", "proxy"):
        start = random.choice(range(20_000, 31_000))  # noqa: S311 - so that two runs at once don't meet
        ports[name] = free_port(start, avoid=ports.values())
    kafka = KafkaServer()
    cache = Cache(Places.of(os.environ).cache)
    kafka.install(cache, lambda _done, _total: None)
    site = Site(directory, ports, {}, cache)
    command = kafka.prepare(site)
    with (directory / "server.properties").open("a") as properties:
        properties.write(_LISTENERS.format(host=LOOPBACK, **ports))  # of a name that is there twice the last counts
    with site.log.open("wb") as log:
        broker = subprocess.Popen(
            command, cwd=directory, env=plain_environment(os.environ), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: broker.poll() is not None or _answers(ports["main"]), site.log.read_text)
        with closing(Proxy(ports["proxy"], ports["behind"])) as proxy:
            yield ProxiedKafka(
                {"KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ports['main']}"},
                {"KAFKA_BOOTSTRAP_SERVERS": f"{LOOPBACK}:{ports['proxy']}"},
                proxy,
            )
    finally:
        broker.kill()
        broker.wait()


def _answers(port: int) -> bool:
    try:
        return ask_brokers(LOOPBACK, port) > 0
    except NotReadyError:
        return False
