"""The Kafka Streams peer: a Java job that Maven builds once, into the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import MissingToolError
from tickstream.cli.stack.java import java
from tickstream.core.errors import FatalError

_MAIN: Final = "tickstream.bench.MinuteBars"
_SCHEMAS: Final = ("stock_ticks.avsc", "bars.avsc", "ids.json")
_JVM: Final = (
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseSerialGC",
    "-Dorg.apache.avro.SERIALIZABLE_PACKAGES=tickstream",
    "-Dorg.apache.avro.specific.use_custom_coders=true",
    "--enable-native-access=ALL-UNNAMED",
)


@dataclass(frozen=True, slots=True)
class KafkaStreamsJob:
    """The job's sources.

    Attributes:
        sources: the folder of its pom.xml.
        schemas: the folder of the topics' schemas.
    """

    sources: Path
    schemas: Path

    @property
    def entry(self) -> str:
        """Its name in the cache: another one as soon as a source changes."""
        digest = hashlib.sha256()
        for path in self._inputs():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return f"kafka-streams-peer-{digest.hexdigest()[:8]}"

    def command(self, cache: Cache) -> list[str]:
        """The program, built first where it is missing.

        Raises:
            MissingToolError: it isn't built yet, and Maven or a JDK is missing.
            FatalError: it can't be built.
        """
        built = cache.install(self.entry, self._build)
        return [java(), *_JVM, "-cp", f"{built}/*", _MAIN]

    def _inputs(self) -> Iterator[Path]:
        yield self.sources / "pom.xml"
        yield from sorted(path for path in (self.sources / "src").rglob("*") if path.is_file())
        yield from (self.schemas / name for name in _SCHEMAS)

    def _build(self, directory: Path) -> None:
        work = directory / "work"
        command = [_maven(), "--batch-mode", "--quiet", "--file", str(self.sources / "pom.xml")]
        command += [f"-Dbuilt={work}", f"-Dschemas={self.schemas}", "package"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True)
        if done.returncode != 0:
            raise FatalError(f"Maven could not build the Kafka Streams job:\n{done.stdout[-2000:]}")
        for jar in [*work.glob("*.jar"), *work.glob("lib/*.jar")]:
            jar.rename(directory / jar.name)
        shutil.rmtree(work)


def _maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise MissingToolError("Kafka Streams' job is built by Maven: mvn is not on the PATH (Debian: maven)")
    if shutil.which("javac") is None and "JAVA_HOME" not in os.environ:
        raise MissingToolError(
            "Kafka Streams' job is built with a JDK: javac is not on the PATH (Debian: default-jdk-headless)"
        )
    return maven
