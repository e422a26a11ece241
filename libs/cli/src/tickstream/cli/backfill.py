"""`tickstream backfill`: bars and indicators of recordings, beside those that are published or in their place."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tickstream.cli.cluster import kafka_environment, kafka_settings
from tickstream.core.errors import SettingsError, TickstreamError
from tickstream.core.kafka import Kafka
from tickstream.core.topics import BARS


def register(root: typer.Typer) -> None:
    """Add `backfill` to the command line."""
    root.command("backfill")(backfill)


def backfill(
    path: Annotated[Path, typer.Option(metavar="FILE_OR_FOLDER", help="The recordings.")],
    to: Annotated[str | None, typer.Option(metavar="PREFIX", help="Into topics with this prefix.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Revise what is published where it differs.")] = False,  # noqa: FBT002 (a flag)
    start: Annotated[
        str, typer.Option("--from", metavar="beginning|TIME", help="Only bars that start then or later.")
    ] = "beginning",
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only bars that start before.")] = None,
    symbols: Annotated[str, typer.Option(metavar="A,B", help="Only these.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,  # noqa: FBT002 (a flag)
) -> None:
    """Publish recordings beside the live topics, and make bars and indicators of them there or in place."""
    arguments = ["--from", start, *(["--until", until] if until else []), *(["--json"] if json else [])]
    if (to is None) != in_place:
        sys.stderr.write("--to or --in-place must be given, and not both\n")
        raise typer.Exit(2)
    try:
        if to is not None:
            _publish(path, symbols, to, {})
            _run("tickstream-processor", [*arguments, "--log", to, "--to", to])
            return
        with _scratch() as (prefix, partitions):
            _publish(path, symbols, prefix, partitions)
            _run("tickstream-processor", [*arguments, "--log", prefix, "--in-place"])
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from None
    except TickstreamError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from None


@contextmanager
def recorded(path: Path, symbols: str) -> Iterator[str]:
    """The prefix of topics with the trades, bars and indicators of recordings; they are gone afterwards.

    Raises:
        typer.Exit: a recording can't be read.
    """
    with _scratch() as (prefix, partitions):
        _publish(path, symbols, prefix, partitions)
        _run("tickstream-processor", ["--from", "beginning", "--log", prefix, "--to", prefix], quiet=True)
        yield prefix


@contextmanager
def _scratch() -> Iterator[tuple[str, dict[str, str]]]:
    """A prefix of topics that are gone afterwards, and the setting that makes them fit the published bars."""
    settings = kafka_settings(os.environ)
    kafka = Kafka(settings)
    prefix = f"{settings.kafka_topic_prefix}backfill-{secrets.token_hex(4)}."
    partitions = kafka.partitions(BARS.name)
    try:
        yield prefix, {"KAFKA_TOPIC_PARTITIONS": str(partitions)}
    finally:
        topics = [name for name in kafka.existing() if name.startswith(prefix)]
        admin = kafka.admin()  # it must live until the answers are in
        for deleted in (admin.delete_topics(topics) if topics else {}).values():
            deleted.result()


def _publish(path: Path, symbols: str, prefix: str, settings: Mapping[str, str]) -> None:
    """Replay recordings into topics with a prefix, as fast as it goes."""
    chosen = ["--symbols", symbols] if symbols else []
    replay = ["--source", "replay", "--path", str(path), "--speed", "max", *chosen]
    _run("tickstream-producer", replay, {**settings, "KAFKA_TOPIC_PREFIX": prefix}, quiet=True)


def _run(program: str, arguments: Sequence[str], more: Mapping[str, str] | None = None, *, quiet: bool = False) -> None:
    """Run a service to its end; its log goes to stderr as it comes, and what it prints to stdout unless `quiet`.

    Raises:
        typer.Exit: it ended with something else than 0.
    """
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    environment = {**kafka_environment(os.environ), **(more or {})}
    printed = subprocess.DEVNULL if quiet else None
    code = subprocess.run(command, env=environment, check=False, stdout=printed).returncode
    if code:
        raise typer.Exit(code if code == 2 else 1)
