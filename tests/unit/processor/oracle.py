"""What a log comes to, worked out trade by trade with dictionaries and exact fractions: slow and obvious."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from tickstream.core.model import Progress, Tick
from tickstream.core.sessions import SESSION_NAMES, Sessions
from tickstream.core.topics import INTERVALS

SECOND = INTERVALS["1s"]
FOREVER = 2**63 - 1


@dataclass
class Window:
    trades: list[Tick] = field(default_factory=list)

    def bar(self) -> dict[str, Any]:
        by_time = sorted(self.trades, key=lambda tick: tick.ts_event)
        prices = [tick.price for tick in self.trades]
        volume = sum(Fraction(tick.volume) for tick in self.trades)
        value = sum(Fraction(tick.price) * Fraction(tick.volume) for tick in self.trades)
        close = by_time[-1].price
        return {
            "open": by_time[0].price,
            "high": max(prices),
            "low": min(prices),
            "close": close,
            "volume": float(volume),
            "vwap": float(value / volume) if volume else close,
            "trades": len(prices),
            "activity": "traded",
        }


class Oracle:
    """One partition."""

    def __init__(
        self,
        intervals: tuple[str, ...],
        calendar: str = "XNYS",
        *,
        grace: int = 0,
        patience: int = 10**18,
        quiet_limit: int = 10**18,
        retention: int = 3600 * SECOND,
        down: Mapping[str, list[tuple[int, int]]] | None = None,
    ) -> None:
        self.intervals = sorted(intervals, key=INTERVALS.__getitem__)
        self.sessions = Sessions.of(calendar)
        self.grace, self.patience, self.quiet_limit, self.retention = grace, patience, quiet_limit, retention
        self.seen: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.down = down or {}
        self.latest: dict[str, int] = {}
        self.promised: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.members: dict[str, set[str]] = {}
        self.waited: dict[str, set[str]] = {}
        self.spans: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
        self.traded: dict[str, int] = {}
        self.watermark: dict[str, int] = {}
        self.open: dict[tuple[str, str, int], Window] = {}
        self.closed: dict[tuple[str, str], dict[int, Window]] = defaultdict(dict)
        self.waiting: dict[str, list[tuple[Tick, int]]] = defaultdict(list)
        self.published: dict[tuple[str, str], dict[int, dict[str, Any]]] = defaultdict(dict)
        self.limit: dict[tuple[str, str], int] = {}
        self.next: dict[tuple[str, str], int] = {}
        self.close_of: dict[tuple[str, str], float] = {}
        self.traded_end: dict[tuple[str, str], int] = {}
        self.counted: dict[tuple[str, str], list[Tick]] = defaultdict(list)
        self.bars: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.late: list[Tick] = []
        self.duplicates = 0
        self.gaps: list[tuple[str, str, int, int]] = []

        self.window = cache(self._window)
        self.session = cache(self._session)

    def _window(self, interval: str, ts: int) -> tuple[int, int]:
        if interval == "1d":
            at = np.array([ts])
            return int(self.sessions.day_start(at)[0]), int(self.sessions.day_end(at)[0])
        length = INTERVALS[interval]
        return ts // length * length, ts // length * length + length

    def _session(self, interval: str, start: int) -> str:
        if interval != "1d":
            return str(SESSION_NAMES[self.sessions.classify(np.array([start]))[0]])
        _, end = self.window(interval, start)
        quarters = SESSION_NAMES_OF(self.sessions, start, end)
        if quarters == {"continuous"}:
            return "continuous"
        return "regular" if "regular" in quarters else "closed"

    def tick(self, tick: Tick) -> None:
        known = self.seen[tick.symbol, tick.source]
        duplicate = tick.seq in known
        if not duplicate:
            if known and tick.seq > max(known) + 1:
                self.gaps.append((tick.symbol, tick.source, max(known) + 1, tick.seq - 1))
            known.add(tick.seq)
        traded = self.traded.get(tick.symbol, self.latest.get(tick.source, 0))
        watermark = self.watermark.get(tick.symbol, 0)
        reached = max(traded, watermark) if tick.ts_event < watermark else traded
        if duplicate:
            self.duplicates += 1
        elif tick.flags & 1:
            pass
        else:
            self._count(tick, reached)
        self._join(tick, traded)
        self.advance()

    def _join(self, tick: Tick, traded: int) -> None:
        """Let a trade's source come further, and join the symbol if it is near enough to the fastest."""
        symbol, source = tick.symbol, tick.source
        members = self.members.setdefault(symbol, set())
        self.latest[source] = max(self.latest.get(source, 0), tick.ts_event)
        if not members:
            self.traded[symbol] = traded
            self.spans[symbol, source].append([0, FOREVER])
            members.add(source)
        elif source not in members and self.latest[source] >= self._fastest(members) - self.patience:
            self.spans[symbol, source].append([max(traded - self.grace, tick.ts_event), FOREVER])
            members.add(source)
        self.ended.pop(source, None)
        self.waited.setdefault(symbol, set()).add(source)

    def _fastest(self, sources: set[str]) -> int:
        return max(self.latest[source] for source in sources)

    def _count(self, tick: Tick, reached: int) -> None:
        late = [interval for interval in self.intervals if self._is_late(interval, tick, reached)]
        if late and tick.ts_event < reached - self.retention:
            self.late.append(tick)
            return
        if late:
            self.waiting[tick.symbol].append((tick, reached))
        for interval in self.intervals:
            if interval not in late:
                self.counted[tick.symbol, interval].append(tick)
                start, _ = self.window(interval, tick.ts_event)
                self.open.setdefault((tick.symbol, interval, start), Window()).trades.append(tick)

    def _is_late(self, interval: str, tick: Tick, reached: int) -> bool:
        return self.window(interval, tick.ts_event)[1] + self.grace <= reached

    def mark(self, mark: Progress) -> None:
        told = self.ended if mark.final else self.promised
        told[mark.source] = max(told.get(mark.source, 0), mark.ts_event)
        self.advance()

    def _by_trades(self, symbol: str, members: set[str]) -> None:
        fastest = self._fastest(members)
        for source in sorted(members):
            if self.latest[source] < fastest - 2 * self.patience:
                self.spans[symbol, source][-1][1] = fastest
                members.discard(source)
        slowest = min(self.latest[source] for source in members if self.latest[source] >= fastest - self.patience)
        self.traded[symbol] = max(self.traded[symbol], slowest)

    def _by_marks(self, sources: set[str]) -> int:
        come = {source: max(self.latest[source], self.promised.get(source, 0)) for source in sources}
        near = [source for source in sources if come[source] >= max(come.values()) - self.patience]
        promises = [self.promised.get(source, 0) for source in near if source not in self.ended]
        return min(promises) if promises else max(self.ended.get(source, 0) for source in sources)

    def advance(self) -> None:
        for symbol, members in self.members.items():
            self._by_trades(symbol, members)
            reached = max(self.traded[symbol], self._by_marks(self.waited[symbol]))
            self.watermark[symbol] = max(self.watermark.get(symbol, 0), reached)
            watermark = self.watermark.get(symbol, 0)
            for bound in sorted({(reached // SECOND + 1) * SECOND for _, reached in self.waiting[symbol]}):
                if bound <= watermark:
                    self._close_all(symbol, bound - self.grace)
                    self._revise(symbol, bound)
            self._close_all(symbol, watermark - self.grace)

    def _close_all(self, symbol: str, limit: int) -> None:
        for interval in self.intervals:
            self.limit[symbol, interval] = limit
            self._close(symbol, interval, limit)

    def _revise(self, symbol: str, bound: int) -> None:
        due = [(tick, reached) for tick, reached in self.waiting[symbol] if reached < bound]
        self.waiting[symbol] = [entry for entry in self.waiting[symbol] if entry not in due]
        for interval in self.intervals:
            late = [tick for tick, reached in due if self._is_late(interval, tick, reached)]
            if late:
                self._close_again((symbol, interval), late)

    def _close_again(self, series: tuple[str, str], late: list[Tick]) -> None:
        """Make all of a series' bars once more, with late trades; publish what differs."""
        for tick in late:
            self.counted[series].append(tick)
            start, _ = self.window(series[1], tick.ts_event)
            self.closed[series].setdefault(start, Window()).trades.append(tick)
        before, so_far = self.published.pop(series, {}), self.bars[series]
        self.bars[series] = []
        self.next.pop(series, None)
        for start, window in self.closed.pop(series).items():
            self.open[(*series, start)] = window
        self._close(*series, self.limit[series])
        self.bars[series] = so_far
        for start, bar in self.published[series].items():
            old = before.get(start)
            if old is not None:
                bar["revision"] = old["revision"]
                if all(bar[name] == value for name, value in old.items() if name != "session_vwap"):
                    continue
                bar["revision"] += 1
            so_far.append(dict(bar))

    def _close(self, symbol: str, interval: str, limit: int) -> None:
        series = (symbol, interval)
        traded = sorted(start for s, i, start in self.open if (s, i) == series)
        while True:
            start = traded[0] if traded else None
            quiet = self.next.get(series)
            if quiet is not None and interval != "1s" and (start is None or quiet < start):
                end = self.window(interval, quiet)[1]
                if end > limit:
                    return
                self.next[series] = end
                session = self.session(interval, quiet)
                if session != "closed" and quiet < self.traded_end[series] + self.quiet_limit:
                    activity = self.activity(symbol, quiet, end)
                    self._put(series, quiet, end, session, quiet_bar(self.close_of[series], activity))
                continue
            if start is None or self.window(interval, start)[1] > limit:
                return
            end = self.window(interval, start)[1]
            window = self.closed[series][start] = self.open.pop((symbol, interval, traded.pop(0)))
            bar = window.bar()
            self.next[series] = self.traded_end[series] = end
            self.close_of[series] = bar["close"]
            self._put(series, start, end, self.session(interval, start), bar)

    def activity(self, symbol: str, start: int, end: int) -> str:
        """`feed_down` if at some moment of a window all sources that count for it were down."""
        down = [
            self.down.get(source, [])
            for source in self.latest
            if any(since < end <= until for since, until in self.spans[symbol, source])
        ]
        moments = [start, *(begin for stretches in down for begin, _ in stretches if start < begin < end)]
        gone = any(all(any(a <= at < b for a, b in stretches) for stretches in down) for at in moments)
        return "feed_down" if gone else "quiet"

    def _put(self, series: tuple[str, str], start: int, end: int, session: str, bar: dict[str, Any]) -> None:
        if bar["trades"] or len(self.bars[series]) % 50 == 0:
            bar["session_vwap"] = self.session_vwap(series, start, end, bar["close"])
        whole = {"start": start, "end": end, "session": session, "revision": 0, **bar}
        self.published[series][start] = whole
        self.bars[series].append(dict(whole))

    def session_vwap(self, series: tuple[str, str], start: int, end: int, otherwise: float) -> float:
        anchor = start if series[1] == "1d" else int(self.sessions.session_start(np.array([start]))[0])
        some = [tick for tick in self.counted[series] if anchor <= tick.ts_event < end]
        volume = sum(Fraction(tick.volume) for tick in some)
        value = sum(Fraction(tick.price) * Fraction(tick.volume) for tick in some)
        return float(value / volume) if volume else otherwise


def quiet_bar(close: float, activity: str) -> dict[str, Any]:
    prices = dict.fromkeys(("open", "high", "low", "close", "vwap"), close)
    return {**prices, "volume": 0.0, "trades": 0, "activity": activity}


def SESSION_NAMES_OF(sessions: Sessions, start: int, end: int) -> set[str]:  # noqa: N802
    times = np.arange(start, end, INTERVALS["15m"])
    return {SESSION_NAMES[kind] for kind in sessions.classify(times)}
