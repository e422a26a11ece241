"""What a stack remembers from one start to the next: its servers' ports and secrets."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.places import Places, exclusive, write_private
from tickstream.cli.stack.ports import free_port, is_free
from tickstream.cli.stack.servers import Server, Site

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_SECRET_BYTES = 24


class Register:
    """The sites of one stack's servers, on disk."""

    def __init__(self, places: Places, name: str, cache: Cache) -> None:
        if not _NAME.fullmatch(name):
            raise StackError(f"a stack's name must match {_NAME.pattern}, was {name!r}")
        self._stacks = places.state / "stacks"
        self._cache = cache
        self.directory = self._stacks / name
        self.lock = self._stacks / f".{name}.lock"

    def create(self) -> None:
        """Make the stack's directory, for its owner only."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)

    def members(self) -> list[str]:
        """The names of the servers that this stack has had."""
        return list(self._ports())

    def site(self, server: Server) -> Site | None:
        """The server's place, when the stack has had it."""
        ports = self._ports().get(server.name)
        if ports is None:
            return None
        return Site(self.directory / server.name, ports, self._secrets().get(server.name, {}), self._cache)

    def settle(self, server: Server, wish: int | None, *, running: bool) -> Site:
        """The server's place, with ports that can be listened on unless it is running already.

        Args:
            server: the server.
            wish: the main port asked for, which must be free; none takes the remembered or the default one.
            running: its ports are taken by itself.
        """
        with exclusive(self._stacks / ".register.lock"):
            ports = self._ports()
            if not running:
                ports[server.name] = self._choose(server, wish, ports.get(server.name, {}))
                write_private(self.directory / "ports.json", json.dumps(ports, indent=2))
            known = self._secrets()
            if server.name not in known:
                known[server.name] = {name: secrets.token_urlsafe(_SECRET_BYTES) for name in server.secrets}
                write_private(self.directory / "secrets.json", json.dumps(known, indent=2))
        site = Site(self.directory / server.name, ports[server.name], known[server.name], self._cache)
        site.directory.mkdir(exist_ok=True)
        return site

    def forget(self) -> None:
        """Remove the stack's data, logs, ports and secrets."""
        if self.directory.exists():
            shutil.rmtree(self.directory)

    def _choose(self, server: Server, wish: int | None, remembered: Mapping[str, int]) -> dict[str, int]:
        planned = self._planned(server)
        chosen: dict[str, int] = {}
        for name, default in server.ports.items():
            if name == "main" and wish is not None:
                if not is_free(wish):
                    raise StackError(f"port {wish}, asked for {server.name}, is taken by another program")
                chosen[name] = wish
                continue
            preferred = remembered.get(name, default if wish is None else wish + 1)
            if preferred in chosen.values() or preferred in planned or not is_free(preferred):
                preferred = free_port(preferred + 1, avoid=planned | set(chosen.values()))
            chosen[name] = preferred
        return chosen

    def _planned(self, server: Server) -> set[int]:
        """The ports that other servers and other stacks of this user remember as theirs."""
        planned: set[int] = set()
        for file in self._stacks.glob("*/ports.json"):
            for name, ports in _read(file).items():
                if (file.parent, name) != (self.directory, server.name):
                    planned.update(ports.values())
        return planned

    def _ports(self) -> dict[str, dict[str, int]]:
        return _read(self.directory / "ports.json")

    def _secrets(self) -> dict[str, dict[str, str]]:
        return _read(self.directory / "secrets.json")


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        contents: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise StackError(f"{path} must be JSON ({error}): remove it, or wipe the stack") from error
    return contents
