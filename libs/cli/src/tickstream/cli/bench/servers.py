"""The servers that a benchmark runs against: the user's own, or a stack of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tickstream.cli.stack.catalogue import DEFAULT
from tickstream.cli.stack.display import Display
from tickstream.cli.stack.stack import Stack


@contextmanager
def bench_servers(servers: Sequence[str] = DEFAULT) -> Iterator[dict[str, str]]:
    """The settings of the servers, with topics that nobody else uses; a stack of our own is removed afterwards."""
    prefix = {"KAFKA_TOPIC_PREFIX": f"bench-{secrets.token_hex(4)}."}
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield {**os.environ, **prefix}
        return
    stack = Stack("bench", die_with_parent=True)
    try:
        with Display() as display:
            stack.wipe(force=True)
            stack.up(servers, display)
        yield {**os.environ, **stack.env(), **prefix}
    finally:
        stack.wipe(force=True)
