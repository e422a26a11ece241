"""A name for this instance that the next one in its place takes over.

A transactional producer that starts under the name of one that was killed ends that one's
transaction at once; under a fresh name it would have to wait for a timeout. Instances on one
machine hold places, from 0, by file locks, which the system lets go when a process dies.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tickstream.core.errors import FatalError

_PLACES: Final = 1000


@contextmanager
def place(name: str) -> Iterator[str]:
    """Hold the first free place of `name` on this machine; gives the instance's name.

    Raises:
        FatalError: no lock can be had.
    """
    folder = Path(tempfile.gettempdir()) / f"tickstream-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for number in range(_PLACES):
            lock = os.open(folder / f"{name}-{number}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            try:
                yield f"{name}-{socket.gethostname()}-{number}"
            finally:
                os.close(lock)
            return
    except OSError as error:
        raise FatalError(f"{folder} must be a folder for lock files: {error.strerror}") from error
    raise FatalError(f"{folder} has no free place for {name} among {_PLACES}")
