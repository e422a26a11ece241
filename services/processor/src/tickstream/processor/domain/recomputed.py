"""What was worked out once more, beside what is published: which records are missing, differ, or are the same.

Bars and indicators are compared alike, as rows of figures by series and start. A record that late
trades may still change waits until none can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tickstream.core.columns import Floats, Ints
from tickstream.processor.domain.bars import Table
from tickstream.processor.domain.closing import BAR
from tickstream.processor.domain.windows import Codes

FIGURES: Final = ("open", "high", "low", "close", "volume", "vwap", "trades", "activity", "session")
"""What two bars are compared by."""

ABSENT: Final = math.inf
"""Stands for an indicator that a record doesn't name; NaN is one that is warming."""

_TOLERANCE: Final = 1e-9
_FEWEST: Final = 50_000
_NEVER: Final = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one kind: n bars, and n x k figures."""

    table: Table
    figures: Floats

    @classmethod
    def concatenate(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of at least one part."""
        return cls(np.concatenate([part.table for part in parts]), np.concatenate([part.figures for part in parts]))

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Rows:
        """The chosen rows, in their order."""
        return Rows(self.table[rows], self.figures[rows])

    def series(self, width: int) -> Codes:
        """Of each row symbol * width + interval."""
        series: Codes = self.table["symbol"].astype(np.int64) * width + self.table["interval"]
        return series


def figures_of(bars: Table) -> Floats:
    """The `FIGURES` of bars."""
    columns = [bars["sums"][:, 0] if name == "volume" else bars[name] for name in FIGURES]
    return np.stack(columns, axis=1).astype(np.float64)


class Waiting:
    """Records until no late trade can change them any more.

    Args:
        slack: nanoseconds by which a symbol must have passed the end of a bar.
        columns: figures of a record.
    """

    def __init__(self, slack: int, columns: int) -> None:
        self._slack = slack
        self._parts = [Rows(np.zeros(0, dtype=BAR), np.zeros((0, columns)))]
        self._fresh = 0

    def add(self, rows: Rows) -> None:
        """Take records; each takes the place of an earlier one of its window."""
        if len(rows):
            self._parts.append(rows)
            self._fresh += len(rows)

    def settled(self, reached: Ints) -> Rows:
        """Those that are final, once there are enough to be worth a look.

        Args:
            reached: the end of each symbol's latest window that has closed.
        """
        if self._fresh < max(_FEWEST, len(self._parts[0])):
            return self._parts[0].take(np.zeros(0, dtype=np.intp))
        rows = self._newest()
        final = rows.table["end"] + self._slack <= reached[rows.table["symbol"]]
        self._parts, self._fresh = [rows.take(~final)], 0
        return rows.take(final)

    def rest(self) -> Rows:
        """All that are left."""
        return self._newest()

    def _newest(self) -> Rows:
        rows = Rows.concatenate(self._parts)
        order = np.lexsort((rows.table["start"], rows.table["interval"], rows.table["symbol"]))
        rows = rows.take(order)
        last = np.ones(len(rows), dtype=np.bool_)
        last[:-1] = np.logical_or.reduce(
            [rows.table[name][1:] != rows.table[name][:-1] for name in ("symbol", "interval", "start")]
        )
        return rows.take(last)


class Published:
    """The newest revision of each record that is there.

    Args:
        series: of each, in the order of the log.
        starts: event times.
        revisions: theirs.
        figures: n x k.
        others: whether it has figures besides those.
    """

    def __init__(
        self, series: Codes, starts: Ints, revisions: Ints, figures: Floats, others: NDArray[np.bool_]
    ) -> None:
        order = np.lexsort((revisions, starts, series))
        keys = _keys(series[order], starts[order])
        last = np.ones(len(keys), dtype=np.bool_)
        last[:-1] = keys[1:] != keys[:-1]
        order = order[last]
        self._keys, self._revisions = keys[last], revisions[order]
        self._figures, self._others = figures[order], others[order]

    def judge(self, rows: Rows, width: int, kept: NDArray[np.bool_]) -> Judged:
        """What is to become of final records.

        Args:
            rows: those.
            width: how many intervals there are.
            kept: those whose published figures stay as they are and are only added to.
        """
        keys = _keys(rows.series(width), rows.table["start"])
        places = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        known = self._keys[places] == keys if len(self._keys) else np.zeros(len(keys), dtype=np.bool_)
        table, figures, differs = rows.table.copy(), rows.figures.copy(), ~known
        found, mine = places[known], kept[known]
        before = self._figures[found]
        figures[known] = np.where(mine[:, None] & np.isfinite(before), before, figures[known])
        equal = np.isclose(before, figures[known], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True).all(axis=1)
        others = self._others[found]
        differs[known] = np.where(mine, ~equal & ~others, ~equal | others)
        table["revision"][known] = self._revisions[found] + 1
        return Judged(Rows(table, figures).take(differs), int(np.count_nonzero(differs & known)))


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be published; `revised` is how many of it take the place of something else."""

    rows: Rows
    revised: int


@dataclass(frozen=True, slots=True)
class Scope:
    """The windows that a backfill is about: those that start in [since, until)."""

    since: int
    until: int

    def has(self, starts: Ints) -> NDArray[np.bool_]:
        """Which it is about."""
        return (starts >= self.since) & (starts < self.until)


def settled_by(watermarks: Mapping[str, int], symbols: Sequence[str], slack: int) -> Ints:
    """For each symbol the end of the last windows that its live instance changes no more.

    Args:
        watermarks: how far the live instance has come, by symbol; one that it doesn't know has no such windows.
        symbols: by their codes.
        slack: nanoseconds for which it may change windows after their end.
    """
    return np.array([max(watermarks.get(name, _NEVER) - slack, _NEVER) for name in symbols], dtype=np.int64)


class History:
    """Whether the log tells of each series all that what is published was made from.

    It doesn't where its beginning is gone, or where published records are older than its first trade.
    There the first windows may lack trades, bars by count begin elsewhere, and indicators begin anew.

    Args:
        counted: for each interval whether its bars are by count.
        earliest: the first start that is published of each series.
        cut: whether the log's beginning is gone.
        slack: nanoseconds after a series' first window within which trades may be missing.
    """

    def __init__(self, counted: NDArray[np.bool_], earliest: Mapping[int, int], slack: int, *, cut: bool) -> None:
        self._counted = counted
        self._earliest = earliest
        self._cut = cut
        self._slack = slack
        self._whole_from: dict[int, int] = {}

    def note(self, bars: Table) -> None:
        """Learn of closed bars, from the first ones on; sorted by symbol, interval and start."""
        series = Rows(bars, np.zeros((len(bars), 0))).series(len(self._counted))
        places, firsts = np.unique(series, return_index=True)
        for place, row in zip(places.tolist(), firsts.tolist(), strict=True):
            if place not in self._whole_from:
                short = self._cut or self._earliest.get(place, int(bars["start"][row])) < int(bars["start"][row])
                self._whole_from[place] = int(bars["end"][row]) + self._slack if short else _NEVER

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """Which bars have all of their trades."""
        since = self._since(rows)
        whole = (rows.table["start"] >= since) & ~self._counted[rows.table["interval"]]
        return np.asarray((since == _NEVER) | whole)

    def short(self, rows: Rows) -> NDArray[np.bool_]:
        """Which are of series whose beginning the log doesn't tell."""
        short: NDArray[np.bool_] = self._since(rows) != _NEVER
        return short

    def _since(self, rows: Rows) -> Ints:
        series = rows.series(len(self._counted)).tolist()
        return np.fromiter((self._whole_from.get(place, _NEVER) for place in series), dtype=np.int64, count=len(series))


def _keys(series: Codes, starts: Ints) -> NDArray[np.bytes_]:
    """For each record a text of its own that tells its series and start."""
    return np.stack((series, starts), axis=1).astype(">i8").view("S16").reshape(-1)
