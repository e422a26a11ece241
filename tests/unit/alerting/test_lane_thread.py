"""The loop over bars never dies unseen."""

from __future__ import annotations

from typing import Any, Never

import pytest

from tickstream.alerting.lane_thread import LaneThread
from tickstream.core.errors import FatalError
from tickstream.core.service import Stop


class _Broken:
    """A cluster of which nothing can be had."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def consumer(self, _group: str) -> Never:
        raise self._error


@pytest.mark.parametrize("error", [FatalError("another is active"), KeyError("a mistake of ours")])
def test_whatever_ends_it_ends_the_service_and_is_raised(error: Exception) -> None:
    others: Any = None
    kafka: Any = _Broken(error)
    lane = LaneThread(others, kafka, others, others, others, others, others)
    stop = Stop()
    with pytest.raises(type(error)) as raised, lane.running(stop):
        assert stop.wait(60)
    assert raised.value is error
