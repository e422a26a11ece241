"""A topic that is new has no leader for a moment: who asks for its logs' ends waits, and nobody is told of trouble."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tickstream.core.clients import once_settled
from tickstream.core.kafka import KafkaError, KafkaException

NO_LEADER = KafkaError.LEADER_NOT_AVAILABLE


def plays(*codes: int) -> Callable[[], tuple[int, int]]:
    """Fails with each of these, then answers."""
    left = list(codes)

    def ask() -> tuple[int, int]:
        if left:
            raise KafkaException(KafkaError(left.pop(0)))
        return 0, 7

    return ask


def test_who_asks_gets_the_answer_of_the_leader_that_is_elected_meanwhile() -> None:
    pauses: list[float] = []
    ask = plays(NO_LEADER, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.NOT_LEADER_FOR_PARTITION)
    assert once_settled(ask, pauses.append) == (0, 7)
    assert len(pauses) == 3


def test_a_partition_that_stays_without_a_leader_is_said_to_have_none() -> None:
    pauses: list[float] = []
    with pytest.raises(KafkaException, match="LEADER_NOT_AVAILABLE"):
        once_settled(plays(*[NO_LEADER] * 1000), pauses.append)
    assert 1 < sum(pauses) < 20


def test_other_trouble_is_told_at_once() -> None:
    pauses: list[float] = []
    with pytest.raises(KafkaException, match="TIMED_OUT"):
        once_settled(plays(KafkaError._TIMED_OUT), pauses.append)
    assert pauses == []
