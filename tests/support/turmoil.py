"""Instances of the processor that come, go and are killed at random moments, while a recording is published."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.disorder import PARTITIONS, Entry, Feed
from tests.support.programs import Running, must, service, until
from tests.support.topics import kafka_of
from tickstream.core.kafka import KafkaException, TopicPartition

PROCESSOR: Final = "tickstream-processor"
_MOST: Final = 3
_PIECE: Final = 12
_PAUSE: Final = 0.03
_LONGEST_WAIT: Final = 300.0


class Crew:
    """The instances that run now; each has a log of its own in `folder`."""

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self._env = env
        self._folder = folder
        self._running: list[tuple[ExitStack, Running]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._running)

    def join(self) -> Running:
        """Start another instance."""
        self._count += 1
        stack = ExitStack()
        log = self._folder / f"processor-{self._count}.log"
        running = stack.enter_context(service(PROCESSOR, env=self._env, log=log))
        self._running.append((stack, running))
        return running

    def kill(self, which: int) -> None:
        """End an instance at once."""
        stack, running = self._running.pop(which)
        running.end(signal.SIGKILL)
        stack.close()

    def leave(self, which: int) -> None:
        """Let an instance end as an operator would; it must end well."""
        stack, running = self._running.pop(which)
        until(lambda: '"started"' in running.log(), running.log)  # or it doesn't hear signals yet
        code = running.end()
        stack.close()
        if code:
            raise AssertionError(f"an instance ended with {code}:\n{running.log()[-4000:]}")

    def leave_all(self) -> None:
        """Let all of them end."""
        while self._running:
            self.leave(0)

    def logs(self) -> str:
        """What they have said, the ends of it."""
        return "\n".join(path.read_text()[-3000:] for path in sorted(self._folder.glob("processor-*.log")))

    def count(self, event: str) -> int:
        """How often any instance has logged an event."""
        return sum(path.read_text().count(f'"{event}"') for path in self._folder.glob("processor-*.log"))

    def close(self) -> None:
        """End whatever still runs."""
        for stack, _ in self._running:
            stack.close()
        self._running.clear()


class Trickle:
    """Publishes a recording in small pieces, up to a quota that is raised bit by bit."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._quota = 0
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="trickle")
        self._thread.start()

    def allow(self, count: int) -> None:
        """Let so many more entries be published."""
        self._quota += count

    def finish(self) -> None:
        """Publish what is left, at once."""
        self._stop()
        self._feed.publish()

    def close(self) -> None:
        """Publish nothing more."""
        self._ended.set()
        self._thread.join()

    def _stop(self) -> None:
        self.close()
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._ended.wait(_PAUSE):
                if self._feed.published < self._quota and self._feed.left:
                    self._feed.publish(_PIECE)
        except Exception as error:  # noqa: BLE001 - raised by `finish`, in the thread that waits
            self._failure = error


@dataclass
class Story:
    """What happened in a run."""

    seed: int
    acts: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"seed {self.seed}: {', '.join(self.acts)}"


def plan(kills: int, seed: int) -> list[str]:
    """What is to happen: as many kills, half as many instances that join or leave, one restart of the broker."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    acts = ["kill"] * kills + [chance.choice(("join", "leave")) for _ in range(max(2, kills // 2))]
    chance.shuffle(acts)
    acts.insert(chance.randrange(len(acts) // 3, len(acts)), "restart the broker")
    return acts


def run(
    env: Mapping[str, str],
    entries: list[Entry],
    folder: Path,
    *,
    kills: int,
    seed: int,
    restart_broker: Callable[[], None],
    tell: Callable[[str], object],
) -> Story:
    """Publish a recording and let the plan happen meanwhile; in the end everything has been read and committed."""
    chance = random.Random(seed + 1)  # noqa: S311 - not a secret
    acts = plan(kills, seed)
    story = Story(seed)
    share = len(entries) // (len(acts) + 1)
    with _crew(env, folder) as crew, _trickle(Feed(env, entries)) as trickle:
        crew.join()
        crew.join()
        for act in acts:
            _moment(env, trickle, share, chance, crew)
            done = _perform(act, crew, chance, restart_broker)
            story.acts.append(done)
            tell(f"{len(story.acts)}/{len(acts)} {done}\n")
        trickle.finish()
        crew.leave_all()
    must(PROCESSOR, "--until-caught-up", env=env)
    return story


def _moment(env: Mapping[str, str], trickle: Trickle, share: int, chance: random.Random, crew: Crew) -> None:
    """Wait for a random moment: mostly one when transactions are being made, else any one."""
    before = written(env)
    trickle.allow(share)
    if chance.random() < 0.7:
        until(lambda: written(env) > before, crew.logs, _LONGEST_WAIT)
        time.sleep(chance.uniform(0, 0.4))
    else:
        time.sleep(chance.uniform(0, 4))


def _perform(act: str, crew: Crew, chance: random.Random, restart_broker: Callable[[], None]) -> str:
    which = chance.randrange(len(crew))
    if act == "restart the broker":
        restart_broker()
        return act
    if act == "kill":
        crew.kill(which)
        crew.join()
    elif act == "join" and len(crew) < _MOST:
        crew.join()
    elif len(crew) > 1:
        crew.leave(which)
        act = "leave"
    else:
        crew.join()
        act = "join"
    return f"{act} ({len(crew)} run)"


def written(env: Mapping[str, str]) -> int:
    """How long the changelog is, committed or not."""
    kafka = kafka_of(env)
    topic = kafka.topic("processor_state")
    reader = kafka.reader(isolation_level="read_uncommitted")
    try:
        ends = [reader.get_watermark_offsets(TopicPartition(topic, number), timeout=5) for number in range(PARTITIONS)]
        return sum(int(high) for _, high in ends)
    except KafkaException:
        return 0
    finally:
        reader.close()


@contextmanager
def _crew(env: Mapping[str, str], folder: Path) -> Iterator[Crew]:
    crew = Crew(env, folder)
    try:
        yield crew
    finally:
        crew.close()


@contextmanager
def _trickle(feed: Feed) -> Iterator[Trickle]:
    trickle = Trickle(feed)
    try:
        yield trickle
    finally:
        trickle.close()
