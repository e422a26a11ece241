"""The `tickstream` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

import typer

_COMMANDS: Final = {
    "demo": ("tickstream.cli.demo.command", "The whole platform on this machine, with a dashboard."),
    "stack": ("tickstream.cli.stack.commands", "The native servers: Kafka, InfluxDB, PostgreSQL, Redis."),
    "topics": ("tickstream.cli.topics", "The topics: create, list, describe."),
    "keys": ("tickstream.cli.keys", "The API keys of the socket: create, list, revoke."),
    "backfill": ("tickstream.cli.backfill", "Bars and indicators of recordings, beside the live ones or in place."),
    "alerts": ("tickstream.cli.alerts", "Alert rules over recorded data: test, explain."),
    "tail": ("tickstream.cli.tail.command", "Follow a topic in the terminal or in a pipe."),
    "bench": ("tickstream.cli.bench.command", "The benchmarks, beside their peers."),
    "doctor": ("tickstream.cli.doctor", "What this machine has and lacks, and what each lack costs."),
}
"""Each command's module, whose `register` adds it to the app, and its line in the overview."""


def application(arguments: Sequence[str]) -> typer.Typer:
    """The command line's app; of the commands' modules only the one that is asked for is imported."""
    app = typer.Typer(
        name="tickstream",
        help="Real-time market data: trades to bars, indicators, analytics and alerts.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    asked = next((argument for argument in arguments if not argument.startswith("-")), "")
    for name, (module, overview) in _COMMANDS.items():
        if name == asked:
            import_module(module).register(app)
        else:
            app.command(name, help=overview)(_elsewhere)
    app.callback()(_root)
    return app


def _elsewhere() -> None:
    """Stands for a command that isn't the one asked for."""


def _root() -> None:
    """Keeps the commands apart by name even where there is only one."""


def main() -> None:
    """The console script."""
    application(sys.argv[1:])()
