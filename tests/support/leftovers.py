"""Nothing of a test run outlives it, and a test that leaves a process behind fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.support import watcher

_MOMENT: Final = 10.0


class Run:
    """A run with its mark, its temporary folder, and its watcher. Its workers are parts of it."""

    def __init__(self, folder: Path) -> None:
        self._name = uuid.uuid4().hex
        self._folder = folder
        self._watcher = subprocess.Popen(
            [sys.executable, watcher.__file__, self._name, str(folder)], stdin=subprocess.PIPE, start_new_session=True
        )
        os.environ[watcher.MARK] = self._name
        own = folder / "tmp"  # of the programs under test, too
        own.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(own)

    def left(self) -> list[psutil.Process]:
        """What the run has started and not ended, after a moment in which it may end by itself."""
        deadline = time.monotonic() + _MOMENT
        while (found := self._found()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _found(self) -> list[psutil.Process]:
        return [found for found in watcher.of_run(self._name, self._folder) if found.pid != self._watcher.pid]

    def end(self, *, keep: bool) -> None:
        """Clear up; the folder stays when it is of use."""
        self._watcher.communicate(watcher.KEEP if keep else b"")


_RUN: Final = pytest.StashKey[Run]()


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if "PYTEST_XDIST_WORKER" not in os.environ and not config.option.collectonly:
        folder = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # pytest has no other way to ask
        config.stash[_RUN] = Run(folder)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> object:
    """Runs around all others: the workers have ended by then."""
    finished = yield
    run = session.config.stash.get(_RUN, None)
    if run is not None:
        left = [" ".join(process.info["cmdline"] or ()) for process in run.left()] if exitstatus == 0 else []
        run.end(keep=exitstatus == pytest.ExitCode.TESTS_FAILED)
        if left:
            raise pytest.UsageError(f"left behind by tests: {'; '.join(left)}")
    return finished
