"""A stack: several native servers under one name, started, watched and stopped together."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import psutil

from tickstream.cli.stack import builder
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import DEFAULT, SERVERS, servers_named
from tickstream.cli.stack.errors import MissingToolError, NotReadyError, StackError
from tickstream.cli.stack.guard import Guard
from tickstream.cli.stack.places import Places, exclusive
from tickstream.cli.stack.ports import LOOPBACK, is_free
from tickstream.cli.stack.processes import Children, ProcessRecord, kill, plain_environment, stop, strays, tail
from tickstream.cli.stack.progress import OnProgress, Step, silent
from tickstream.cli.stack.register import Register
from tickstream.cli.stack.servers import Server, Site

_POLL_SECONDS = 0.05
_TRIES = 3
_LOG_LIMIT = 10 << 20
_LOG_TAIL = 20


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """How one server is.

    Attributes:
        server: its name.
        state: "own" and "unreachable" are a user's own server; "silent" runs and doesn't answer.
        address: host and port.
        pid: its process, when the stack runs it.
        memory: its resident memory in bytes.
        detail: why, when it isn't up.
    """

    server: str
    state: Literal["up", "silent", "down", "building", "own", "unreachable"]
    address: str = ""
    pid: int | None = None
    memory: int | None = None
    detail: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Stack:
    """The native servers of one name.

    Args:
        name: tells stacks apart that live side by side.
        environment: where the settings are read; a server that they name is the user's own.
        ports: main ports asked for, by server.
        die_with_parent: the servers end when this process does, however it ends.
    """

    def __init__(
        self,
        name: str = "default",
        *,
        environment: Mapping[str, str] | None = None,
        ports: Mapping[str, int] | None = None,
        die_with_parent: bool = False,
    ) -> None:
        self.name = name
        self._environment = dict(os.environ if environment is None else environment)
        places = Places.of(self._environment)
        self._cache = Cache(places.cache)
        self._register = Register(places, name, self._cache)
        self._ports = dict(ports or {})
        self._children = Children()
        self._guard = Guard(name, self._environment) if die_with_parent else None
        self._interrupted = threading.Event()

    def up(
        self,
        servers: Sequence[str] | None = None,
        on_progress: OnProgress = silent,
        *,
        background_builds: bool = False,
    ) -> None:
        """Have these servers running and answering; what runs already is left as it is.

        Args:
            servers: their names; none means the usual ones, less those that can't be had on this machine.
            on_progress: told of every step, from several threads.
            background_builds: don't wait for a program that is compiled here; `finish_builds` does.

        Raises:
            StackError: some could not be started (all of them named); the others run.
        """
        self._interrupted.clear()
        self._up(
            servers_named(servers or DEFAULT),
            lambda server: self._bring_up(server, on_progress, needed=bool(servers), background=background_builds),
        )

    def finish_builds(self, on_progress: OnProgress = silent) -> None:
        """Wait for the programs that are compiled in the background, and start their servers.

        Raises:
            StackError: a build failed, or the stack was brought down meanwhile.
        """
        building = [server for server in SERVERS.values() if server.built_here and self._is_building(server)]
        for server in building:
            site = self._register.site(server)
            if site is not None:
                builder.wait(server, site, on_progress, self._interrupted)
        waiting = [s for s in SERVERS.values() if s.built_here and self._register.site(s) and not self._running(s)]
        if waiting:
            self._up(waiting, lambda server: self._bring_up(server, on_progress, needed=True, background=False))

    def down(self, servers: Sequence[str] | None = None, on_progress: OnProgress = silent) -> None:
        """Stop these servers, or all; their data stays."""
        self._interrupted.set()
        with exclusive(self._register.lock):
            self._each(servers_named(servers or SERVERS), lambda server: self._bring_down(server, on_progress))
        if self._guard and not servers:
            self._guard.dismiss()

    def kill(self, server: str) -> None:
        """End a server at once, as a crash would."""
        (chosen,) = servers_named([server])
        process = self._running(chosen)
        if process is not None:
            kill(process)
        self._children.reap()

    def wipe(self, *, force: bool = False) -> None:
        """Remove the stack's data, logs, ports and secrets.

        Raises:
            StackError: a server still runs, and `force` doesn't say to stop it.
        """
        running = [server.name for server in SERVERS.values() if self._running(server)]
        if running and not force:
            raise StackError(f"{', '.join(running)} still run in stack {self.name}: stop them first, or force it")
        self.down()
        with exclusive(self._register.lock):
            self._register.forget()

    def env(self) -> dict[str, str]:
        """The settings with which services reach the stack's servers, and the user's own."""
        settings: dict[str, str] = {}
        for server in SERVERS.values():
            site = self._register.site(server)
            if self._is_users_own(server):
                settings |= {name: self._environment[name] for name in server.settings if name in self._environment}
            elif site is not None:
                settings |= server.environment(site)
        settings["TIMESERIES"] = "influxdb" if "INFLUXDB_URL" in settings else "postgres"
        return settings

    def status(self) -> list[ServerStatus]:
        """How each server is that the stack has, or that the settings name."""
        return [status for server in SERVERS.values() if (status := self._status(server))]

    def log(self, server: str) -> Path:
        """Where a server's log is; while its program is being compiled, the compilers' log."""
        (chosen,) = servers_named([server])
        site = self._register.site(chosen)
        if site is None:
            raise StackError(f"stack {self.name} has had no {server} yet")
        building = self._running(chosen) is None and self._is_building(chosen)
        return site.build_log if building or not site.log.exists() else site.log

    def _up(self, servers: Iterable[Server], bring_up: Callable[[Server], None]) -> None:
        self._register.create()
        with exclusive(self._register.lock):
            if self._interrupted.is_set():
                raise StackError(f"stack {self.name} was brought down meanwhile")
            if self._guard:
                self._guard.start()
            self._each(servers, bring_up)

    def _each(self, servers: Iterable[Server], act: Callable[[Server], None]) -> None:
        problems = []
        with ThreadPoolExecutor(max_workers=len(SERVERS)) as pool:
            acts = [pool.submit(act, server) for server in servers]
            try:
                for done in as_completed(acts):
                    try:
                        done.result()
                    except StackError as error:
                        problems.append(str(error))
            except BaseException:
                self._interrupted.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if problems:
            raise StackError("\n".join(problems))

    def _bring_up(self, server: Server, tell: OnProgress, *, needed: bool, background: bool) -> None:
        if self._is_users_own(server):
            self._check_own(server, tell)
            return
        process = self._running(server)
        if process is None and not self._install(server, tell, needed=needed, background=background):
            return
        if process is None:
            self._end_strays(server)
        site = self._register.settle(server, self._ports.get(server.name), running=process is not None)
        if process is None:
            site = self._start(server, site, tell)
        else:
            self._await(server, site, ProcessRecord.of(process))
        server.provision(site)
        if not server.tuned(self._cache):
            builder.start(server, site, self._children)
        tell(Step(server.name, "up", f"{LOOPBACK}:{site.port}"))

    def _install(self, server: Server, tell: OnProgress, *, needed: bool, background: bool) -> bool:
        """Have the program; says whether it is here now."""
        if server.installed(self._cache):
            return True
        missing = server.missing_tools()
        if missing:
            text = f"{server.name} is compiled on this machine, which lacks {' and '.join(missing)}"
            if needed:
                raise MissingToolError(f"{text}; or set {server.own_setting} to a server of your own")
            tell(Step(server.name, "missing", text))
            return False
        if not server.built_here:
            server.install(self._cache, partial(self._advance, server, tell))
            return True
        site = self._register.settle(server, self._ports.get(server.name), running=False)
        builder.start(server, site, self._children)
        tell(Step(server.name, "building", "the first time, this takes some minutes"))
        if not background:
            builder.wait(server, site, tell, self._interrupted)
        return not background

    def _advance(self, server: Server, tell: OnProgress, done: int, total: int) -> None:
        self._go_on(server)
        tell(Step(server.name, "fetching", "its program", done, total))

    def _go_on(self, server: Server) -> None:
        if self._interrupted.is_set():
            raise StackError(f"the start of {server.name} was interrupted")

    def _start(self, server: Server, site: Site, tell: OnProgress) -> Site:
        for attempt in range(1, _TRIES + 1):
            self._go_on(server)
            tell(Step(server.name, "starting"))
            command = server.prepare(site)
            _turn_over(site.log)
            record = self._children.start(
                command, site.directory, site.log, site.pid_file, plain_environment(os.environ)
            )
            try:
                self._await(server, site, record)
            except StackError:
                lost_a_port = not all(is_free(port) for port in site.ports.values())
                if attempt == _TRIES or not lost_a_port or self._interrupted.is_set():
                    raise
                # Another program took the port between our look and the server's.
                site = self._register.settle(server, None, running=False)
            else:
                return site
        raise AssertionError("unreachable")

    def _await(self, server: Server, site: Site, record: ProcessRecord) -> None:
        """Wait until the server answers; a process that doesn't get there is ended."""
        deadline = time.monotonic() + server.start_seconds
        reason = "it was too late to ask"
        process = record.process()
        while time.monotonic() < deadline:
            self._children.reap()
            process = record.process()
            if process is None:
                raise StackError(_failure(server, site, "ended while it was starting"))
            try:
                server.check(site)
            except NotReadyError as error:
                reason = str(error)
            else:
                if _listens(process, site.port):
                    return
            if self._interrupted.wait(_POLL_SECONDS):
                kill(process)
                self._go_on(server)
        if process is not None:
            kill(process)
        raise StackError(_failure(server, site, f"did not answer within {server.start_seconds:.0f} s ({reason})"))

    def _bring_down(self, server: Server, tell: OnProgress) -> None:
        site = self._register.site(server)
        if site is None:
            return
        builder.stop(site)
        process = self._running(server)
        if process is not None:
            tell(Step(server.name, "stopping"))
            gently = stop(process, server.stop_signal, server.stop_seconds)
            tell(Step(server.name, "down", "" if gently else "by force"))
        self._children.reap()
        self._end_strays(server)
        site.pid_file.unlink(missing_ok=True)

    def _end_strays(self, server: Server) -> None:
        """End what is left of a server that no pid file leads to, such as a crashed PostgreSQL's workers."""
        for stray in strays(self._register.directory / server.name, server.program):
            kill(stray)

    def _check_own(self, server: Server, tell: OnProgress) -> None:
        try:
            server.check_own(self._environment)
        except NotReadyError as error:
            raise StackError(
                f"{server.own_setting} is set, so {server.name} is your own and not started, but: {error}"
            ) from error
        tell(Step(server.name, "own", f"named by {server.own_setting}"))

    def _is_users_own(self, server: Server) -> bool:
        """Whether the settings name a server other than this stack's."""
        value = self._environment.get(server.own_setting)
        site = self._register.site(server)
        return bool(value) and not (site and server.environment(site)[server.own_setting] == value)

    def _is_building(self, server: Server) -> bool:
        site = self._register.site(server)
        return bool(site and builder.running(site))

    def _running(self, server: Server) -> psutil.Process | None:
        record = ProcessRecord.read(self._register.directory / server.name / "pid.json")
        return record.process() if record else None

    def _status(self, server: Server) -> ServerStatus | None:
        site = self._register.site(server)
        if self._is_users_own(server):
            try:
                server.check_own(self._environment)
            except NotReadyError as error:
                return ServerStatus(server.name, "unreachable", server.own_setting, detail=str(error))
            return ServerStatus(server.name, "own", server.own_setting)
        if site is None:
            return None
        address = f"{LOOPBACK}:{site.port}"
        process = self._running(server)
        if process is None:
            return ServerStatus(server.name, "building" if builder.running(site) else "down", address)
        memory = process.memory_info().rss
        try:
            server.check(site)
        except NotReadyError as error:
            return ServerStatus(server.name, "silent", address, process.pid, memory, str(error))
        return ServerStatus(server.name, "up", address, process.pid, memory)


def _listens(process: psutil.Process, port: int) -> bool:
    """Whether it is this process that answers at a port, as far as the system lets us see."""
    try:
        connections = process.net_connections("tcp")
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def _failure(server: Server, site: Site, what: str) -> str:
    return f"{server.name} {what}; the end of its log, {site.log}:\n{tail(site.log, _LOG_TAIL)}"
