"""The processor's output on a recording with disorder, when nothing disturbs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.disorder import SETTINGS, Entry, Feed, recording
from tests.support.histories import Send
from tests.support.outcome import Outcome, outcome, sends
from tests.support.programs import must
from tests.support.servers import Servers, isolated


@dataclass(frozen=True)
class Calm:
    """An undisturbed run: what went in, and what came out, also as the sends that any run has to make."""

    entries: list[Entry]
    outcome: Outcome
    sends: list[Send]


@pytest.fixture(scope="session")
def calm(servers: Servers) -> Iterator[Calm]:
    entries = recording()
    with isolated(servers) as settings:
        env = settings | SETTINGS
        Feed(env, entries).publish()
        must("tickstream-processor", "--until-caught-up", env=env)
        yield Calm(entries, outcome(env), sends(env))
