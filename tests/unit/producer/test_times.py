# ruff: noqa: DTZ001 - times on the clocks of a zone are what is tested
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.producer.adapters.times import BAD_TIME, times
from tickstream.producer.domain.localtime import to_utc

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOS = st.integers(10**18, 4 * 10**18)
SECOND = 10**9


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)),
    st.sampled_from(["America/New_York", "Asia/Tokyo", "Europe/Berlin"]),
)
def test_wall_clock_times_become_utc_as_zoneinfo_says(local: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    nanos = (local - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000
    expected = (local.replace(tzinfo=zone).astimezone(UTC) - EPOCH) // timedelta(microseconds=1) * 1000
    assert to_utc(np.array([nanos], dtype=np.int64), zone).tolist() == [expected]


@given(st.lists(NANOS, min_size=1))
def test_nanoseconds_are_taken_as_they_are(nanos: list[int]) -> None:
    assert times(pa.array(nanos), None).tolist() == nanos
    assert times(pa.array([str(value) for value in nanos]), None).tolist() == nanos


@pytest.mark.parametrize(("unit", "nanos"), [(10**9, 1), (10**6, 10**3), (10**3, 10**6), (1, 10**9)])
def test_the_unit_of_a_number_is_known_by_its_size(unit: int, nanos: int) -> None:
    number = 1_381_239_000 * unit
    for column in (pa.array([number]), pa.array([str(number)]), pa.array([f" {number} "])):
        assert times(column, None).tolist() == [number * nanos]


@given(st.integers(10**9, 4 * 10**9), st.integers(0, 10**9 - 1))
def test_fractions_of_a_second_keep_their_nanoseconds(seconds: int, billionths: int) -> None:
    assert times(pa.array([f"{seconds}.{billionths:09d}"]), None).tolist() == [seconds * SECOND + billionths]


def test_fractions_of_a_millisecond_are_read_too() -> None:
    assert times(pa.array(["1381239000123.456789"]), None).tolist() == [1_381_239_000_123_456_789]


@pytest.mark.parametrize(
    "text",
    ["2013-10-08T13:30:00Z", "2013-10-08 09:30:00-04:00", "2013-10-08T09:30:00.000-0400", "2013-10-08T15:30+02"],
)
def test_iso_times_with_a_zone(text: str) -> None:
    assert times(pa.array([text]), None).tolist() == [1_381_239_000 * SECOND]


def test_a_time_without_a_zone_needs_one_to_be_set() -> None:
    naive = pa.array(["2013-10-08T09:30:00.5"])
    assert times(naive, NEW_YORK).tolist() == [1_381_239_000 * SECOND + 500_000_000]
    with pytest.raises(pa.ArrowInvalid, match="timezone"):
        times(naive, None)


def test_arrows_own_timestamps_of_every_unit() -> None:
    moment = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
    for unit in ("s", "ms", "us", "ns"):
        assert times(pa.array([moment], pa.timestamp(unit, "UTC")), None).tolist() == [1_381_239_000 * SECOND]
        wall = pa.array([datetime(2013, 10, 8, 9, 30)], pa.timestamp(unit))
        assert times(wall, NEW_YORK).tolist() == [1_381_239_000 * SECOND]


def test_what_is_missing_or_before_the_epoch_is_no_time() -> None:
    assert times(pa.array([None, -5], pa.int64()), None).tolist() == [BAD_TIME, BAD_TIME]
    assert times(pa.array([None, datetime(2013, 10, 8)], pa.timestamp("ms")), NEW_YORK).tolist()[0] == BAD_TIME
