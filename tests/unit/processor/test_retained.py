"""Rows that late trades may change, and their changelog, beside a dictionary."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from tickstream.processor.domain.bars import Table
from tickstream.processor.domain.retained import LARGEST, Retained
from tickstream.processor.domain.revisions import REVISION
from tickstream.processor.domain.windows import key_bounds, window_keys

SECOND = 1_000_000_000
SYMBOLS = 5
WIDTH = 2


def rows_of(picks: list[tuple[int, int, int]], value: int) -> Table:
    """Rows of (symbol, interval, second), sorted as closed windows are."""
    rows = np.zeros(len(picks), dtype=REVISION)
    for row, (symbol, interval, second) in zip(rows, sorted(set(picks)), strict=False):
        row["symbol"], row["interval"], row["bar"] = symbol, interval, value
        row["start"], row["end"] = second * SECOND, (second + 1) * SECOND
    rows = rows[: len(set(picks))]
    symbols, places = rows["symbol"].astype(np.int64), rows["interval"].astype(np.int64)
    rows["key"] = window_keys(symbols, places, WIDTH, rows["start"])
    return rows[np.argsort(rows["key"])]


def needed_of(expired: int, rows: Table) -> NDArray[np.bool_]:
    """Those that end later, and each series' last of the others."""
    series = rows["key"] >> 34
    needed = rows["end"] > expired
    needed[:-1] |= needed[1:] | (series[1:] != series[:-1])
    needed[-1:] = True
    return np.asarray(needed)


def found_in(shelf: Retained) -> dict[int, int]:
    rows = shelf.between(*key_bounds(np.arange(SYMBOLS * WIDTH)))
    assert (np.diff(rows["key"]) > 0).all()
    return dict(zip(rows["key"].tolist(), rows["bar"].tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_and_what_is_written_are_the_newest_of_all_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    shelf, wanted, ends = Retained(REVISION), dict[int, int](), dict[int, int]()
    log: dict[int, Table] = {}
    now = 1_000_000
    for turn in range(100):
        for _ in range(random.integers(0, 4)):
            count = int(random.choice([1, 7, 300, 2000]))
            late = random.integers(0, 3000, count)
            picks = zip(random.integers(0, SYMBOLS, count), random.integers(0, WIDTH, count), now - late, strict=True)
            rows = rows_of([(int(s), int(i), int(t)) for s, i, t in picks], turn)
            shelf.add(rows)
            wanted |= dict(zip(rows["key"].tolist(), rows["bar"].tolist(), strict=True))
            ends |= dict(zip(rows["key"].tolist(), rows["end"].tolist(), strict=True))
        now += int(random.integers(0, 400))
        expired = (now - 3600) * SECOND
        for number, segment in shelf.changes(partial(needed_of, expired)):
            if segment is None:
                del log[number]
            else:
                assert len(segment) <= LARGEST
                log[number] = segment
        if turn % 10 == 9:
            restored = Retained(REVISION)
            restored.restore(log.items())
            for kept in (found_in(shelf), found_in(restored)):
                needed = {key: value for key, value in wanted.items() if ends[key] > expired}
                assert {key: value for key, value in kept.items() if ends[key] > expired} == needed
                for series, key in last_before(ends, expired).items():
                    assert kept[key] == wanted[key], series
    assert len(shelf) < 2 * len([end for end in ends.values() if end > expired]) + 20_000
    assert len(log) < 60


def last_before(ends: dict[int, int], expired: int) -> dict[int, int]:
    """Each series' last key that isn't needed for itself."""
    last: dict[int, int] = {}
    for key, end in sorted(ends.items()):
        if end <= expired:
            last[key >> 34] = key
    return last
