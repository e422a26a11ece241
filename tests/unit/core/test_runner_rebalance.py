"""A rebalance that is served while records are read: those of partitions that are gone aren't handled any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tickstream.core.errors import RetryableError
from tickstream.core.kafka import TopicPartition
from tickstream.core.partition import Partition
from tickstream.core.runner import Runner
from tickstream.core.service import Stop

TOPIC = "bars"


class _Message:
    def __init__(self, partition: int, offset: int) -> None:
        self._place = (partition, offset)

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]


class _Consumer:
    """Plays what its calls are to give, one after the other; "revoke": partition 0 is taken away meanwhile."""

    def __init__(self, plays: Sequence[list[Any]], at_end: Callable[[], None]) -> None:
        self._plays = list(plays)
        self._at_end = at_end
        self.committed: list[tuple[int, int]] = []

    def subscribe(self, _topics: list[str], on_assign: Any, on_revoke: Any, **_others: Any) -> None:
        self._revoke = on_revoke
        on_assign(self, [TopicPartition(TOPIC, number) for number in (0, 1)])

    def poll(self, _seconds: float) -> Any:
        if not self._plays:
            self._at_end()
        return next(iter(self._play()), None)

    def consume(self, _most: int, _seconds: float) -> list[Any]:
        return self._play()

    def _play(self) -> list[Any]:
        play = self._plays.pop(0) if self._plays else []
        if play[:1] == ["revoke"]:
            self._revoke(self, [TopicPartition(TOPIC, 0)])
            return play[1:]
        return play

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.committed += [(one.partition, one.offset) for one in offsets]

    def assignment(self) -> list[TopicPartition]:
        return []

    def get_watermark_offsets(self, _where: TopicPartition, **_options: Any) -> tuple[int, int]:
        return 0, 0

    def list_topics(self, _topic: str, **_options: Any) -> None: ...

    def incremental_assign(self, _partitions: list[TopicPartition]) -> None: ...
    def incremental_unassign(self, _partitions: list[TopicPartition]) -> None: ...
    def pause(self, _partitions: list[TopicPartition]) -> None: ...
    def resume(self, _partitions: list[TopicPartition]) -> None: ...
    def close(self) -> None: ...


class _Handler:
    """Writes down what it is given; fails so many times before."""

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.handled: list[tuple[int, int]] = []

    def handle(self, batch: Sequence[Any]) -> None:
        if self._failures:
            self._failures -= 1
            raise RetryableError("not now")
        self.handled += [(message.partition(), message.offset()) for message in batch]

    def idle(self) -> None: ...
    def assigned(self, _partitions: Sequence[Partition]) -> None: ...
    def revoked(self, _partitions: Sequence[Partition]) -> None: ...


class _Clock:
    """A moment passes whenever it is looked at."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 0.05
        return self.now


FIRST, OTHER = _Message(0, 7), _Message(1, 3)


@pytest.mark.parametrize(
    ("plays", "failures"),
    [
        pytest.param([[FIRST], ["revoke", OTHER]], 0, id="while more is read"),
        pytest.param([[FIRST], [OTHER], ["revoke"]], 1, id="while the next try is waited for"),
    ],
)
def test_what_was_read_of_a_partition_that_is_gone_is_not_handled(plays: list[list[Any]], failures: int) -> None:
    stop = Stop()
    consumer: Any = _Consumer(plays, stop.set)
    handler = _Handler(failures)
    clock: Any = _Clock()
    Runner(consumer, [TOPIC], handler, stop, clock).run()
    assert handler.handled == [(1, 3)]
    assert consumer.committed == [(1, 4)]
