"""`tickstream stack`."""

# ruff: noqa: FBT002 - typer makes flags of them

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tickstream.cli.stack.catalogue import DEFAULT, SERVERS
from tickstream.cli.stack.display import Display
from tickstream.cli.stack.errors import StackError
from tickstream.cli.stack.processes import tail
from tickstream.cli.stack.stack import ServerStatus, Stack
from tickstream.core.errors import TickstreamError

app = typer.Typer(no_args_is_help=True, help="The native servers: Kafka, InfluxDB, PostgreSQL, Redis.")

_FOLLOW_SECONDS = 0.3
_COLOURS = {"up": "green", "own": "green", "building": "yellow", "silent": "red", "unreachable": "red", "down": "dim"}

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SERVER]...", help=f"Some of {', '.join(SERVERS)}.", show_default=False),
]
Name = Annotated[str, typer.Option("--name", help="The stack's name; several live side by side.")]


def register(root: typer.Typer) -> None:
    """Add `stack` to the command line."""
    root.add_typer(app, name="stack")


@app.command()
def up(
    servers: Names = None,
    name: Name = "default",
    port: Annotated[
        list[str] | None, typer.Option("--port", metavar="SERVER=PORT", help="Listen there and nowhere else.")
    ] = None,
    background_builds: Annotated[
        bool, typer.Option("--background-builds", help="Don't wait for what is compiled here.")
    ] = False,
) -> None:
    """Start servers that don't run yet; without names, kafka, influxdb, postgres and redis."""
    with _reported(), Display() as display:
        Stack(name, ports=_ports(port or [])).up(servers, display, background_builds=background_builds)


@app.command()
def down(servers: Names = None, name: Name = "default") -> None:
    """Stop servers, all of them without names; their data stays."""
    with _reported(), Display() as display:
        Stack(name).down(servers, display)


@app.command()
def status(
    name: Name = "default", as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Show how each server is; ends with 1 unless all are up."""
    with _reported():
        found = Stack(name).status()
    if as_json:
        print(json.dumps([server.as_dict() for server in found], indent=2))
    elif found:
        Console().print(_table(found))
    else:
        Console(stderr=True).print(f"stack {name} has no servers yet: tickstream stack up")
    if not found or any(server.state not in ("up", "own") for server in found):
        raise typer.Exit(1)


@app.command()
def env(name: Name = "default") -> None:
    """Print `export NAME=value` lines, for eval "$(tickstream stack env)"."""
    with _reported():
        stack = Stack(name)
        settings = stack.env()
        away = [server.server for server in stack.status() if server.state not in ("up", "own")]
    for setting, value in settings.items():
        print(f"export {setting}={shlex.quote(value)}")
    if away or len(settings) == 1:
        print(f"not up: {', '.join(away) or 'no server'}; tickstream stack up --name {name}", file=sys.stderr)


@app.command()
def logs(
    server: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVERS)}.")],
    name: Name = "default",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
) -> None:
    """Print the end of a server's log."""
    with _reported():
        log = Stack(name).log(server)
    if lines:
        print(tail(log, lines), flush=True)
    if follow:
        _follow(log)


@app.command()
def wipe(
    name: Name = "default",
    force: Annotated[bool, typer.Option("--force", help="Stop what still runs.")] = False,
) -> None:
    """Remove the stack's data, logs, ports and secrets."""
    with _reported():
        Stack(name).wipe(force=force)


@contextmanager
def _reported() -> Iterator[None]:
    """End with 1 and the error's own words."""
    try:
        yield
    except TickstreamError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _ports(wishes: list[str]) -> dict[str, int]:
    ports = {}
    for wish in wishes:
        server, _, port = wish.partition("=")
        if server not in SERVERS or not port.isdigit() or not 0 < int(port) < 65536:
            raise StackError(f"--port must be a server and a port such as {DEFAULT[0]}=29092, was {wish!r}")
        ports[server] = int(port)
    return ports


def _table(found: list[ServerStatus]) -> Table:
    table = Table("server", "state", "address", "pid", "memory", "")
    for server in found:
        table.add_row(
            server.server,
            f"[{_COLOURS[server.state]}]{server.state}[/]",
            server.address,
            str(server.pid or ""),
            f"{server.memory / 2**20:.0f} MiB" if server.memory else "",
            server.detail,
        )
    return table


def _follow(log: Path) -> None:
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        while True:
            text = file.read()
            if text:
                print(text, end="", flush=True)
            else:
                time.sleep(_FOLLOW_SECONDS)
