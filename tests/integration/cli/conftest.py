"""Stacks of a test's own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.servers import spare_ports, unnamed_servers
from tickstream.cli.stack.stack import Stack


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path / "state")


@pytest.fixture
def small(environment: dict[str, str]) -> Iterator[Callable[..., Stack]]:
    """Makes stacks for one test each."""
    made: list[Stack] = []

    def make(**settings: str) -> Stack:
        name = f"small-{uuid.uuid4().hex[:8]}"
        made.append(Stack(name, environment=environment | settings, ports=spare_ports(), die_with_parent=True))
        return made[-1]

    yield make
    for one in made:
        one.wipe(force=True)


def environment_in(state: Path) -> dict[str, str]:
    """Ours, with a place for stacks."""
    return unnamed_servers(os.environ) | {"TICKSTREAM_STATE_DIR": str(state)}


def pids(stack: Stack) -> dict[str, int | None]:
    return {server.server: server.pid for server in stack.status()}


def directory_of(environment: dict[str, str], stack: Stack) -> Path:
    return Path(environment["TICKSTREAM_STATE_DIR"], "stacks", stack.name)
