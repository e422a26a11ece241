from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.support.stores import InfluxStored, PostgresStored, Stored
from tickstream.core.settings import load
from tickstream.processor.sink.main import make_store
from tickstream.processor.sink.series import TimeSeries
from tickstream.processor.sink.settings import SinkSettings


@dataclass(frozen=True)
class Store:
    """One of the stores: the port to it, and what it holds."""

    name: str
    series: TimeSeries
    stored: Stored
    connect: Callable[[dict[str, str]], TimeSeries]


def connect(env: dict[str, str]) -> TimeSeries:
    return make_store(load(SinkSettings, "PROCESSOR", [], env))


@pytest.fixture(params=["influxdb", "postgres"])
def store(request: pytest.FixtureRequest, isolated_env: dict[str, str]) -> Iterator[Store]:
    env = isolated_env | {"TIMESERIES": request.param}
    readers: dict[str, Callable[[dict[str, str]], Stored]] = {"influxdb": InfluxStored, "postgres": PostgresStored}
    with closing(connect(env)) as series:
        series.prepare()
        yield Store(request.param, series, readers[request.param](env), lambda more: connect(env | more))
