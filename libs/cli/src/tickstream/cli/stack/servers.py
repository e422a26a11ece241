"""What each native server has to say about itself, and where it lives."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.jars import Advance


@dataclass(frozen=True, slots=True)
class Site:
    """One server's place in one stack.

    Attributes:
        directory: everything the server writes is below it, and it runs there.
        ports: by name; "main" is the one that clients use.
        secrets: by name.
        cache: where its program is.
    """

    directory: Path
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    cache: Cache

    @property
    def port(self) -> int:
        return self.ports["main"]

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def pid_file(self) -> Path:
        return self.directory / "pid.json"

    @property
    def build_log(self) -> Path:
        return self.directory / "build.log"

    @property
    def build_pid_file(self) -> Path:
        return self.directory / "build.pid.json"


class Server(ABC):
    """One kind of native server. What it knows of a stack is the site that it is given.

    Attributes:
        name: as on the command line.
        program: the name of its process.
        ports: the default ports, by name.
        secrets: the names of the secrets it needs.
        settings: by which clients reach it; the first one names a user's own server.
        stop_signal, stop_seconds: how it is asked to end, and how long it may take.
        start_seconds: how long it may take until it answers.
        built_here: its program is compiled on this machine, which takes minutes.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    ports: ClassVar[Mapping[str, int]]
    secrets: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20.0
    start_seconds: ClassVar[float] = 90.0
    built_here: ClassVar[bool] = False

    @property
    def own_setting(self) -> str:
        """The setting by which users bring a server of their own."""
        return self.settings[0]

    @property
    def entry(self) -> str | None:
        """The program's entry in the cache; none when an installed package brings the program."""
        return None

    def installed(self, cache: Cache) -> bool:
        """Whether the program is here, so that a start needs no download and no build."""
        return self.entry is None or cache.has(self.entry)

    def install(self, cache: Cache, advance: Advance) -> None:  # noqa: B027 (packages bring most programs)
        """Get the program, verified."""

    def tuned(self, cache: Cache) -> bool:  # noqa: ARG002 (most have nothing to tune)
        """Whether `tune` has been done on this machine."""
        return True

    def tune(self, cache: Cache) -> None:  # noqa: B027 (most have nothing to tune)
        """Do what makes later starts quicker, in no hurry."""

    def missing_tools(self) -> list[str]:
        """What an install needs and this machine lacks, each with where to get it."""
        return []

    @abstractmethod
    def prepare(self, site: Site) -> list[str]:
        """Lay out the directory where that is missing, and give the command line (it holds no secret)."""

    @abstractmethod
    def check(self, site: Site) -> None:
        """Ask the running server in its own protocol.

        Raises:
            NotReadyError: it doesn't answer, or not as it should.
        """

    def provision(self, site: Site) -> None:  # noqa: B027 (most servers have nothing to provide)
        """Make what clients expect to find, such as a database; does nothing where it is there."""

    @abstractmethod
    def environment(self, site: Site) -> dict[str, str]:
        """The settings with which clients reach it."""

    @abstractmethod
    def check_own(self, environment: Mapping[str, str]) -> None:
        """Ask a user's own server, as the settings name it.

        Raises:
            NotReadyError: it can't be reached with these settings.
        """
