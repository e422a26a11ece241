from __future__ import annotations

import pytest

from tickstream.core.intervals import Interval
from tickstream.core.topics import INTERVALS

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("name", "measure", "size"),
    [
        *((name, "time", length) for name, length in INTERVALS.items()),
        ("10s", "time", 10 * SECOND),
        ("90s", "time", 90 * SECOND),
        ("12h", "time", 12 * 3600 * SECOND),
        ("100t", "trades", 100),
        ("10000v", "volume", 10_000),
        ("1000000d", "value", 1_000_000),
    ],
)
def test_a_name_says_what_is_measured_and_how_much(name: str, measure: str, size: int) -> None:
    interval = Interval.named(name)
    assert (interval.measure, interval.size, interval.daily) == (measure, size, name == "1d")
    assert interval.counted == (measure != "time")


@pytest.mark.parametrize(
    "name", ["", "m", "0s", "01m", "1.5m", "-1m", "1w", "1 m", "7m", "24h", "48h", "2d", "999d", "1D"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"must"):
        Interval.named(name)


@pytest.mark.parametrize(
    ("name", "called"), [("60s", "1m"), ("120s", "2m"), ("3600s", "60m"), ("60m", "1h"), ("240m", "4h")]
)
def test_an_interval_has_one_name_only(name: str, called: str) -> None:
    with pytest.raises(ValueError, match=f"must be called {called}"):
        Interval.named(name)


def test_stored_names_differ() -> None:
    names = ["1s", "1m", "1d", "100t", "100v", "100000v", "100000d"]
    assert len({Interval.named(name).code for name in names}) == len(names)
