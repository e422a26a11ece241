"""`tickstream topics`: the topics as the code declares them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeVar

import typer
from rich.console import Console
from rich.table import Table

from tickstream.cli.cluster import kafka_settings
from tickstream.core.errors import SettingsError, TickstreamError
from tickstream.core.kafka import Kafka
from tickstream.core.topics import TOPICS, Topic

_Answer = TypeVar("_Answer")


app = typer.Typer(no_args_is_help=True, help="The topics as the code declares them.")


def register(root: typer.Typer) -> None:
    """Add `topics` to the command line."""
    root.add_typer(app, name="topics")


@app.command()
def create() -> None:
    """Create the topics that are missing."""
    kafka = _kafka()
    before = _answer(kafka.existing)
    _answer(kafka.ensure_topics)
    missing = [name for name in TOPICS if kafka.topic(name) not in before]
    sys.stderr.write(f"created {', '.join(missing)}\n" if missing else "every topic is there already\n")


@app.command("list")
def list_topics() -> None:
    """Print the names of the topics that are on the cluster."""
    kafka = _kafka()
    there = _answer(kafka.existing)
    for name in TOPICS:
        if kafka.topic(name) in there:
            sys.stdout.write(f"{kafka.topic(name)}\n")


@app.command()
def describe() -> None:
    """Show each topic as declared, and whether it is on the cluster."""
    kafka = _kafka()
    there = _answer(kafka.existing)
    table = Table("topic", "partitions", "retention", "cleanup", "record", "on the cluster", box=None)
    for name, topic in TOPICS.items():
        partitions = there.get(kafka.topic(name))
        table.add_row(
            kafka.topic(name),
            str(partitions or topic.partitions or "as set"),
            _retention(topic),
            topic.config()["cleanup.policy"],
            topic.record.__name__ if topic.record else "bytes",
            "yes" if partitions else "no",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _kafka() -> Kafka:
    try:
        return Kafka(kafka_settings(os.environ))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None


def _answer(ask: Callable[[], _Answer]) -> _Answer:
    try:
        return ask()
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


def _retention(topic: Topic) -> str:
    return "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // 86_400_000} d"
