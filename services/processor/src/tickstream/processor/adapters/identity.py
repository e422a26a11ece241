"""A name for this instance that the next one in its place takes over.

A transactional producer that starts under the name of one that was killed ends that one's
transaction at once; under a fresh name it would have to wait for a timeout. Instances on one
machine hold places, from 0, by file locks, which the system lets go when a process dies. Who
leaves no transaction behind empties its file; a place with something in it is taken first.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tickstream.core.errors import FatalError

_PLACES: Final = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A place that is held.

    Attributes:
        name: of the instance.
        lock: the file's descriptor.
    """

    name: str
    lock: int

    def clear(self) -> None:
        """Say that no transaction of that name is open: nobody need hurry to take the place."""
        os.ftruncate(self.lock, 0)


@contextmanager
def place(name: str) -> Iterator[Place]:
    """Hold a free place of `name` on this machine.

    Raises:
        FatalError: no lock can be had.
    """
    folder = Path(tempfile.gettempdir()) / f"tickstream-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        number, lock = _held(folder, name)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except OSError as error:
        raise FatalError(f"{folder} must be a folder for lock files: {error.strerror}") from error
    try:
        yield Place(f"{name}-{socket.gethostname()}-{number}", lock)
    finally:
        os.close(lock)


def _held(folder: Path, name: str) -> tuple[int, int]:
    """(number, lock) of the place to take: the first with something in it, else the first free one."""
    files = [folder / f"{name}-{number}.lock" for number in range(_PLACES)]
    left = [number for number, file in enumerate(files) if file.exists() and file.stat().st_size]
    for number in [*left, *range(_PLACES)]:
        lock = os.open(files[number], os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    raise FatalError(f"{folder} has no free place for {name} among {_PLACES}")
