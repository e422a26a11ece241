"""The command line of `tickstream bench`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tickstream.cli.bench.pipeline import PipelineBench
from tickstream.cli.bench.servers import bench_servers
from tickstream.cli.bench.table import write_json
from tickstream.core.errors import TickstreamError

app = typer.Typer(no_args_is_help=True, help="The benchmarks, each beside a peer in the same run.")

Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")]


def register(root: typer.Typer) -> None:
    """Add `bench` to the command line."""
    root.add_typer(app, name="bench")


@app.command()
def pipeline(
    json: Json = None,
    ticks: Annotated[int, typer.Option(min=10_000, help="How many trades.")] = 1_000_000,
    symbols: Annotated[int, typer.Option(min=1, help="Of how many symbols.")] = 200,
) -> None:
    """Producer, processor and sink at full speed, beside a plain loop and Quix Streams."""
    try:
        with bench_servers() as environment:
            figures = PipelineBench(environment, ticks, symbols).run()
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
    if json is not None:
        write_json(json, figures)
