from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickstream.alerting.domain.lane import Lane
from tickstream.alerting.domain.lifecycle import Transition
from tickstream.alerting.domain.rule import ByExpression, Rule, RuleBook
from tickstream.alerting.domain.track import Track
from tickstream.alerting.language.parser import parse
from tickstream.alerting.rows import rows_of_bars, rows_of_figures, rows_of_indicators
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet

MINUTE = 60 * 10**9
OPEN = 1_381_239_000 * 10**9
"""A Tuesday, 09:30 in New York."""


def bar(minute: int, close: float, **other: Any) -> Bar:
    start = OPEN + minute * MINUTE
    given = Bar(
        "SPY",
        "1m",
        start,
        start + MINUTE,
        close,
        close,
        close,
        close,
        100.0,
        close,
        3,
        "closed",
        0,
        "traded",
        "regular",
    )
    return replace(given, **other)


def bars(closes: Sequence[float], **other: Any) -> list[Bar]:
    return [bar(minute, close, **other) for minute, close in enumerate(closes)]


def rule(text: str, **other: Any) -> Rule:
    expression = parse(text)
    hold = expression.hold.size if expression.hold else 0
    return Rule(f"r-{text}", text, ByExpression(expression), hold_rows=hold, **other)


def lane_of(*rules: Rule) -> Lane:
    lane = Lane()
    lane.install(RuleBook(rules))
    return lane


def feed(lane: Lane, *records: Bar | IndicatorSet | AnalyticsFigure) -> None:
    """One batch."""
    rows = []
    for record in records:
        if isinstance(record, Bar):
            rows += rows_of_bars([record], "XNYS", lane.intervals("bars"))
        elif isinstance(record, IndicatorSet):
            rows += rows_of_indicators([record], lane.intervals("indicators"))
        else:
            rows += rows_of_figures([record])
    lane.take(row for row in rows if row is not None)


def short(transitions: Sequence[Transition]) -> list[tuple[str, float, float]]:
    return [(t.state, (t.ts_event - OPEN) / MINUTE, t.value) for t in transitions]


def run(watching: Rule, records: Sequence[Bar], batch: int = 1000) -> list[Transition]:
    lane = lane_of(watching)
    for start in range(0, len(records), batch):
        feed(lane, *records[start : start + batch])
    return lane.changes.transitions


def test_an_alert_fires_at_the_end_of_its_bar_and_says_what_was_compared() -> None:
    fired, resolved = run(rule("close > previous(close) + 1"), bars([10, 10, 12, 12.5]))
    assert short([fired, resolved]) == [("firing", 3, 12.0), ("resolved", 4, 12.5)]
    assert fired.threshold == 11.0
    assert fired.summary == "SPY close 12, > previous(close) + 1 11 on 1m"


def test_a_condition_for_some_bars_is_pending_until_the_last_of_them() -> None:
    found = run(rule("close > 10 for 3 bars"), bars([11, 11, 9, 11, 11, 11, 9]))
    assert short(found) == [
        ("pending", 1, 11), ("resolved", 3, 9), ("pending", 4, 11), ("firing", 6, 11), ("resolved", 7, 9)
    ]  # fmt: skip


def test_a_crossing_goes_on_while_the_value_stays_there() -> None:
    found = run(rule("close crosses_above 10 for 2 bars"), bars([11, 11, 9, 11, 12, 13, 10]))
    assert short(found) == [("pending", 4, 11), ("firing", 5, 11), ("resolved", 7, 10)]


def test_until_ends_what_a_limit_began() -> None:
    found = run(rule("close > 10 until close < 8"), bars([11, 9, 8, 7, 9]))
    assert short(found) == [("firing", 1, 11), ("resolved", 4, 7)]


def test_a_kept_alert_outlasts_short_breaks() -> None:
    kept = rule("close > 10", keep_ns=2 * MINUTE)
    assert short(run(kept, bars([11, 9, 11, 9, 9, 9, 9]))) == [("firing", 1, 11), ("resolved", 6, 11)]


def test_an_alert_is_unknown_while_the_feed_is_down_and_goes_on_after_it() -> None:
    down: dict[str, Any] = {"activity": "feed_down", "volume": 0.0, "trades": 0}
    given = [bar(0, 11), bar(1, 11, **down), bar(2, 11, **down), bar(3, 12), bar(4, 12, **down), bar(5, 9)]
    found = run(rule("volume > 10 and close > 10"), given)
    assert [state for state, _, _ in short(found)] == ["firing", "unknown", "firing", "unknown", "resolved"]
    assert [minute for _, minute, _ in short(found)] == [1, 2, 4, 5, 6]
    assert "feed is down" in found[1].reason


def test_a_feed_that_is_down_lets_no_pending_alert_fire() -> None:
    given = [bar(0, 11), bar(1, 11, activity="feed_down"), bar(2, 11), bar(3, 11), bar(4, 11)]
    found = run(replace(rule("close > 10"), hold_ns=2 * MINUTE), given)
    assert [(t.state, (t.ts_event - OPEN) // MINUTE) for t in found] == [
        ("pending", 1), ("unknown", 2), ("pending", 3), ("firing", 5)
    ]  # fmt: skip


def test_bars_of_other_sessions_are_left_out() -> None:
    given = [bar(0, 9), bar(1, 11, session="pre"), bar(2, 9), bar(3, 11)]
    found = run(rule("close > previous(close) on 1m during regular"), given)
    assert short(found) == [("firing", 4, 11)]


def test_time_of_the_session_is_known() -> None:
    found = run(rule("minutes_since_open == 2 and minutes_to_close == 388"), bars([1, 1, 1, 1]))
    assert short(found) == [("firing", 2, 2), ("resolved", 3, 3)]


def test_a_moment_waits_for_everything_that_is_spoken_of_in_whatever_order_it_comes() -> None:
    watching = rule("close > sma_20 and QQQ.close > 5 and market.breadth[1d].advancers > 3")
    records: list[Any] = [
        bar(0, 11),
        bar(0, 6, symbol="QQQ"),
        IndicatorSet("SPY", "1m", OPEN, OPEN + MINUTE, "closed", 0, {"sma_20": 10.0}),
        AnalyticsFigure("market", "breadth", OPEN + MINUTE, "1d", {"advancers": 4.0}),
    ]
    for order in (records, records[::-1], [*records[2:], *records[:2]]):
        lane = lane_of(replace(watching, symbols=("SPY",)))
        for record in order[:-1]:
            feed(lane, record)
            assert lane.changes.transitions == []
        feed(lane, order[-1])
        assert short(lane.changes.transitions) == [("firing", 1, 11)]


def test_a_comparison_of_symbols_is_one_alert_of_the_first() -> None:
    lane = lane_of(rule("SPY.close / QQQ.close > 2"))
    feed(lane, bar(0, 11), bar(0, 5, symbol="QQQ"), bar(0, 1, symbol="AIG"))
    assert [(t.symbol, t.value) for t in lane.changes.transitions] == [("SPY", 2.2)]


def test_a_rule_of_the_market_alone_has_the_market_for_a_symbol() -> None:
    lane = lane_of(rule("market.breadth[1d].advancers > 3"))
    feed(lane, AnalyticsFigure("market", "breadth", OPEN, "1d", {"advancers": 4.0}))
    assert [(t.symbol, t.state) for t in lane.changes.transitions] == [("market", "firing")]


def test_a_revision_that_undoes_a_beginning_retracts_the_alert() -> None:
    lane = lane_of(rule("close > 10"))
    feed(lane, bar(0, 9), bar(1, 11), bar(2, 12))
    feed(lane, bar(1, 9.5, revision=1))
    assert [(t.state, t.revision) for t in lane.changes.transitions] == [("firing", 0), ("resolved", 1), ("firing", 0)]
    retracted, again = lane.changes.transitions[1:]
    assert "retracted" in retracted.reason
    assert (again.ts_event - OPEN) / MINUTE == 3
    feed(lane, bar(1, 11, revision=2))
    back = lane.changes.transitions[3:]
    assert [(t.alert_id == retracted.alert_id, t.state, t.revision) for t in back] == [
        (False, "resolved", 1), (True, "firing", 2)
    ]  # fmt: skip


def test_a_revision_of_the_value_amends_the_alert() -> None:
    lane = lane_of(rule("close > 10"))
    feed(lane, bar(0, 9), bar(1, 11))
    feed(lane, bar(1, 12, revision=1))
    first, second = lane.changes.transitions
    assert (second.alert_id, second.state, second.revision, second.value) == (first.alert_id, "firing", 1, 12.0)
    assert "revision" in second.reason


def test_a_revision_that_undoes_an_end_brings_the_alert_back() -> None:
    lane = lane_of(rule("close > 10"))
    feed(lane, bar(0, 11), bar(1, 9))
    feed(lane, bar(1, 11, revision=1))
    assert [(t.state, t.revision) for t in lane.changes.transitions] == [("firing", 0), ("resolved", 1), ("firing", 2)]


def test_a_changed_or_deleted_rule_ends_its_alerts() -> None:
    watching = rule("close > 10")
    lane = lane_of(watching)
    feed(lane, bar(0, 11))
    lane.install(RuleBook([replace(watching, severity="critical", version=2)]))
    assert len(lane.changes.transitions) == 1
    lane.install(RuleBook([replace(watching, keep_ns=1, version=3)]))
    assert [t.state for t in lane.changes.transitions] == ["firing", "resolved"]
    assert "version 3" in lane.changes.transitions[-1].reason
    feed(lane, bar(1, 11))
    lane.install(RuleBook())
    assert [t.state for t in lane.changes.transitions] == ["firing", "resolved", "firing", "resolved"]


RULES = (
    rule("close > 3"),
    rule("close > 3 until close < 2"),
    rule("close crosses_above 3 for 2 bars"),
    rule("close > mean(close, 3 bars)", cooldown_ns=2 * MINUTE),
    rule("close < 2 then close > 3 within 3m", keep_ns=MINUTE),
    replace(rule("close >= B.close"), hold_ns=2 * MINUTE),
    rule("close > session_open until session_low < 2"),
    rule("bar_return > median(bar_return, 3 bars) for 2 bars"),
)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.integers(0, 9),
        st.integers(0, 5),
        st.sampled_from(["traded", "traded", "feed_down"]),
    ),
    max_size=40,
)


def _as_bars(steps: Sequence[tuple[str, int, int, str]]) -> list[Bar]:
    return [bar(minute, float(close), symbol=symbol, activity=activity) for symbol, minute, close, activity in steps]


def _standing(transitions: Sequence[Transition]) -> dict[str, Any]:
    """What a reader who keeps the last revision of each alert has in the end, less what was retracted."""
    last: dict[str, Transition] = {}
    for transition in transitions:
        assert transition.revision == (last[transition.alert_id].revision + 1 if transition.alert_id in last else 0)
        last[transition.alert_id] = transition
    return {alert: (t.state, t.symbol, t.rule_id, t.value) for alert, t in last.items() if "retracted" not in t.reason}


@settings(max_examples=150, deadline=None)
@given(_STEPS, st.sampled_from(RULES))
def test_after_revisions_alerts_are_as_if_the_bars_had_always_been_so(
    steps: list[tuple[str, int, int, str]], watching: Rule
) -> None:
    given = _as_bars(steps)
    final = {(each.symbol, each.start): each for each in given}
    lane, clean = lane_of(watching), lane_of(watching)
    for each in given:
        feed(lane, each)
    for each in sorted(final.values(), key=lambda b: (b.start, b.symbol)):
        feed(clean, each)
    assert _standing(lane.changes.transitions) == _standing(clean.changes.transitions)


@settings(max_examples=100, deadline=None)
@given(_STEPS, st.integers(1, 40), st.booleans())
def test_batches_and_restarts_change_nothing(
    steps: list[tuple[str, int, int, str]], batch: int, restarts: bool
) -> None:
    given = _as_bars(steps)
    whole = lane_of(*RULES)
    for each in given:
        feed(whole, each)
    lane, found = lane_of(*RULES), []
    kept: dict[Any, Any] = {}
    for start in range(0, len(given), batch):
        feed(lane, *given[start : start + batch])
        found += lane.changes.transitions
        lane.changes.transitions = []
        kept |= {row: lane.stored(row) for row in lane.changes.rows}
        if restarts:
            lane = _restarted(lane, kept)
    order = lambda t: (t.rule_id, t.symbol)  # noqa: E731 - a sort key
    assert sorted(found, key=order) == sorted(whole.changes.transitions, key=order)


def _restarted(old: Lane, kept: dict[Any, Any]) -> Lane:
    lane = Lane()
    for place, track in old.tracks.items():
        lane.tracks[place] = Track.load(json.loads(json.dumps(track.dump())))
        lane.digests[place] = old.digests[place]
    lane.install(RuleBook(RULES))
    lane.restore(kept.values())
    return lane


@pytest.mark.parametrize("count", [200, 1000])
def test_a_backlog_gives_what_bar_by_bar_does(count: int) -> None:
    given = bars([float((minute * 7919) % 11) for minute in range(count)])
    for watching in RULES[:5]:
        assert run(watching, given) == run(watching, given, batch=1)
