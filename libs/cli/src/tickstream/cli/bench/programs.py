"""Runs a program to its end and says what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tickstream.core.errors import FatalError

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
        """The cost without that of starting and stopping with nothing to do."""
        return replace(self, wall=max(self.wall - start.wall, 1e-3), cpu=max(self.cpu - start.cpu, 1e-3))


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
