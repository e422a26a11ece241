"""A watcher that brings a stack down when the process that owns it is gone, however that ended.

It reads from a pipe whose other end only the owner holds: the kernel closes that end with the owner.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


class Guard:
    """The owner's side."""

    def __init__(self, stack: str, environment: Mapping[str, str]) -> None:
        self._stack = stack
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have it watch from now on."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tickstream.cli.stack.guard", self._stack],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=Path("/"),
                env=os.environ | self._environment,
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """End it; the stack stays as it is."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main() -> None:
    """Wait for the owner's end, then stop the stack's servers."""
    sys.stdin.buffer.read()
    from tickstream.cli.stack.stack import Stack  # noqa: PLC0415 (while it waits it stays small)

    Stack(sys.argv[1]).down()


if __name__ == "__main__":
    main()
