"""However fast the log grows and however many read it, the output is the same to the byte."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.integration.processor.conftest import Calm
from tests.support.disorder import OPEN, PARTITIONS, SECOND, SETTINGS, Entry, Feed
from tests.support.outcome import differences, outcome
from tests.support.programs import must, until
from tests.support.turmoil import PROCESSOR, Crew
from tickstream.core.model import Tick

pytestmark = pytest.mark.integration

LIVE: Final = 6.0
"""Seconds at the speed of the market, after which a run at 1x goes on faster so that it ends in time."""


def live(entry: Entry) -> float:
    """Seconds from the start of the recording at 1x, from `LIVE` on at 200x."""
    seconds = arrival(entry)
    return min(seconds, LIVE) + max(seconds - LIVE, 0) / 200


def sixty(entry: Entry) -> float:
    """Seconds from the start of the recording at 60x."""
    return arrival(entry) / 60


def at_once(_entry: Entry) -> float:
    """No wait."""
    return 0


def arrival(entry: Entry) -> float:
    return (entry.ts_event - OPEN) / SECOND + 60 if isinstance(entry, Tick) else 0


@pytest.mark.parametrize(("pace", "instances"), [(live, 1), (sixty, 2), (at_once, 3)])
def test_pace_and_number_of_instances_change_nothing(
    calm: Calm, isolated_env: dict[str, str], tmp_path: Path, pace: Callable[[Entry], float], instances: int
) -> None:
    env = isolated_env | SETTINGS
    feed = Feed(env, calm.entries)
    with closing(Crew(env, tmp_path)) as crew:
        for _ in range(instances):
            crew.join()
        until(lambda: crew.count("assigned") >= instances, crew.logs)
        publish(feed, calm.entries, pace)
        crew.leave_all()
    must(PROCESSOR, "--until-caught-up", env=env)
    assert differences(outcome(env), calm.outcome) == []


def publish(feed: Feed, entries: list[Entry], pace: Callable[[Entry], float]) -> None:
    """Publish each entry when it is due; late trades come with those that arrived before them."""
    started = time.monotonic()
    for low in range(0, len(entries), PARTITIONS):
        due = started + max(map(pace, entries[low : low + PARTITIONS]))
        if (wait := due - time.monotonic()) > 0:
            feed.publish(low - feed.published)
            time.sleep(wait)
    feed.publish()
