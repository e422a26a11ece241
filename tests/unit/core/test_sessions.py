from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tickstream.core.sessions import SESSION_NAMES, Sessions

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str, zone: ZoneInfo | None = NEW_YORK) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone or UTC)
    return int(moment.timestamp()) * 1_000_000_000


def one(value: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([value], dtype=np.int64)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2013-10-08 03:59:59", "closed"),
        ("2013-10-08 04:00:00", "pre"),
        ("2013-10-08 09:29:59", "pre"),
        ("2013-10-08 09:30:00", "regular"),
        ("2013-10-08 15:59:59", "regular"),
        ("2013-10-08 16:00:00", "post"),
        ("2013-10-08 19:59:59", "post"),
        ("2013-10-08 20:00:00", "closed"),
        ("2013-11-29 12:59:59", "regular"),  # the day after Thanksgiving closes at 13:00
        ("2013-11-29 13:00:00", "post"),
        ("2013-11-29 17:00:00", "closed"),
        ("2013-11-28 10:00:00", "closed"),  # Thanksgiving
        ("2013-10-12 10:00:00", "closed"),  # a Saturday
        ("2013-03-11 09:30:00", "regular"),  # the first trading day of daylight saving
        ("2013-11-04 09:30:00", "regular"),  # the first one after it
        ("1998-06-01 10:00:00", "regular"),
    ],
)
def test_new_york_sessions(moment: str, session: str) -> None:
    assert SESSION_NAMES[Sessions.of("XNYS").classify(one(at(moment)))[0]] == session


TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2024-03-04 08:59:59", "closed"),
        ("2024-03-04 09:00:00", "regular"),
        ("2024-03-04 11:29:59", "regular"),
        ("2024-03-04 11:30:00", "closed"),
        ("2024-03-04 12:29:59", "closed"),
        ("2024-03-04 12:30:00", "regular"),
        ("2024-03-04 14:59:59", "regular"),
        ("2024-03-04 15:00:00", "closed"),
    ],
)
def test_tokyo_closes_for_lunch(moment: str, session: str) -> None:
    assert SESSION_NAMES[Sessions.of("XTKS").classify(one(at(moment, TOKYO)))[0]] == session


def test_a_session_goes_on_after_its_break() -> None:
    sessions = Sessions.of("XTKS")
    parts = np.array([at("2024-03-04 10:00:00", TOKYO), at("2024-03-04 13:00:00", TOKYO)], dtype=np.int64)
    assert sessions.session_start(parts).tolist() == [at("2024-03-04 09:00:00", TOKYO)] * 2
    assert sessions.session_end(parts).tolist() == [at("2024-03-04 15:00:00", TOKYO)] * 2
    lunch = one(at("2024-03-04 12:00:00", TOKYO))
    assert sessions.session_start(lunch)[0] == at("2024-03-04 11:30:00", TOKYO)
    assert sessions.session_end(lunch)[0] == at("2024-03-04 12:30:00", TOKYO)
    night = one(at("2024-03-04 20:00:00", TOKYO))
    assert sessions.session_start(night)[0] == at("2024-03-04 15:00:00", TOKYO)
    assert sessions.session_end(night)[0] == at("2024-03-05 09:00:00", TOKYO)
    starts, ends = sessions.stretches(["regular"])
    assert np.isin([at("2024-03-04 09:00:00", TOKYO), at("2024-03-04 12:30:00", TOKYO)], starts).all()
    assert np.isin([at("2024-03-04 11:30:00", TOKYO), at("2024-03-04 15:00:00", TOKYO)], ends).all()


@pytest.mark.parametrize(
    ("calendar", "zone", "day", "begins", "hours"),
    [
        ("BVMF", "America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00:00", 23),  # clocks went from 00:00 to 01:00
        ("BVMF", "America/Sao_Paulo", "2018-02-17", "2018-02-17 02:00:00", 25),  # and from 24:00 back to 23:00
        ("XPAR", "Europe/Paris", "2024-03-31", "2024-03-30 23:00:00", 23),
        ("XMAD", "Europe/Madrid", "2024-07-01", "2024-06-30 22:00:00", 24),
        ("XTAI", "Asia/Taipei", "2024-07-01", "2024-06-30 16:00:00", 24),
    ],
)
def test_days_begin_where_clocks_change_at_midnight_too(
    calendar: str, zone: str, day: str, begins: str, hours: int
) -> None:
    sessions = Sessions.of(calendar)
    noon = one(at(f"{day} 12:00:00", ZoneInfo(zone)))
    start, end = int(sessions.day_start(noon)[0]), int(sessions.day_end(noon)[0])
    assert start == at(begins, None)
    assert end - start == hours * 3_600_000_000_000


def test_a_calendar_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_name: str, **_bounds: str) -> None:
        raise NotImplementedError("no vectorised Easter")

    monkeypatch.setattr("exchange_calendars.get_calendar", fails)
    with pytest.raises(ValueError, match="calendar 'XMOON' can't be made by exchange_calendars: no vectorised Easter"):
        Sessions.of("XMOON")


def test_session_bounds_are_those_of_the_segment_that_holds_the_time() -> None:
    sessions = Sessions.of("XNYS")
    times = np.array([at("2013-10-08 10:15:00"), at("2013-10-08 17:00:00")], dtype=np.int64)
    assert sessions.session_start(times).tolist() == [at("2013-10-08 09:30:00"), at("2013-10-08 16:00:00")]
    assert sessions.session_end(times).tolist() == [at("2013-10-08 16:00:00"), at("2013-10-08 20:00:00")]


@pytest.mark.parametrize(
    ("moment", "hours"), [("2013-10-08 10:00:00", 24), ("2013-03-10 10:00:00", 23), ("2013-11-03 10:00:00", 25)]
)
def test_trading_day_runs_from_local_midnight_to_local_midnight(moment: str, hours: int) -> None:
    sessions = Sessions.of("XNYS")
    start, end = sessions.day_start(one(at(moment)))[0], sessions.day_end(one(at(moment)))[0]
    assert start == at(moment[:10] + " 00:00:00")
    assert (end - start) / 3_600_000_000_000 == hours


def test_next_change_names_the_session_that_begins() -> None:
    change = Sessions.of("XNYS").next_change(at("2013-10-08 09:00:00"))
    assert change is not None
    assert (change.ts, change.session) == (at("2013-10-08 09:30:00"), "regular")


def test_continuous_market_never_changes_and_has_utc_days() -> None:
    sessions = Sessions.of("24/7")
    moment = at("2024-08-08 23:59:59", None)
    assert SESSION_NAMES[sessions.classify(one(moment))[0]] == "continuous"
    assert sessions.day_end(one(moment))[0] == at("2024-08-09 00:00:00", None)
    assert sessions.next_change(moment) is None


def test_exchange_without_known_extended_hours_has_regular_ones_only() -> None:
    london = ZoneInfo("Europe/London")
    times = np.array([at("2024-05-07 07:59:59", london), at("2024-05-07 08:00:00", london)], dtype=np.int64)
    assert [SESSION_NAMES[kind] for kind in Sessions.of("XLON").classify(times)] == ["closed", "regular"]


def test_unknown_calendar_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="calendar 'XXXX' must be"):
        Sessions.of("XXXX")
