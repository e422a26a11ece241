"""Clears up after a test run, however that ended: processes first, then its temporary folder.

It reads from a pipe that the kernel closes with the run. Then it ends what has the run's mark in its
environment or works in the run's folder. The word `keep` on the pipe has it leave the folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil

MARK: Final = "TICKSTREAM_TEST_RUN"
KEEP: Final = b"keep"
_GUARDS_SECONDS: Final = 60.0
_LAST_SECONDS: Final = 10.0


def of_run(run: str, folder: Path) -> list[psutil.Process]:
    """The processes that have the run's mark or work in its folder, other than this one."""
    return [
        process
        for process in psutil.process_iter(["environ", "cwd", "status", "cmdline"])
        if process.pid != os.getpid()
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and (_marked(process, run) or Path(process.info["cwd"] or "/").is_relative_to(folder))
    ]


def _marked(process: psutil.Process, run: str) -> bool:
    return (process.info["environ"] or {}).get(MARK) == run


def _is_guard(process: psutil.Process) -> bool:
    return any(word.endswith(".guard") for word in process.info["cmdline"] or ())


def clear(run: str, folder: Path) -> None:
    """End everything of a run; its stacks' guards are given the time to stop the servers in their own way."""
    found = of_run(run, folder)
    guards = [process for process in found if _is_guard(process)]
    _kill([process for process in found if _marked(process, run) and process not in guards])
    psutil.wait_procs(guards, timeout=_GUARDS_SECONDS)
    _kill(of_run(run, folder))


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=_LAST_SECONDS)


def main() -> None:
    """Wait for the run's end, then clear up after it."""
    run, folder = sys.argv[1], Path(sys.argv[2])
    word = sys.stdin.buffer.read()
    clear(run, folder)
    if word != KEEP:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
