"""The stock Java client, compiled for the tests: with the Java that Kafka runs on, no JDK and no Maven."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from pathlib import Path

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.jars import Jar, JarLock
from tickstream.cli.stack.java import java

_SOURCES = Path(__file__).parent / "java"
_LOCK = _SOURCES / "jars.lock"
_CLIENT = _SOURCES / "Client.java"
_HOME = Path(__file__).parents[2] / "build" / "java"


@functools.cache
def java_client() -> list[str]:
    """The command that runs the client, but for its arguments."""
    folder = Cache(_HOME).install(f"client-{_digest()}", _make)
    return [java(), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}:{folder}/*", "Client"]


def compiled(source: Path, folder: Path) -> None:
    """Compile a program that uses the client's library into a folder."""
    _compile(source, folder, Cache(_HOME).path(f"client-{_digest()}"))


def _make(folder: Path) -> None:
    lines = [line for line in _LOCK.read_text().splitlines() if not line.startswith("#")]
    JarLock("java-client", tuple(map(Jar.parse, lines))).fetch(folder, lambda _done, _all: None)
    _compile(_CLIENT, folder, folder)


def _compile(source: Path, folder: Path, library: Path) -> None:
    [compiler] = library.glob("ecj-*.jar")
    jars = ":".join(map(str, library.glob("*.jar")))
    command = [java(), "-jar", str(compiler), "-17", "-nowarn", "-cp", jars, "-d", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{source} could not be compiled:\n{done.stdout}{done.stderr}")


def _digest() -> str:
    return hashlib.sha256(_LOCK.read_bytes() + _CLIENT.read_bytes()).hexdigest()[:12]
