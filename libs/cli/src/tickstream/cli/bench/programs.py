"""Runs programs: to their end, to say what that cost, or beside something else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from tickstream.cli.stack.ports import LOOPBACK
from tickstream.core.errors import FatalError

_START_LIMIT: Final = 60.0
_STOP_LIMIT: Final = 20.0
_LOOK_EVERY: Final = 0.02
_MAXRSS_BYTES: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took.

    Attributes:
        wall: seconds from start to end.
        cpu: user and system seconds of the process, its threads and its children.
        peak: most bytes of memory that one of its processes held. The system counts what this process held
            when it started that one, too: a peak below that can't be told.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak: int
    output: str

    def less(self, start: Cost) -> Cost:
        """The cost without the CPU time of starting and stopping with nothing to do; waiting isn't taken off."""
        return replace(self, cpu=max(self.cpu - start.cpu, 1e-3))


def run(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    """Run it.

    Raises:
        FatalError: it didn't end with 0; the end of what it said is in the message.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        child = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
        if child.returncode != 0:
            errors.seek(0)
            end = errors.read().decode(errors="replace")[-2000:]
            raise FatalError(f"{' '.join(command)} ended with {child.returncode}:\n{end}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_BYTES, text)


def program(name: str) -> str:
    """The path of one of the platform's own."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def running(environment: Mapping[str, str], name: str, *arguments: str) -> Iterator[None]:
    """One of the platform's own, for as long as the context lasts."""
    child = subprocess.Popen([program(name), *arguments], env=dict(environment), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def await_ready(port: int) -> None:
    """Wait until the service at a port says that it is ready.

    Raises:
        FatalError: it doesn't for a minute.
    """
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(_LOOK_EVERY)
    raise FatalError(f"the service at port {port} must be ready within {_START_LIMIT:.0f} s")
