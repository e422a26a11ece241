"""`tickstream alerts`: rules over what was recorded, and who was told of alerts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from tickstream.cli.backfill import recorded
from tickstream.cli.cluster import kafka_environment
from tickstream.cli.why import why
from tickstream.core.errors import SettingsError, TickstreamError

_PROGRAM: Final = "tickstream.alerting.backtest"

app = typer.Typer(no_args_is_help=True, help="Alert rules over recorded data, and who was told of alerts.")

Rule = Annotated[str, typer.Argument(metavar="RULE", help="An expression, or a YAML file of rules.")]
Start = Annotated[str, typer.Option("--from", metavar="beginning|TIME", help="As if the rules were made then.")]
End = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only what happened until then.")]
Symbols = Annotated[str, typer.Option(metavar="A,B", help="These, whatever the rules say.")]
Recording = Annotated[Path | None, typer.Option(metavar="FILE_OR_FOLDER", help="Recordings, not the topics.")]
Calendar = Annotated[str, typer.Option(help="Sessions of bars that aren't continuous.")]
Json = Annotated[bool, typer.Option("--json", help="One object a line.")]


def register(root: typer.Typer) -> None:
    """Add `alerts` to the command line."""
    app.command("why")(why)
    root.add_typer(app, name="alerts")


@app.command("test")
def fired(
    rule: Rule,
    start: Start = "beginning",
    end: End = None,
    symbols: Symbols = "",
    path: Recording = None,
    calendar: Calendar = "XNYS",
    json: Json = False,  # noqa: FBT002 (a flag)
) -> None:
    """What rules would have said: every alert with its states, when and why."""
    _run(["test", rule, *_options(start, end, symbols, calendar, json=json)], path, symbols)


@app.command()
def explain(
    rule: Rule,
    symbols: Annotated[str, typer.Option(metavar="A,B", help="Whose bars.")],
    start: Start = "beginning",
    end: End = None,
    path: Recording = None,
    calendar: Calendar = "XNYS",
    json: Json = False,  # noqa: FBT002 (a flag)
) -> None:
    """What a rule and its parts came to at each bar."""
    _run(["explain", rule, *_options(start, end, symbols, calendar, json=json)], path, "")


def _options(start: str, end: str | None, symbols: str, calendar: str, *, json: bool) -> list[str]:
    given = ["--from", start, "--symbols", symbols, "--calendar", calendar]
    return [*given, *(["--to", end] if end else []), *(["--json"] if json else [])]


def _run(arguments: Sequence[str], path: Path | None, symbols: str) -> None:
    try:
        with _topics(path, symbols) as environment:
            command = [sys.executable, "-m", _PROGRAM, *arguments]
            code = subprocess.run(command, env=environment, check=False).returncode
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    if code:
        raise typer.Exit(code)


@contextmanager
def _topics(path: Path | None, symbols: str) -> Iterator[dict[str, str]]:
    """The environment of the topics to read: the cluster's own, or those that recordings make for a while."""
    environment = kafka_environment(os.environ)
    if path is None:
        yield environment
        return
    with recorded(path, symbols) as prefix:
        yield {**environment, "KAFKA_TOPIC_PREFIX": prefix}
