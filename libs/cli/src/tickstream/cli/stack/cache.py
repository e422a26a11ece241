"""The cache of programs: an entry is there whole and verified, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tickstream.cli.stack.places import exclusive


@dataclass(frozen=True, slots=True)
class Cache:
    """A directory of finished entries, safe under interruption and under concurrent first runs."""

    root: Path

    def path(self, name: str) -> Path:
        """Where an entry is, or would be."""
        return self.root / name

    def has(self, name: str) -> bool:
        return self.path(name).is_dir()

    def install(self, name: str, make: Callable[[Path], None]) -> Path:
        """The directory of an entry, made first where it is missing.

        Args:
            name: the entry; its contents never change under one name, so the name holds the version.
            make: fills the empty directory that it is given, and raises when that fails.
        """
        target = self.path(name)
        if self.has(name):
            return target
        with exclusive(self.root / f".{name}.lock"):
            if not self.has(name):
                self._make(name, make)
        return target

    def _make(self, name: str, make: Callable[[Path], None]) -> None:
        for leftover in self.root.glob(f".{name}.tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}.tmp-", dir=self.root))
        try:
            make(draft)
            _flush(draft)
            draft.chmod(0o755)
            draft.rename(self.path(name))
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _flush(directory: Path) -> None:
    """Have every file on the disk before the rename that makes it count."""
    for path in directory.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
