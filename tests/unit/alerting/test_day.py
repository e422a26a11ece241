from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.alerting.test_lane import MINUTE, OPEN, bar, feed, lane_of, rule
from tickstream.alerting.domain.day import DAY_FIELDS
from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.names import SESSION_FIELDS
from tickstream.core.model import Bar
from tickstream.core.sessions import SESSION_NAMES, Sessions

HOUR, DAY = 60, 24 * 60


def at(minute: int, close: float, **other: Any) -> Bar:
    """A bar of the session that its minute, from the Tuesday's open on, lies in."""
    start = OPEN + minute * MINUTE
    name = SESSION_NAMES[int(Sessions.of("XNYS").classify(np.array([start]))[0])]
    return bar(minute, close, **{"session": name, **other})


def values(lane: Lane) -> list[dict[str, float]]:
    (tape,) = lane.tapes.values()
    return [tape.row("SPY", end) for end in tape.ends_from("SPY", 1)]


def days(count: int, every: int) -> list[Bar]:
    """Bars of a random walk over several days, from 08:00 on the first, each with an open, a high and a low."""
    rng = np.random.default_rng(11)
    found, close = [], 100.0
    for minute in range(-90, -90 + count * DAY, every):
        before, close = close, round(close * (1 + float(rng.normal(0, 0.003))), 2)
        high, low = max(before, close) + 0.05, min(before, close) - 0.05
        made = at(minute, close, open=before, high=high, low=low)
        if made.session != "closed":
            found.append(made)
    return found


def test_the_session_so_far_is_what_pandas_groups_it_to() -> None:
    given = days(3, every=1)
    lane = lane_of(rule("session_open > 0 and close > highest(close, 3000 bars)"))
    feed(lane, *given)
    rows = pd.DataFrame(values(lane))
    frame = pd.DataFrame([(b.start, b.session, b.open, b.high, b.low, b.close) for b in given])
    frame.columns = pd.Index(["start", "session", "open", "high", "low", "close"])
    run = (frame.session != frame.session.shift()).cumsum()
    groups = frame.groupby(run)
    seen = frame[run > 1].index
    for name, expected in (
        ("session_open", groups.open.transform("first")),
        ("session_high", groups.high.cummax()),
        ("session_low", groups.low.cummin()),
    ):
        assert rows[name][seen].tolist() == expected[seen].tolist()
        assert rows[name][: seen[0]].isna().all(), "the first session wasn't seen from its beginning"
    closes = frame.close.where(frame.session == "regular")
    ended = closes.ffill().groupby(run).transform("first").where(frame.session != "regular")
    regular = frame[frame.session == "regular"].groupby(run).close.last()
    previous = run.map(regular.shift().to_dict())
    expected = ended.where(ended.notna(), previous)
    assert rows["previous_close"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)
    base = frame.close.shift().where(run == run.shift(), frame.open)
    returns = ((frame.close / base - 1) * 100)[1:]
    assert rows["bar_return"].tolist()[1:] == pytest.approx(returns.tolist())


def test_bars_without_trades_are_no_part_of_the_session() -> None:
    lane = lane_of(rule("session_open > 0"))
    quiet = at(0, 9.0, trades=0, volume=0.0, activity="quiet")
    feed(lane, at(-1, 9.0), quiet, at(1, 10.0, open=10.5, high=11.0), at(2, 10.2))
    shown = [tuple(row.get(name) for name in SESSION_FIELDS[:3]) for row in values(lane)]
    assert shown[1:] == [(None, None, None), (10.5, 11.0, 10.0), (10.5, 11.0, 10.0)]


def test_a_session_that_was_not_seen_from_its_beginning_is_not_known() -> None:
    lane = lane_of(rule("session_open > 0"))
    feed(lane, at(5, 10.0), at(6, 11.0), at(DAY, 12.0))
    rows = values(lane)
    assert all(not set(SESSION_FIELDS[:4]) & row.keys() for row in rows[:2])
    assert (rows[2]["session_open"], rows[2]["previous_close"]) == (12.0, 11.0)


def test_the_first_bar_of_a_session_is_known_to_be_it() -> None:
    lane = lane_of(rule("session_open > 0 during regular"))
    feed(lane, at(0, 10.0), at(1, 11.0))
    assert [row["session_open"] for row in values(lane)] == [10.0, 10.0]


_STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 9), st.sampled_from(["traded", "quiet", "feed_down"])),
    min_size=1,
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(_STEPS)
def test_late_and_revised_bars_leave_what_they_would_have_made_in_order(steps: Sequence[tuple[int, int, str]]) -> None:
    given = [at(step * HOUR, float(close), activity=activity) for step, close, activity in steps]
    first = at(-HOUR, 5.0)
    final = {each.start: each for each in given}
    lane, clean = lane_of(rule("session_open > 0")), lane_of(rule("session_open > 0"))
    feed(lane, first)
    for each in given:
        feed(lane, each)
    feed(clean, first, *(final[start] for start in sorted(final)))
    assert values(lane) == values(clean)
    kept = json.loads(json.dumps([lane.stored(row)[3] for row in sorted(lane.changes.rows, key=lambda row: row[2])]))
    assert kept == values(lane)
    assert set(DAY_FIELDS) >= set(SESSION_FIELDS)
