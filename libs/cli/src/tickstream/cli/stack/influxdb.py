"""InfluxDB 2, built on this machine: no package carries it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

from tickstream.cli.stack import influxdb_build
from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.errors import NotReadyError, StackError
from tickstream.cli.stack.jars import Advance
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.servers import Server, Site

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

    def installed(self, cache: Cache) -> bool:
        return cache.has(influxdb_build.ENTRY)

    def missing_tools(self) -> list[str]:
        return influxdb_build.missing_tools()

    def install(self, cache: Cache, advance: Advance) -> None:
        cache.install(influxdb_build.ENTRY, influxdb_build.build)

    def prepare(self, site: Site) -> list[str]:
        site.data.mkdir(exist_ok=True)
        return [
            *(str(site.cache.path(influxdb_build.ENTRY) / "influxd"), "run"),
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
        _status, answer = _call(f"{url}/api/v2/setup")
        if json.loads(answer).get("allowed"):
            wish = {"username": _ORG, "org": _ORG, "bucket": _BUCKET, "retentionPeriodSeconds": 0, **site.secrets}
            status, answer = _call(f"{url}/api/v2/setup", body=wish)
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
    status, answer = _call(f"{url}/health")
    if status != 200:
        raise NotReadyError(f"InfluxDB at {url} answers {status}: {answer[:200].decode('utf-8', 'replace')}")


def _has_bucket(environment: Mapping[str, str]) -> None:
    url = environment["INFLUXDB_URL"].rstrip("/")
    bucket = environment.get("INFLUXDB_BUCKET", _BUCKET)
    status, answer = _call(f"{url}/api/v2/buckets?limit=100", token=environment.get("INFLUXDB_TOKEN", ""))
    if status != 200:
        raise NotReadyError(f"InfluxDB at {url} refuses INFLUXDB_TOKEN with status {status}")
    if bucket not in {found["name"] for found in json.loads(answer)["buckets"]}:
        raise NotReadyError(f"InfluxDB at {url} has no bucket {bucket} (INFLUXDB_BUCKET) that INFLUXDB_TOKEN can see")


def _call(url: str, *, token: str = "", body: object = None) -> tuple[int, bytes]:
    """One request and its answer, whatever its status."""
    if not url.startswith(("http://", "https://")):
        raise NotReadyError(f"INFLUXDB_URL must start with http:// or https://, was {url}")
    headers = {"Authorization": f"Token {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 (the scheme is checked above)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 (the scheme is checked above)
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        raise NotReadyError(f"no InfluxDB at {url}: {error}") from error
