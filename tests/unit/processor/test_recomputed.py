from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickstream.core.model import Progress
from tickstream.processor.backfill.log import cut
from tickstream.processor.backfill.spool import Spool
from tickstream.processor.domain.closing import BAR
from tickstream.processor.domain.recomputed import ABSENT, History, Published, Rows, Waiting, settled_by

WIDTH = 2
NONE: np.ndarray[tuple[int], np.dtype[np.int64]] = np.zeros(0, dtype=np.int64)


def rows(*records: tuple[int, int, int, float]) -> Rows:
    """Records of (symbol, interval, start, figure); each is 10 long."""
    table = np.zeros(len(records), dtype=BAR)
    for row, (symbol, interval, start, _) in enumerate(records):
        table[row]["symbol"], table[row]["interval"] = symbol, interval
        table[row]["start"], table[row]["end"] = start, start + 10
    return Rows(table, np.array([[figure] for *_, figure in records]).reshape(-1, 1))


def published(*records: tuple[int, int, int, float], others: bool = False) -> Published:
    """Records of (series, start, revision, figure)."""
    series, starts, revisions = np.array([head for *head, _ in records], dtype=np.int64).reshape(-1, 3).T
    figures = np.array([[figure] for *_, figure in records]).reshape(-1, 1)
    return Published(series, starts, revisions, figures, np.full(len(records), others))


def told(found: Rows) -> list[tuple[int, int, float]]:
    return [
        (start, revision, figure)
        for start, revision, figure in zip(
            found.table["start"].tolist(), found.table["revision"].tolist(), found.figures[:, 0].tolist(), strict=True
        )
    ]


def test_what_differs_is_the_next_revision_and_what_is_the_same_is_nothing() -> None:
    there = published((0, 10, 0, 1.0), (0, 20, 0, 5.0), (0, 20, 3, 2.0), (1, 20, 7, 9.0), (0, 30, 0, 3.0))
    judged = there.judge(
        rows((0, 0, 10, 1.0 + 1e-12), (0, 0, 20, 5.0), (0, 0, 40, 4.0)), WIDTH, np.zeros(3, dtype=bool)
    )
    assert told(judged.rows) == [(20, 4, 5.0), (40, 0, 4.0)]
    assert judged.revised == 1


@pytest.mark.parametrize(
    ("before", "now", "is_published"),
    [
        (np.nan, np.nan, False),
        (np.nan, 1.0, True),
        (1.0, np.nan, True),
        (ABSENT, np.nan, True),
        (ABSENT, ABSENT, False),
    ],
)
def test_a_name_more_or_less_and_one_that_is_warming_differ(before: float, now: float, is_published: bool) -> None:
    judged = published((0, 10, 0, before)).judge(rows((0, 0, 10, now)), WIDTH, np.zeros(1, dtype=bool))
    assert len(judged.rows) == is_published


def test_names_that_are_not_asked_for_any_more_differ() -> None:
    judged = published((0, 10, 0, 1.0), others=True).judge(rows((0, 0, 10, 1.0)), WIDTH, np.zeros(1, dtype=bool))
    assert told(judged.rows) == [(10, 1, 1.0)]


def test_published_numbers_that_are_to_be_kept_are_only_added_to() -> None:
    there = published((0, 10, 0, 1.0), (0, 20, 0, ABSENT), (0, 30, 0, np.nan))
    judged = there.judge(rows((0, 0, 10, 2.0), (0, 0, 20, 2.0), (0, 0, 30, 2.0)), WIDTH, np.ones(3, dtype=bool))
    assert told(judged.rows) == [(20, 1, 2.0), (30, 1, 2.0)]


def test_nothing_published_is_everything_missing() -> None:
    judged = published().judge(rows((0, 0, 10, 1.0)), WIDTH, np.zeros(1, dtype=bool))
    assert (told(judged.rows), judged.revised) == ([(10, 0, 1.0)], 0)


def test_a_later_record_of_a_window_takes_the_place_of_the_one_before() -> None:
    waiting = Waiting(slack=0, columns=1)
    waiting.add(rows((0, 0, 10, 1.0), (0, 1, 10, 2.0)))
    waiting.add(rows((0, 0, 10, 3.0)))
    assert waiting.rest().figures[:, 0].tolist() == [3.0, 2.0]


def test_a_record_is_settled_once_its_symbol_is_past_it_by_the_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tickstream.processor.domain.recomputed._FEWEST", 0)
    waiting = Waiting(slack=5, columns=1)
    waiting.add(rows((0, 0, 10, 1.0), (0, 0, 20, 2.0), (1, 0, 10, 3.0)))
    assert told(waiting.settled(np.array([25, 24]))) == [(10, 0, 1.0)]
    assert told(waiting.rest()) == [(20, 0, 2.0), (10, 0, 3.0)]


def test_windows_of_symbols_that_the_live_instance_does_not_know_are_not_settled() -> None:
    least = int(np.iinfo(np.int64).min)
    assert settled_by({"A": 100, "B": least}, ["C", "B", "A"], 30).tolist() == [least, least, 70]


def test_a_log_without_its_beginning_tells_time_bars_in_full_only_after_a_while() -> None:
    history = History(np.array([False, True]), {}, slack=100, cut=True)
    first = rows((0, 0, 10, 0.0), (0, 1, 12, 0.0))
    history.note(first.table)
    later = rows((0, 0, 10, 0.0), (0, 0, 110, 0.0), (0, 0, 120, 0.0), (0, 1, 500, 0.0))
    assert history.usable(later).tolist() == [False, False, True, False]
    assert history.short(later).all()


def test_a_series_whose_published_bars_are_older_than_the_log_is_short_of_history() -> None:
    history = History(np.array([False, False]), {0: 0, 1: 10}, slack=100, cut=False)
    first = rows((0, 0, 10, 0.0), (0, 1, 10, 0.0), (1, 0, 10, 0.0))
    history.note(first.table)
    assert history.short(first).tolist() == [True, False, False]
    assert history.usable(first).tolist() == [False, True, True]


def test_a_batch_is_cut_before_a_trade_that_a_mark_makes_late() -> None:
    marks = [Progress("s", ts, offset) for ts, offset in ((15, 11), (25, 12), (26, 13), (99, 15))]
    found = list(cut(np.array([10, 11, 12, 13, 14]), np.array([10, 20, 30, 21, 22]), marks))
    assert found == [(slice(0, 3), marks[:3]), (slice(3, 5), marks[3:])]


@given(st.lists(st.integers(0, 30), max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_a_mark_is_told_before_any_trade_that_it_makes_late(times: list[int], told: list[tuple[int, int]]) -> None:
    marks = [Progress("s", ts, offset) for offset, ts in sorted(told, key=lambda mark: mark[0])]
    applied: list[Progress] = []
    rows: list[int] = []
    for piece, ready in cut(np.arange(len(times)), np.array(times, dtype=np.int64), marks):
        for row in range(piece.start, piece.stop):
            late = [mark for mark in marks if mark.offset <= row and mark.ts_event > times[row]]
            assert all(mark in applied for mark in late)
            rows.append(row)
        applied += ready
        assert all(mark.offset <= piece.stop for mark in ready) or piece.stop == len(times)
    assert (rows, applied) == (list(range(len(times))), marks)


def test_a_batch_without_trades_has_its_marks() -> None:
    marks = [Progress("s", 15, 11)]
    assert list(cut(NONE, NONE, marks)) == [(slice(0, 0), marks)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.binary(min_size=1, max_size=9), st.binary(max_size=40))))
def test_a_spool_gives_back_what_it_took(records: list[tuple[str, bytes, bytes]]) -> None:
    with Spool() as spool:
        for topic, key, value in records:
            spool.send(topic, [key], [value])
        found = [
            (topic, key, value)
            for topic, keys, values in spool.chunks()
            for key, value in zip(keys, values, strict=True)
        ]
        assert spool.count == len(records)
    assert found == records
