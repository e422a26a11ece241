"""What the processor lets itself be told."""

from __future__ import annotations

import pytest

from tickstream.core.errors import SettingsError
from tickstream.core.settings import load
from tickstream.processor.settings import ProcessorSettings


def test_all_intervals_are_made_and_those_from_a_minute_on_have_indicators() -> None:
    rules = load(ProcessorSettings, "PROCESSOR", [], {}).rules
    assert [interval.name for interval in rules.intervals] == ["1s", "1m", "5m", "15m", "1h", "1d"]
    assert rules.indicated == {1, 2, 3, 4, 5}


def test_intervals_come_in_order_and_indicators_only_where_there_are_bars() -> None:
    rules = load(ProcessorSettings, "PROCESSOR", ["--intervals", "1h,1m"], {}).rules
    assert [interval.name for interval in rules.intervals] == ["1m", "1h"]
    assert rules.indicated == {0, 1}


def test_calendars_are_given_by_pattern() -> None:
    found = load(ProcessorSettings, "PROCESSOR", [], {"PROCESSOR_CALENDARS": "BTC*=24/7, ETH-USD=24/7"})
    assert found.calendar_patterns == [("BTC*", "24/7"), ("ETH-USD", "24/7")]


@pytest.mark.parametrize("given", ["BTC", "BTC=", "=24/7", "BTC=MOON"])
def test_calendars_that_are_none_are_refused(given: str) -> None:
    with pytest.raises(SettingsError):
        load(ProcessorSettings, "PROCESSOR", [], {"PROCESSOR_CALENDARS": given})


def test_a_backfill_is_about_the_windows_that_start_from_one_time_until_another() -> None:
    given = ["--from", "2013-10-08T14:30:00Z", "--until", "2013-10-08T11:00-04:00", "--in-place"]
    scope = load(ProcessorSettings, "PROCESSOR", given, {}).scope
    assert (scope.since, scope.until) == (1_381_242_600 * 10**9, 1_381_244_400 * 10**9)
    assert load(ProcessorSettings, "PROCESSOR", ["--from", "beginning", "--to", "x."], {}).scope.since == -(2**63)


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("--from yesterday --in-place", "PROCESSOR_FROM must be beginning or a time such as 2013-10-08T14:30:00Z"),
        ("--from beginning", "PROCESSOR_TO or PROCESSOR_IN_PLACE must be given for a backfill, and not both"),
        ("--from beginning --to x --in-place", "PROCESSOR_TO or PROCESSOR_IN_PLACE must be given"),
        ("--from beginning --to live.", "PROCESSOR_TO must differ from KAFKA_TOPIC_PREFIX"),
        ("--from beginning --to a/b", "PROCESSOR_TO must match"),
        ("--from 2013-10-08 --until 2013-10-08 --in-place", "PROCESSOR_UNTIL must be after PROCESSOR_FROM"),
        ("--from beginning --in-place --late -1", "PROCESSOR_LATE must be at least 0"),
        ("--in-place", "PROCESSOR_FROM must be given for a backfill"),
    ],
)
def test_a_backfill_that_can_not_be_meant_is_refused(given: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(ProcessorSettings, "PROCESSOR", given.split(), {"KAFKA_TOPIC_PREFIX": "live."})
    assert rule in str(refused.value)
