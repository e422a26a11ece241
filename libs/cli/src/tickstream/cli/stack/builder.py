"""Work that takes long and is in no hurry, in a process of its own at the lowest priority: compiling, tuning."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.processes import Children, ProcessRecord, kill, tail
from tickstream.cli.stack.progress import OnProgress, Step
from tickstream.cli.stack.servers import Server, Site

_POLL_SECONDS = 0.5
_LOWEST_PRIORITY = 19
_LOG_TAIL = 20


def start(server: Server, site: Site, children: Children) -> None:
    """Begin, unless it is under way already; two stacks' builders wait for each other by the cache's lock."""
    if not running(site):
        site.build_log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tickstream.cli.stack.builder", server.name, str(site.cache.root)]
        children.start(command, site.directory, site.build_log, site.build_pid_file, os.environ)


def running(site: Site) -> bool:
    """Whether a build is under way for this stack."""
    record = ProcessRecord.read(site.build_pid_file)
    return record is not None and record.process() is not None


def stop(site: Site) -> None:
    """End a build; what the compilers have finished stays in their own caches."""
    record = ProcessRecord.read(site.build_pid_file)
    process = record.process() if record else None
    if process is not None:
        kill(process)
    site.build_pid_file.unlink(missing_ok=True)


def wait(server: Server, site: Site, tell: OnProgress, interrupted: threading.Event) -> None:
    """Wait until the program is there.

    Raises:
        StackError: the build failed, or the wait was interrupted.
    """
    began = time.monotonic()
    while running(site):
        if interrupted.wait(_POLL_SECONDS):
            stop(site)
            raise StackError(f"the build of {server.name} was interrupted")
        tell(Step(server.name, "building", f"{time.monotonic() - began:.0f} s, log in {site.build_log}"))
    site.build_pid_file.unlink(missing_ok=True)
    if not server.installed(site.cache):
        end = tail(site.build_log, _LOG_TAIL)
        raise StackError(f"{server.name} could not be built; the end of its log, {site.build_log}:\n{end}")


def main() -> None:
    """Do all there is to do for the server named on the command line, in the cache named there."""
    from tickstream.cli.stack.catalogue import SERVERS  # noqa: PLC0415 (the catalogue leads back here)

    os.nice(_LOWEST_PRIORITY)
    name, root = sys.argv[1:]
    try:
        SERVERS[name].install(Cache(Path(root)), lambda _done, _total: None)
        SERVERS[name].tune(Cache(Path(root)))
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
