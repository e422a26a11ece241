from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.test_feeds import down, trade
from tests.unit.alerting.test_lane import bar
from tickstream.alerting.backtest.run import backtest
from tickstream.alerting.domain.evaluate import observe_ticks
from tickstream.alerting.domain.feeds import Feeds
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rule import ByExpression, Condition, PercentMove, PriceLevel, Rule, RuleBook
from tickstream.alerting.domain.schedule import Schedule
from tickstream.alerting.domain.shard import Shard
from tickstream.alerting.language.parser import parse as parse_expression
from tickstream.alerting.rows import rows_of_bars
from tickstream.alerting.schedule_spec import ScheduleSpec, schedule_of
from tickstream.alerting.spec import InvalidRuleError, parse
from tickstream.core.columns import TickColumns, TickInterners
from tickstream.core.model import Bar, Tick

NEW_YORK = ZoneInfo("America/New_York")
INTERNERS = TickInterners()
ABOVE = PriceLevel("above", 100.0)
XNYS = exchange_calendars.get_calendar("XNYS", start="1990-01-01")


def at(text: str, zone: str = "America/New_York") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


def covers(moment: str, zone: str = "America/New_York", **given: Any) -> bool:
    spec = ScheduleSpec.model_validate(given)
    return bool(schedule_of(spec).covers(np.array([at(moment, zone)], dtype=np.int64))[0])


def test_sessions_are_those_of_the_exchange() -> None:
    regular: dict[str, Any] = {"sessions": ["regular"]}
    assert covers("2024-07-05T09:30", **regular)
    assert not covers("2024-07-05T09:29:59", **regular)
    assert not covers("2024-07-05T16:00", **regular)
    assert not covers("2024-07-04T12:00", **regular)
    assert not covers("2024-07-03T13:00", **regular)
    assert covers("2024-07-05T08:00", sessions=["pre", "regular"])
    assert covers("2024-01-02T10:00", "Europe/London", calendar="XLON", sessions=["regular"])


def test_days_and_times_go_by_the_clock_on_the_wall() -> None:
    morning: dict[str, Any] = {"days": ["mon", "tue"], "times": ["09:45-11:00"]}
    assert covers("2024-03-08T10:00", times=["09:45-11:00"])
    assert covers("2024-03-11T09:45", **morning)
    assert not covers("2024-03-11T11:00", **morning)
    assert not covers("2024-03-13T10:00", **morning)
    assert covers("2024-03-11T14:00", "UTC", times=["14:00-15:00"], time_zone="UTC")


def test_a_time_past_midnight_belongs_to_the_day_it_began_on() -> None:
    night: dict[str, Any] = {"calendar": "24/7", "days": ["fri"], "times": ["22:00-02:00"]}
    assert covers("2024-03-09T01:59", "UTC", **night)
    assert not covers("2024-03-08T01:00", "UTC", **night)
    assert covers("2024-03-08T23:00", "UTC", **night)


def test_holidays_are_left_out_unless_they_are_wanted() -> None:
    assert not covers("2024-11-28T12:00", times=["09:00-17:00"])
    assert covers("2024-11-28T12:00", times=["09:00-17:00"], holidays=True)
    assert covers("2024-11-30T12:00", days=["sat"])


@settings(max_examples=300)
@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2024, 12, 31)),  # noqa: DTZ001 - on the wall
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
    st.tuples(st.integers(0, 23), st.integers(0, 23)),
    st.booleans(),
)
def test_it_says_what_the_definition_says(
    moment: datetime, days: set[str], hours: tuple[int, int], holidays: bool
) -> None:
    begin, end = hours[0], hours[1] if hours[1] != hours[0] else hours[0] + 1
    local = moment.replace(tzinfo=UTC).astimezone(NEW_YORK)
    spec = ScheduleSpec.model_validate(
        {"days": sorted(days), "times": [f"{begin:02}:00-{end:02}:00"], "holidays": holidays}
    )
    began = local.date()
    if end < begin and local.hour < end:
        began -= timedelta(days=1)
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    within = begin <= local.hour < end if begin < end else local.hour >= begin or local.hour < end
    expected = within and (not days or names[began.weekday()] in days)
    if not holidays:
        expected &= local.weekday() >= 5 or is_session(local.date())
    if local.utcoffset() != datetime.combine(began, time(12), NEW_YORK).utcoffset():
        return  # the night in which clocks are set has hours twice, or not at all
    ts = round(moment.replace(tzinfo=UTC).timestamp() * 10**6) * 1000
    assert bool(schedule_of(spec).covers(np.array([ts], dtype=np.int64))[0]) == expected


def is_session(day: date) -> bool:
    return bool(XNYS.is_session(day.isoformat()))


@pytest.mark.parametrize(
    ("schedule", "pointer"),
    [
        ({}, "/schedule"),
        ({"calendar": "XXXX", "sessions": ["regular"]}, "/schedule/calendar"),
        ({"times": ["9:30-16:00"]}, "/schedule/times/0"),
        ({"times": ["09:30-09:30"]}, "/schedule"),
        ({"days": ["monday"]}, "/schedule/days/0"),
        ({"days": ["mon"], "time_zone": "Mars/Olympus"}, "/schedule/time_zone"),
        ({"days": ["mon"], "time_zone": "../../etc/passwd"}, "/schedule/time_zone"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(schedule: dict[str, Any], pointer: str) -> None:
    rule = {"name": "r", "kind": "price_level", "parameters": {"direction": "above", "level": 1}, "schedule": schedule}
    with pytest.raises(InvalidRuleError) as raised:
        parse(rule)
    assert [problem.pointer for problem in raised.value.problems] == [pointer]


def test_a_rule_with_another_schedule_asks_for_something_else() -> None:
    digests = {Rule("r", "rule", ABOVE, schedule=each).digest for each in (None, on(1, 2), on(1, 3))}
    assert len(digests) == 3
    assert Rule("r", "rule", ABOVE, schedule=on(1, 2)).digest in digests


def on(*bounds: int) -> Schedule:
    return Schedule(repr(bounds), np.array(bounds, dtype=np.int64))


def watch(ticks: Sequence[Tick], condition: Condition = ABOVE, batch: int = 1000, **other: Any) -> list[Transition]:
    book, shard = RuleBook([Rule("r", "rule", condition, **other)]), Shard()
    for start in range(0, len(ticks), batch):
        observe_ticks(book, shard, TickColumns.of(ticks[start : start + batch], INTERNERS))
    return shard.changes.transitions


def short(found: Sequence[Transition]) -> list[tuple[str, int]]:
    return [(t.state, t.ts_event) for t in found]


def test_outside_of_its_schedule_a_rule_is_not_looked_at_and_what_is_present_ends_with_it() -> None:
    ticks = [trade(1, 101), trade(12, 101), trade(25, 102), trade(35, 102), trade(52, 99), trade(60, 101)]
    found = watch(ticks, schedule=on(10, 30, 50, 70))
    assert short(found) == [("firing", 12), ("resolved", 30), ("firing", 60)]
    assert "schedule" in found[1].reason


def test_a_hold_time_that_is_over_before_the_end_counts_and_another_does_not() -> None:
    ticks = [trade(12, 101), trade(40, 101)]
    assert short(watch(ticks, hold_ns=17, schedule=on(10, 30))) == [("pending", 12), ("firing", 29), ("resolved", 30)]
    assert short(watch(ticks, hold_ns=18, schedule=on(10, 30))) == [("pending", 12), ("resolved", 30)]


def test_a_feed_that_goes_down_later_finds_the_alert_ended() -> None:
    book, shard, feeds = RuleBook([Rule("r", "rule", ABOVE, schedule=on(10, 30))]), Shard(), Feeds()
    feeds.take(down(40))
    observe_ticks(book, shard, TickColumns.of([trade(12, 101), trade(45, 101)], INTERNERS), feeds)
    assert short(shard.changes.transitions) == [("firing", 12), ("resolved", 30)]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(95, 105)), max_size=60),
    st.lists(st.integers(1, 100), max_size=6, unique=True).map(sorted),
    st.integers(1, 20),
    st.integers(0, 4),
)
def test_the_size_of_the_batches_changes_nothing(
    steps: list[tuple[int, int]], bounds: list[int], batch: int, hold: int
) -> None:
    times = np.cumsum([gap for gap, _ in steps]).tolist()
    ticks = [
        Tick("SPY", float(price), 1.0, ts, ts, seq, "s")
        for seq, (ts, (_, price)) in enumerate(zip(times, steps, strict=True), 1)
    ]
    schedule = on(*bounds[: len(bounds) // 2 * 2])
    for condition in (ABOVE, PriceLevel("below", 98.0, 1.0, crossing=True), PercentMove("either", 3.0, 5)):
        whole = watch(ticks, condition, hold_ns=hold, schedule=schedule)
        assert watch(ticks, condition, batch, hold_ns=hold, schedule=schedule) == whole
        began = [t.ts_event for t in whole if t.revision == 0]
        assert schedule.covers(np.array(began, dtype=np.int64)).all()


def test_a_bar_belongs_to_the_moment_before_its_end() -> None:
    rule = Rule("r", "rule", ByExpression(parse_expression("close > 1")), symbols=("SPY",), schedule=regular())
    opens = at("2024-07-05T09:30")
    bars = [bar(number, 2) for number in range(4)]
    first, minute = bars[0].start, bars[0].end - bars[0].start
    moved = [shifted(each, opens - minute - first) for each in bars]
    closes = at("2024-07-05T16:00")
    late = [shifted(each, closes - opens) for each in moved]
    rows = [row for row in rows_of_bars([*moved, *late], "XNYS", {"1m"}) if row is not None]
    found = backtest(RuleBook([rule]), rows, [])
    assert short(found) == [("firing", opens + minute), ("resolved", closes)]
    lane = Lane()
    lane.install(RuleBook([rule]))
    for row in rows:
        lane.take([row])
    assert lane.changes.transitions == found


def regular() -> Schedule:
    return schedule_of(ScheduleSpec(sessions=("regular",)))


def shifted(each: Bar, by: int) -> Bar:
    return replace(each, start=each.start + by, end=each.end + by)
