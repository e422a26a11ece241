"""The command line of `tickstream tail`."""

from __future__ import annotations

import itertools
import os
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated

import typer

from tickstream.cli.cluster import kafka_settings
from tickstream.cli.tail.options import FORMATS, TailOptions, parse
from tickstream.cli.tail.reading import TopicReader
from tickstream.cli.tail.rows import Row, lines_for
from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.errors import SettingsError, TickstreamError
from tickstream.core.kafka import Kafka
from tickstream.core.settings import KafkaSettings
from tickstream.core.topics import TOPICS

_READABLE = tuple(name for name, topic in TOPICS.items() if topic.record is not None or name.endswith(".dlq"))


def register(root: typer.Typer) -> None:
    """Add `tail` to the command line."""
    root.command("tail")(tail)


def tail(
    topic: Annotated[str, typer.Argument(help="The topic, without its prefix; also TOPIC.dlq.")],
    symbol: Annotated[str, typer.Option(metavar="A,B", help="Only these symbols.")] = "",
    start: Annotated[
        str, typer.Option("--from", metavar="beginning|end|-N|TIME", help="Where to begin; a time is an event time.")
    ] = "end",
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only events before this time; ends then.")] = None,
    count: Annotated[int | None, typer.Option("-n", metavar="N", help="End after N records.")] = None,
    exit_at_end: Annotated[bool, typer.Option("--exit-at-end", help="End where the topic ended at first.")] = False,  # noqa: FBT002 (a flag)
    shape: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print.")] = "pretty",
) -> None:
    """Print a topic's records: for eyes, or as JSON lines or CSV for a pipe."""
    try:
        options = parse(
            topic, _READABLE, symbol=symbol, start=start, until=until, count=count, exit_at_end=exit_at_end, shape=shape
        )
        settings = kafka_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    try:
        _follow(options, settings)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


def _follow(options: TailOptions, settings: KafkaSettings) -> None:
    reader = TopicReader(Kafka(settings), Codecs.from_settings(settings), options, SystemClock(), _is_read)
    try:
        _print(options, reader.rows())
    except BrokenPipeError:
        # `head` has seen enough; Python would complain once more when it closes stdout.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        reader.close()


def _is_read() -> bool:
    """Whether stdout has a reader: `head` that has seen enough would else be noticed with the next record only."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return not poll.poll(0)


def _print(options: TailOptions, rows: Iterator[Row]) -> None:
    lines = lines_for(options.format)
    out = sys.stdout
    interactive = out.isatty()
    for number, row in enumerate(itertools.islice(rows, options.count)):
        if number == 0:
            out.writelines(lines.head(row))
        out.write(lines.line(row))
        if interactive or number % 100 == 0 or not options.exit_at_end:
            out.flush()
    out.flush()
