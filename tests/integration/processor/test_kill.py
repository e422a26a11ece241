"""Killed at random moments, the processor commits to the byte what it commits undisturbed.

TICKSTREAM_TEST_KILLS=50 python -m pytest -s tests/integration/processor/test_kill.py has it killed more often than
every run of the tests needs; TICKSTREAM_TEST_SEED repeats what the run of that seed did.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.processor.conftest import Calm
from tests.support.disorder import SETTINGS
from tests.support.histories import anomalies
from tests.support.outcome import TOPICS, differences, final, outcome, polls
from tests.support.readers import Reader
from tests.support.servers import Servers
from tests.support.turmoil import run

pytestmark = pytest.mark.integration


KILLS = int(os.environ.get("TICKSTREAM_TEST_KILLS", "6"))
SEED = int(os.environ.get("TICKSTREAM_TEST_SEED", random.randrange(10**6)))  # noqa: S311 - not a secret


@pytest.mark.timeout(3600)
def test_kills_rebalances_and_a_broker_restart_change_nothing(
    calm: Calm, servers: Servers, isolated_env: dict[str, str], tmp_path: Path
) -> None:
    sys.stdout.write(f"seed {SEED}\n")  # shown when something fails, whatever it is
    env = isolated_env | SETTINGS
    with (
        closing(Reader(env, "one", "readers", TOPICS, final)) as one,
        closing(Reader(env, "two", "readers", TOPICS, final)) as two,
    ):
        story = run(
            env, calm.entries, tmp_path, kills=KILLS, seed=SEED, restart_broker=restart(servers), tell=sys.stdout.write
        )
    assert differences(outcome(env), calm.outcome) == [], story
    assert anomalies(calm.sends, [*one.polls, *two.polls, *polls(env)], to_the_end=True) == [], story
    assert one.polls, "a reader must have seen something"
    assert two.polls, "a reader must have seen something"


def restart(servers: Servers) -> Callable[[], None]:
    def stop_and_start() -> None:
        servers.stop("kafka")
        servers.start("kafka")

    return stop_and_start
