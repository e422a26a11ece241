"""Java programs from Maven coordinates: exactly the files that a lock file names, by their SHA-256."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import ChecksumError, StackError

_PARALLEL = 8

Advance = Callable[[int, int], None]
"""Told how much of a job is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of a lock file: `sha256  group:artifact:version[:packaging[:classifier]]`."""

    sha256: str
    group: str
    artifact: str
    version: str
    packaging: str = "jar"
    classifier: str = ""

    @classmethod
    def parse(cls, line: str) -> Jar:
        sha256, coordinates = line.split()
        return cls(sha256, *coordinates.split(":"))

    @property
    def filename(self) -> str:
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.packaging}"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


@dataclass(frozen=True, slots=True)
class JarLock:
    """The files of one program."""

    name: str
    jars: tuple[Jar, ...]

    @classmethod
    def load(cls, program: str) -> JarLock:
        """The lock file that comes with this package; its first jar is the program itself."""
        text = files(__package__).joinpath("locks", f"{program}.lock").read_text(encoding="utf-8")
        jars = tuple(Jar.parse(line) for line in text.splitlines() if line and not line.startswith("#"))
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return cls(f"{program}-{jars[0].version}-{digest}", jars)

    def install(self, cache: Cache, advance: Advance) -> Path:
        """The cache's directory with the files."""
        return cache.install(self.name, lambda directory: self.fetch(directory, advance))

    def fetch(self, directory: Path, advance: Advance) -> None:
        """Fill a directory with the files, each verified."""
        with (
            tempfile.TemporaryDirectory(prefix=".repository-", dir=directory) as repository,
            ThreadPoolExecutor(_PARALLEL) as pool,
        ):
            fetches = [pool.submit(_fetch, jar, Path(repository)) for jar in self.jars]
            try:
                for done, (jar, fetch) in enumerate(zip(self.jars, fetches, strict=True)):
                    advance(done, len(self.jars))
                    place(jar, fetch.result(), directory)
            finally:
                pool.shutdown(cancel_futures=True)
        advance(len(self.jars), len(self.jars))


def _fetch(jar: Jar, repository: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415 (half a second that only a first run needs)

    project = MavenContext(repo_cache=repository, timeout=30).project(jar.group, jar.artifact)
    try:
        path: Path = project.at_version(jar.version).artifact(jar.classifier, jar.packaging).resolve()
    except (OSError, RuntimeError, AssertionError) as error:
        raise StackError(f"{jar} could not be fetched: {error}") from error
    return path


def place(jar: Jar, fetched: Path, directory: Path) -> None:
    """Move a fetched file to where it is used, once it is the file that the lock names."""
    with fetched.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != jar.sha256:
        raise ChecksumError(f"{jar} must have SHA-256 {jar.sha256}, and what was fetched has {digest}")
    shutil.move(fetched, directory / jar.filename)
