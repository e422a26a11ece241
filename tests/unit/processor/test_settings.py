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
