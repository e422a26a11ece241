"""A watcher that ends the demo's services when the demo is gone, however it ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def start_guard(directory: Path) -> subprocess.Popen[bytes]:
    """Have one watch from now on; it ends with the pipe that only this process holds, or when killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tickstream.cli.demo.guard", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main() -> None:
    """Wait for the owner's end, then stop what its pid files name."""
    sys.stdin.buffer.read()
    from tickstream.cli.demo.crew import stop_leftovers  # noqa: PLC0415 (while it waits it stays small)

    stop_leftovers(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
