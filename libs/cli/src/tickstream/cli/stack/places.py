"""Where the native servers live: one cache of programs, and a directory of state for each stack."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The two roots on this machine.

    Attributes:
        cache: programs, shared by all stacks; losing it costs only time.
        state: data, logs, ports and secrets, one directory a stack.
    """

    cache: Path
    state: Path

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Places:
        """The places that TICKSTREAM_CACHE_DIR and TICKSTREAM_STATE_DIR name, else the XDG base directories."""
        home = Path(environment.get("HOME") or Path.home())
        cache = environment.get("TICKSTREAM_CACHE_DIR") or _below(environment, "XDG_CACHE_HOME", home / ".cache")
        state = environment.get("TICKSTREAM_STATE_DIR") or _below(
            environment, "XDG_STATE_HOME", home / ".local" / "state"
        )
        return cls(Path(cache).absolute(), Path(state).absolute())


def _below(environment: Mapping[str, str], base: str, default: Path) -> Path:
    return Path(environment.get(base) or default) / "tickstream"


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock file against other processes and threads; the kernel lets go of it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Put a file in place whole or not at all, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
