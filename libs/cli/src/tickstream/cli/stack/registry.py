"""A schema registry with the API of Confluent's: Apicurio Registry, on a database in a file."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import NotReadyError
from tickstream.cli.stack.jars import Advance, JarLock
from tickstream.cli.stack.java import java
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.servers import Server, Site
from tickstream.cli.stack.web import call


class RegistryServer(Server):
    """The registry, in Java from a wheel."""

    name = "registry"
    program = "java"
    ports = {"main": 8081}  # noqa: RUF012 (declared in the base class)
    settings = ("SCHEMA_REGISTRY_URL",)

    def __init__(self) -> None:
        self._archive = JarLock.load("registry")

    @property
    def entry(self) -> str:
        return self._archive.name

    def install(self, cache: Cache, advance: Advance) -> None:
        cache.install(self.entry, lambda directory: self._unpack(directory, advance))

    def _unpack(self, directory: Path, advance: Advance) -> None:
        self._archive.fetch(directory, advance)
        (archive,) = directory.glob("*.tar.gz")
        with tarfile.open(archive) as content:
            content.extractall(directory, filter="data")
        archive.unlink()

    def prepare(self, site: Site) -> list[str]:
        site.data.mkdir(exist_ok=True)
        options = {
            "quarkus.http.host": LOOPBACK,
            "quarkus.http.port": site.port,
            "quarkus.management.host": LOOPBACK,
            "quarkus.management.port": 0,
            "quarkus.http.access-log.enabled": "false",
            'quarkus.log.category."io.apicurio".level': "WARN",
            "apicurio.datasource.url": f"jdbc:h2:file:{site.data / 'registry'}",
            "apicurio.storage.snapshot.location": site.data,
        }
        program = site.cache.path(self.entry) / "quarkus-run.jar"
        settings = [f"-D{name}={value}" for name, value in options.items()]
        return [java(), "-Xmx256m", "-XX:+UseSerialGC", *settings, "-jar", str(program)]

    def check(self, site: Site) -> None:
        _lists_subjects(_url(site))

    def environment(self, site: Site) -> dict[str, str]:
        return {"SCHEMA_REGISTRY_URL": _url(site)}

    def check_own(self, environment: Mapping[str, str]) -> None:
        _lists_subjects(environment[self.own_setting].rstrip("/"))


def _url(site: Site) -> str:
    return f"http://{LOOPBACK}:{site.port}/apis/ccompat/v7"


def _lists_subjects(url: str) -> None:
    status, answer = call(f"{url}/subjects")
    if status != 200:
        raise NotReadyError(f"the schema registry at {url} answers {status}: {answer[:200].decode('utf-8', 'replace')}")
