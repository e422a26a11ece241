"""The native servers there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.influxdb import InfluxServer
from tickstream.cli.stack.kafka import KafkaServer
from tickstream.cli.stack.postgres import PostgresServer
from tickstream.cli.stack.redis import RedisServer
from tickstream.cli.stack.registry import RegistryServer
from tickstream.cli.stack.servers import Server

SERVERS: Final[dict[str, Server]] = {
    server.name: server for server in (KafkaServer(), InfluxServer(), PostgresServer(), RedisServer(), RegistryServer())
}

DEFAULT: Final = ("kafka", "influxdb", "postgres", "redis")
"""What a stack consists of when nothing else is asked for."""


def servers_named(names: Iterable[str]) -> list[Server]:
    """The servers of these names, each once, in the order given."""
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in SERVERS]
    if unknown:
        raise StackError(f"a server must be one of {', '.join(SERVERS)}, was {', '.join(unknown)}")
    return [SERVERS[name] for name in wanted]
