"""Whatever ends the thread that holds a lease, the service learns of it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tickstream.core.kafka import Kafka, KafkaException
from tickstream.core.lease import Lease
from tickstream.core.service import Stop


class _Broken:
    """A cluster whose consumers fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def topic(self, name: str) -> str:
        return name

    def consumer(self, _group: str) -> _Broken:
        return self

    def subscribe(self, _topics: list[str], **_listeners: Any) -> None:
        """Taken."""

    def poll(self, _seconds: float) -> None:
        raise self._error

    def close(self) -> None:
        """Closed."""


@pytest.mark.parametrize("error", [KafkaException("fatal"), RuntimeError("a mistake of ours")])
def test_a_lease_that_cant_be_held_is_lost_and_ends_the_service(error: Exception) -> None:
    stop = Stop()
    with Lease(cast("Kafka", _Broken(error)), "group", stop) as lease:
        assert lease.wait(stop) is False
        assert lease.lost
    assert stop
