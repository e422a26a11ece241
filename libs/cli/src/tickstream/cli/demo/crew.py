"""The demo's services as processes: started, watched, restarted, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson
import psutil

from tickstream.cli.demo.plan import Service
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.processes import ProcessRecord, kill, stop, tail

_STOP_SECONDS: Final = 15.0
_READY_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1
_MOST_RESTARTS: Final = 5
_LOG_TAIL: Final = 15


class Crew:
    """The running services.

    Args:
        directory: where pid files and logs go.
        say: told what a user should know.
    """

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._say = say
        self._services: dict[str, Service] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._restarts: dict[str, int] = {}

    def start(self, service: Service) -> None:
        """Start one; its log is `NAME.log` in the directory."""
        self._services[service.name] = service
        log = self.log(service.name)
        log.touch(0o600)
        with log.open("ab") as output:
            child = subprocess.Popen(
                service.command,
                env={**os.environ, **service.settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[service.name] = child
        ProcessRecord.of(psutil.Process(child.pid)).write(self._directory / f"{service.name}.pid.json")

    def log(self, name: str) -> Path:
        """Where a service's log is."""
        return self._directory / f"{name}.log"

    def await_ready(self, services: Sequence[Service], progress: Callable[[str, str], None]) -> None:
        """Wait until each says that it can do its work.

        Args:
            services: those to wait for.
            progress: told each one's name and state.

        Raises:
            StackError: one ended, or was not ready in time.
        """
        waiting = {service.name: service for service in services}
        deadline = time.monotonic() + _READY_SECONDS
        while waiting:
            for name, service in list(waiting.items()):
                reason = _not_ready(service)
                progress(name, reason or "ready")
                if reason is None:
                    del waiting[name]
            self.watch()
            if waiting and time.monotonic() > deadline:
                raise StackError("\n".join(self._failure(name, "is not ready") for name in waiting))
            time.sleep(_POLL_SECONDS)

    def watch(self) -> None:
        """Start again what has ended.

        Raises:
            StackError: a service keeps ending.
        """
        for name, child in list(self._running.items()):
            code = child.poll()
            if code is None:
                continue
            self._restarts[name] = self._restarts.get(name, 0) + 1
            if self._restarts[name] > _MOST_RESTARTS or code == 2:
                raise StackError(self._failure(name, f"ended with {code}"))
            self._say(f"{name} ended with {code} and is started again")
            self.start(self._services[name])

    def stop(self) -> None:
        """End them all: first who publishes, last who reads."""
        for name in reversed(list(self._running)):
            self._running[name].send_signal(signal.SIGTERM)
            if name == "producer":
                _finish(self._running[name])
        for name, child in self._running.items():
            _finish(child)
            (self._directory / f"{name}.pid.json").unlink(missing_ok=True)
        self._running.clear()

    def _failure(self, name: str, what: str) -> str:
        log = self.log(name)
        return f"{name} {what}; the end of its log, {log}:\n{tail(log, _LOG_TAIL)}"


def stop_leftovers(directory: Path) -> None:
    """End the services whose pid files an earlier demo left behind."""
    for file in directory.glob("*.pid.json"):
        record = ProcessRecord.read(file)
        process = record.process() if record else None
        if process is not None:
            stop(process, signal.SIGTERM, 2.0)
        file.unlink(missing_ok=True)


def _finish(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        kill(psutil.Process(child.pid))
        child.wait()


def _not_ready(service: Service) -> str | None:
    try:
        with urllib.request.urlopen(service.ready_url, timeout=2):  # noqa: S310 (our own loopback address)
            return None
    except urllib.error.HTTPError as error:
        try:
            reasons = orjson.loads(error.read())["reasons"]
        except (ValueError, KeyError, TypeError):
            return f"answers {error.code}"
        return "; ".join(f"{part}: {reason}" for part, reason in reasons.items())
    except OSError:
        return "starting"
