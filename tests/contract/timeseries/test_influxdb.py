"""What only InfluxDB does."""

from __future__ import annotations

import secrets
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient

from tests.contract.timeseries.conftest import connect
from tests.contract.timeseries.test_time_series import MILLI, NOON, columns, tick
from tests.support.stores import InfluxStored
from tickstream.processor.sink.series import TimeSeries

pytestmark = pytest.mark.integration


def write_lines(env: dict[str, str], lines: str) -> None:
    url = f"{env['INFLUXDB_URL']}/api/v2/write?org={env['INFLUXDB_ORG']}&bucket={env['INFLUXDB_BUCKET']}"
    headers = {"Authorization": f"Token {env['INFLUXDB_TOKEN']}"}
    urllib.request.urlopen(urllib.request.Request(url, lines.encode(), headers), timeout=30).close()


@pytest.fixture
def env(isolated_env: dict[str, str]) -> dict[str, str]:
    return isolated_env | {"TIMESERIES": "influxdb"}


@pytest.fixture
def series(env: dict[str, str]) -> Iterator[TimeSeries]:
    with closing(connect(env)) as made:
        yield made


def test_a_field_that_somebody_else_stored_as_text_refuses_only_what_it_concerns(
    env: dict[str, str], series: TimeSeries
) -> None:
    year = 365 * 86_400 * 1_000_000_000
    write_lines(env, f'trades,symbol=X,source=other price="text" {NOON}')
    ticks = [tick(seq, NOON + (year if seq % 10 else 0) + seq * MILLI) for seq in range(1, 1001)]
    refused = series.write_trades(columns(*ticks))
    assert [row for row, _reason in refused] == list(range(9, 1000, 10))
    assert "price" in refused[0].reason
    assert InfluxStored(env).count_trades() == 900


def test_a_batch_that_is_refused_wholly_takes_one_try(env: dict[str, str], series: TimeSeries) -> None:
    write_lines(env, f'trades,symbol=X,source=other price="text" {NOON}')
    refused = series.write_trades(columns(*[tick(seq) for seq in range(1, 20_001)]))
    assert len(refused) == 20_000


def test_a_missing_bucket_is_made_and_keeps_its_points_for_ever(env: dict[str, str]) -> None:
    mine = env | {"INFLUXDB_BUCKET": f"made_{secrets.token_hex(6)}"}
    with InfluxDBClient(env["INFLUXDB_URL"], env["INFLUXDB_TOKEN"], org=env["INFLUXDB_ORG"]) as client:
        with closing(connect(mine)) as series:
            assert series.write_trades(columns(tick(1, 1))) == []
        bucket = client.buckets_api().find_bucket_by_name(mine["INFLUXDB_BUCKET"])
        assert [rule.every_seconds for rule in bucket.retention_rules] == [0]
        assert InfluxStored(mine).count_trades() == 1
        client.buckets_api().delete_bucket(bucket)


def test_a_trade_is_found_in_its_millisecond(env: dict[str, str], series: TimeSeries) -> None:
    series.write_trades(columns(tick(7, NOON + 5 * MILLI + 123), tick(2_000_008, NOON + 5 * MILLI + 456)))
    points = sorted(InfluxStored(env).rows("trades"), key=lambda point: int(point["seq"]))
    assert [(point["ns"], point.get("lap")) for point in points] == [
        (NOON + 5 * MILLI + 7, None),
        (NOON + 5 * MILLI + 8, "2"),
    ]
