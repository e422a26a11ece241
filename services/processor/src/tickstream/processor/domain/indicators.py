"""The indicators of series, and the bars that they go by as the changelog keeps them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tickstream.core.columns import Floats, Ints
from tickstream.core.intervals import Interval
from tickstream.processor.domain import state
from tickstream.processor.domain.bars import Table
from tickstream.processor.domain.catalogue import Catalogue
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.series import Bar, Series
from tickstream.processor.domain.state import BLOCK, Loaded, Record


class Indicators:
    """Series by their place, symbol * intervals + interval.

    Args:
        catalogue: what there is.
        intervals: those in use.
        retention: nanoseconds for which late trades may change bars.
        symbols: the lanes.
    """

    def __init__(self, catalogue: Catalogue, intervals: Sequence[Interval], retention: int, symbols: Lanes) -> None:
        self._intervals = intervals
        self._symbols = symbols
        self._plans = [catalogue.plan(interval.name) for interval in intervals]
        self._least = [
            plan.kept + interval.most_within(retention) for plan, interval in zip(self._plans, intervals, strict=True)
        ]
        self._series: dict[int, Series] = {}
        self._anchors: dict[int, int] = {}
        self._records: defaultdict[int, list[Record]] = defaultdict(list)
        self.no_values: Final = np.zeros((0, len(catalogue.names)))

    def close(self, bars: Table, totals: Ints) -> Floats:
        """The values of closed bars, by the catalogue's names.

        Args:
            bars: sorted by symbol, interval and start.
            totals: symbols x intervals, how many bars each series has closed by now.
        """
        values = np.empty((len(bars), self.no_values.shape[1]))
        counts: dict[int, int] = {}
        for row, (place, bar, vwap) in enumerate(zip(*self._plain(bars), strict=True)):
            values[row] = [*self._of(place).close(bar), vwap]
            counts[place] = counts.get(place, 0) + 1
        for place, count in counts.items():
            self._keep(place, int(totals.flat[place]), count)
        return values

    def revise(self, bars: Table, dropped: Mapping[int, int], totals: Ints) -> Floats:
        """The values of bars that take the place of the last `dropped` ones of their series.

        Args:
            bars: as of `close`.
            dropped: by series.
            totals: as of `close`.
        """
        places, prices, vwaps = self._plain(bars)
        values: list[list[float]] = []
        for place, rows in itertools.groupby(range(len(bars)), key=places.__getitem__):
            some = [prices[row] for row in rows]
            values += self._of(place).revise(dropped.get(place, 0), some)
            self._keep(place, int(totals.flat[place]), len(some))
        found = [[*row, vwap] for row, vwap in zip(values, vwaps, strict=True)]
        return np.array(found).reshape(-1, self.no_values.shape[1])

    def peek(self, bars: Table) -> Floats:
        """The values that `close` would give of forming bars, one of each series."""
        found = [[*self._of(place).peek(bar), vwap] for place, bar, vwap in zip(*self._plain(bars), strict=True)]
        return np.array(found).reshape(-1, self.no_values.shape[1])

    def changes(self, partition: int) -> list[Record]:
        """The records for a partition's changelog since this was last asked."""
        return self._records.pop(partition, [])

    def forget(self, partition: int) -> None:
        """Let go of a partition's series."""
        width, partitions = len(self._intervals), self._symbols.partitions
        gone = [place for place in self._series if partitions[place // width] == partition]
        for place in gone:
            del self._series[place]
            self._anchors.pop(place, None)
        self._records.pop(partition, None)

    def restore(self, loaded: Loaded, symbol: int, interval: int, bars: int) -> None:
        """Go on with a series that has closed so many bars."""
        name, seconds = self._symbols.values[symbol], self._intervals[interval].code
        held = loaded.held(name, seconds, bars)
        place = symbol * len(self._intervals) + interval
        self._series[place] = Series(self._plans[interval], held, kept=self._least[interval])
        if not held.bars.shape[1]:
            records, gone = self._records_of(place), loaded.blocks(name, seconds)
            records += [state.block_gone(name.encode(), seconds, block) for block in gone]
            records.append(state.anchor_record(name.encode(), seconds, held.anchor, held.stands))
        self._anchors[place] = held.anchor

    def _records_of(self, place: int) -> list[Record]:
        """Those of the partition that a series is in."""
        return self._records[int(self._symbols.partitions[place // len(self._intervals)])]

    def _of(self, place: int) -> Series:
        series = self._series.get(place)
        if series is None:
            interval = place % len(self._intervals)
            series = self._series[place] = Series(self._plans[interval], kept=self._least[interval])
        return series

    def _keep(self, place: int, total: int, count: int) -> None:
        """Keep the last `count` of a series' bars: full blocks together, the others one by one."""
        symbol = self._symbols.values[place // len(self._intervals)].encode()
        seconds = self._intervals[place % len(self._intervals)].code
        series, records = self._series[place], self._records_of(place)
        full = total // BLOCK * BLOCK
        self._keep_anchor(place, symbol, seconds)
        for low in range((total - count) // BLOCK * BLOCK, full, BLOCK):
            first = max(low, series.anchor)
            if first < low + BLOCK:
                bars = series.last(total - first)[:, : low + BLOCK - first]
                records.append(state.block_record(symbol, seconds, first, bars))
        rest = series.last(min(count, total - full)).T.tolist() if total > full else []
        for number, bar in enumerate(rest, start=total - len(rest)):
            records.append(state.bar_record(symbol, seconds, number, bar))

    def _keep_anchor(self, place: int, symbol: bytes, seconds: int) -> None:
        """Keep where a series' bars begin now, and drop the blocks before."""
        series, before = self._series[place], self._anchors.get(place, 0)
        if series.anchor != before:
            self._anchors[place], records = series.anchor, self._records_of(place)
            records.append(state.anchor_record(symbol, seconds, series.anchor, series.stands))
            gone = range(before // BLOCK, series.anchor // BLOCK)
            records += [state.block_gone(symbol, seconds, block) for block in gone]

    def _plain(self, bars: Table) -> tuple[list[int], list[Bar], list[float]]:
        """Places, prices as series take them and session VWAP, as Python's own numbers."""
        places = (bars["symbol"].astype(np.int64) * len(self._intervals) + bars["interval"]).tolist()
        columns = [bars[name].tolist() for name in ("open", "high", "low", "close")]
        prices = list(zip(*columns, bars["sums"][:, 0].tolist(), strict=True))
        return places, prices, bars["session_vwap"].tolist()
