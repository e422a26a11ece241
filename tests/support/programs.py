"""Starts the project's own programs, and ends them by their id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import spare_port

DEADLINE = 120.0
_UNHURRIED = {"WS_BRIDGE_RESUME_SECONDS": "15"}
"""On a busy machine the product's own limit would give a client a snapshot where a test is about what it missed."""


def program(name: str) -> str:
    """The path of one of the workspace's commands."""
    return str(Path(sys.executable).with_name(name))


def run(name: str, *arguments: str, env: Mapping[str, str], limit: float = 240.0) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [program(name), *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def must(name: str, *arguments: str, env: Mapping[str, str], limit: float = 240.0) -> str:
    """Run a command that has to end with 0; gives what it printed."""
    done = run(name, *arguments, env=env, limit=limit)
    assert done.returncode == 0, f"{name} {arguments} ended with {done.returncode}:\n{done.stderr[-4000:]}"
    return done.stdout


class Running:
    """A service that runs until it is told otherwise."""

    def __init__(self, child: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.child = child
        self.port = port
        self._log = log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def ready(self) -> bool:
        """Whether it says that it can do its work."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return True
        except OSError:
            return False

    def await_ready(self) -> None:
        """Wait for that."""
        until(lambda: self.ready() or self.child.poll() is not None, lambda: f"not ready:\n{self.log()[-4000:]}")
        assert self.child.poll() is None, self.log()[-4000:]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, and give its exit code."""
        self.child.send_signal(number)
        return self.child.wait(60)


@contextmanager
def service(
    name: str, *arguments: str, env: Mapping[str, str], log: Path, port: int | None = None
) -> Iterator[Running]:
    """A service on a free port, or on this one, ended with the block; what has to be quick may take its time."""
    port = port or spare_port()
    with log.open("ab") as output:
        child = subprocess.Popen(
            [program(name), *arguments],
            env={**os.environ, **_UNHURRIED, **env, "HTTP_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(child, port, log)
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def until(holds: Callable[[], object], otherwise: Callable[[], str] | str, limit: float = DEADLINE) -> None:
    """Wait for a condition; fails only when it hasn't come true long after it should have."""
    deadline = time.monotonic() + limit
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        time.sleep(0.1)
