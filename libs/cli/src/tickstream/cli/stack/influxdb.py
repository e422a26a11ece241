"""InfluxDB 2, compiled on this machine: no package carries it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tickstream.cli.stack import influxdb_build
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import NotReadyError, StackError
from tickstream.cli.stack.jars import Advance
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.servers import Server, Site
from tickstream.cli.stack.web import call

_ORG = "tickstream"
_BUCKET = "market"
_CREATED = 201


class InfluxServer(Server):
    """Time series, with one organisation, one bucket and a token of the stack's own."""

    name = "influxdb"
    program = "influxd"
    ports = {"main": 8086}  # noqa: RUF012 (declared in the base class)
    secrets = ("password", "token")
    settings = ("INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_ORG", "INFLUXDB_BUCKET")
    built_here = True

    @property
    def entry(self) -> str:
        return influxdb_build.ENTRY

    def missing_tools(self) -> list[str]:
        return influxdb_build.missing_tools()

    def install(self, cache: Cache, advance: Advance) -> None:  # noqa: ARG002 (compilers tell nothing)
        cache.install(self.entry, influxdb_build.build)

    def prepare(self, site: Site) -> list[str]:
        site.data.mkdir(exist_ok=True)
        return [
            *(str(site.cache.path(self.entry) / "influxd"), "run"),
            f"--bolt-path={site.data / 'influxd.bolt'}",
            f"--sqlite-path={site.data / 'influxd.sqlite'}",
            f"--engine-path={site.data / 'engine'}",
            f"--http-bind-address={LOOPBACK}:{site.port}",
            "--reporting-disabled",
            "--log-level=warn",
        ]

    def check(self, site: Site) -> None:
        _healthy(_url(site))

    def provision(self, site: Site) -> None:
        url = _url(site)
        _status, answer = call(f"{url}/api/v2/setup")
        if json.loads(answer).get("allowed"):
            wish = {"username": _ORG, "org": _ORG, "bucket": _BUCKET, "retentionPeriodSeconds": 0, **site.secrets}
            status, answer = call(f"{url}/api/v2/setup", body=wish)
            if status != _CREATED:
                raise StackError(f"InfluxDB's set-up was refused with {status}: {answer.decode('utf-8', 'replace')}")
        _has_bucket(self.environment(site))

    def environment(self, site: Site) -> dict[str, str]:
        return {
            "INFLUXDB_URL": _url(site),
            "INFLUXDB_TOKEN": site.secrets["token"],
            "INFLUXDB_ORG": _ORG,
            "INFLUXDB_BUCKET": _BUCKET,
        }

    def check_own(self, environment: Mapping[str, str]) -> None:
        _healthy(environment[self.own_setting].rstrip("/"))
        _has_bucket(environment)


def _url(site: Site) -> str:
    return f"http://{LOOPBACK}:{site.port}"


def _healthy(url: str) -> None:
    status, answer = call(f"{url}/health")
    if status != 200:
        raise NotReadyError(f"InfluxDB at {url} answers {status}: {answer[:200].decode('utf-8', 'replace')}")


def _has_bucket(environment: Mapping[str, str]) -> None:
    url = environment["INFLUXDB_URL"].rstrip("/")
    bucket = environment.get("INFLUXDB_BUCKET", _BUCKET)
    status, answer = call(f"{url}/api/v2/buckets?limit=100", token=environment.get("INFLUXDB_TOKEN", ""))
    if status != 200:
        raise NotReadyError(f"InfluxDB at {url} refuses INFLUXDB_TOKEN with status {status}")
    if bucket not in {found["name"] for found in json.loads(answer)["buckets"]}:
        raise NotReadyError(f"InfluxDB at {url} has no bucket {bucket} (INFLUXDB_BUCKET) that INFLUXDB_TOKEN can see")
