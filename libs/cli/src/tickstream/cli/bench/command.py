"""The command line of `tickstream bench`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from tickstream.cli.bench.latency import measure
from tickstream.cli.bench.pipeline import PipelineBench
from tickstream.cli.bench.servers import bench_servers
from tickstream.cli.bench.table import show, show_latencies, write_json
from tickstream.core.errors import FatalError, TickstreamError

_ROOT: Final = Path(__file__).resolve().parents[6]
_OF_CHECKOUT: Final = _ROOT / "tests" / "bench"

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
    wide: Annotated[bool, typer.Option("--wide", help="Also 10,000 symbols beside 100.")] = False,  # noqa: FBT002 (typer makes a flag of it)
) -> None:
    """Producer, processor and sink at full speed, beside a plain loop, Quix Streams and Kafka Streams."""
    with _reported(), bench_servers() as environment:
        bench = PipelineBench(environment, ticks, symbols)
        bench.run(wide=wide)
        show(bench.figures, bench.ratios, bench.starts)
        if json is not None:
            figures = [figure.as_dict() for figure in bench.figures]
            write_json(json, figures, [asdict(one) for one in bench.ratios], [asdict(one) for one in bench.starts])


@app.command()
def bridge(json: Json = None) -> None:
    """Fan-out to 200 clients, beside stock python-socketio and Node; many clients, and clients that come back."""
    _run_of_checkout("bridge", [str(json.absolute())] if json else [])


@app.command()
def dashboard(
    json: Json = None,
    minutes: Annotated[float, typer.Option(min=0, help="For how long memory is watched; 0 leaves it out.")] = 10,
) -> None:
    """The dashboard in Chromium: first paint, frames and memory beside their limits."""
    _run_of_checkout("dashboard", ["--minutes", str(minutes), *(["--json", str(json.absolute())] if json else [])])


@app.command()
def latency(
    json: Json = None,
    rate: Annotated[int, typer.Option(min=1, help="Trades a second.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 15,
) -> None:
    """Trades at a client of the bridge and at a plain Kafka consumer, and closed bars there."""
    with _reported(), bench_servers() as environment:
        lines = measure(environment, rate, seconds)
        show_latencies(lines)
        if json is not None:
            write_json(json, [asdict(line) for line in lines])


@app.command()
def alerts(
    json: Json = None,
    path: Annotated[Path | None, typer.Option(metavar="FILE_OR_FOLDER", help="Recorded trades.")] = None,
) -> None:
    """Rules over a minute of bars and a second of trades, made up or recorded; needs no servers."""
    given = {"--json": json, "--path": path}
    arguments = [text for flag, held in given.items() if held is not None for text in (flag, str(held.absolute()))]
    _run_of_checkout("alerts", arguments, servers=nullcontext({}))


def _run_of_checkout(
    name: str, arguments: Sequence[str], servers: AbstractContextManager[dict[str, str]] | None = None
) -> None:
    """Run a benchmark whose programs aren't part of what is installed, with servers of their own unless given."""
    with _reported():
        if not (_OF_CHECKOUT / name).exists():
            raise FatalError(f"the benchmark is in {Path('tests', 'bench', name)} of a checkout, which is not here")
        with servers or bench_servers() as environment:
            command = [sys.executable, "-m", f"tests.bench.{name}.run", *arguments]
            code = subprocess.run(command, cwd=_ROOT, env={**os.environ, **environment}, check=False).returncode
        if code:
            raise FatalError(f"the benchmark ended with {code}")


@contextmanager
def _reported() -> Iterator[None]:
    """End with 1 and the error's own words."""
    try:
        yield
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None
