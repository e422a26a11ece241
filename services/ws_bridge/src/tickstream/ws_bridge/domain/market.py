"""The present state of the market, for snapshots: what a client must know to go on from here."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from tickstream.core.columns import Strings
from tickstream.core.model import AlertEvent, AnalyticsFigure, Bar, IndicatorSet, MarketEvent, Record
from tickstream.ws_bridge.domain.entry import NO_SYMBOL, Channel, Entry, Waiting
from tickstream.ws_bridge.domain.last_trades import LastTrades, Sealed

MARKET_SCOPE: Final = "market"
"""The scope of analytics that speak of all symbols together."""
GROUP_SCOPES: Final = "group:"
"""What the scopes of analytics begin with that speak of a group of symbols."""

_RECENT: Final = 1_000
_MAX_OPEN_ALERTS: Final = 10_000
_MAX_FIGURES: Final = 1_000

_T = TypeVar("_T")


class Series:
    """The last closed bars (or indicators) of a symbol and interval, and the forming one.

    Nothing is missing from the oldest one kept on. So it is one whose first closing was seen, and what starts before it
    is left out: a late revision of one that isn't kept any more, or never was, says nothing of those in between.
    """

    __slots__ = ("_closed", "_forming", "_newest")

    def __init__(self) -> None:
        self._closed: dict[int, Entry] = {}
        self._newest = -1
        self._forming: tuple[int, Entry] | None = None

    def close(self, start: int, entry: Entry, revision: int, capacity: int) -> None:
        """Take a closed bar; one of the same start is a revision and takes the place of the earlier.

        Args:
            start: of the bar, in nanoseconds since the epoch.
            entry: its own.
            revision: its number; 0: it is closed for the first time.
            capacity: how many are kept, at least.
        """
        oldest = next(iter(self._closed), None)
        if revision > 0 if oldest is None else start < oldest:
            return
        late = start not in self._closed and start < self._newest
        self._closed[start] = entry
        if late:
            self._closed = dict(sorted(self._closed.items()))
        self._newest = max(self._newest, start)
        if self._forming is not None and self._forming[0] <= start:
            self._forming = None
        if len(self._closed) > capacity + capacity // 8:
            for oldest in list(islice(self._closed, len(self._closed) - capacity)):
                del self._closed[oldest]

    def form(self, start: int, entry: Entry) -> None:
        """Take the newest state of a bar that isn't closed yet."""
        if start not in self._closed:
            self._forming = (start, entry)

    def before(self, start: int, count: int) -> list[tuple[int, Entry]]:
        """The last closed ones that start before a time, oldest first, each with its start."""
        starts = list(self._closed)
        end = bisect_left(starts, start)
        return [(one, self._closed[one]) for one in starts[max(0, end - count) : end]]

    def last(self, history: int) -> list[Entry]:
        """The last `history` closed ones, oldest first, and the forming one."""
        count = len(self._closed)
        closed = list(islice(self._closed.values(), max(0, count - history), count)) if history else []
        return [*closed, self._forming[1]] if self._forming is not None else closed


class Market:
    """The state of every channel.

    Args:
        history: closed bars kept of each symbol and interval, at most.
        max_records: closed bars and indicators kept altogether; with many symbols each gets its share.
        max_symbols: symbols known; of more than that no state is kept.
        unread: has the last trades of symbols that nobody reads, where those aren't decoded.
    """

    def __init__(self, history: int, max_records: int, max_symbols: int, unread: LastTrades[Any] | None = None) -> None:
        self._history = history
        self._max_records = max_records
        self._max_symbols = max_symbols
        self._unread = unread
        self.symbols: set[str] = set()
        self._ticks: dict[str, Waiting] = {}
        self._series: dict[tuple[str, str], dict[str, Series]] = {}
        self._series_count = 0
        self._figures: dict[str, dict[Hashable, Entry]] = {}
        self._open_alerts: dict[str, Entry] = {}
        self._last_alerts: deque[Entry] = deque(maxlen=_RECENT)
        self._last_events: deque[Entry] = deque(maxlen=_RECENT)

    def know(self, symbols: Iterable[str]) -> None:
        """Take symbols as existing, whether or not anything was heard of them."""
        for symbol in symbols:
            self._known(symbol)

    def knows(self, channel: Channel, symbol: str) -> bool:
        """Whether there is such a symbol (or scope) to subscribe to."""
        if symbol in self.symbols:
            return True
        return channel in ("analytics", "alerts") and (symbol == MARKET_SCOPE or symbol in self._figures)

    def everything(self) -> set[str]:
        """All symbols and scopes that a snapshot may be about."""
        alerts = (*self._open_alerts.values(), *self._last_alerts)
        return {*self.symbols, *self._figures, *(entry.route[2] for entry in alerts)}

    def groups(self) -> list[str]:
        """The names of the groups of symbols that there are figures of, in order."""
        return sorted(scope.removeprefix(GROUP_SCOPES) for scope in self._figures if scope.startswith(GROUP_SCOPES))

    def tick(self, entry: Waiting) -> None:
        """Take a trade into account."""
        symbol = entry.route[2]
        if self._known(symbol):
            self._ticks[symbol] = entry
            if self._unread is not None:
                self._unread.drop(entry)

    def unread(self, symbols: Strings, trades: Sequence[Sealed]) -> None:
        """Take trades into account that nobody reads, the last ones of these symbols so far."""
        if self._unread is not None:
            self._unread.keep(symbols, trades, self._known)

    def forget_trades(self, partitions: Collection[int]) -> None:
        """The last trades of these partitions may no longer be the last."""
        self._ticks = {symbol: entry for symbol, entry in self._ticks.items() if entry.partition not in partitions}
        if self._unread is not None:
            self._unread.forget(partitions)

    def record(self, record: Record, entry: Entry) -> None:
        """Take any other record into account; `entry` is its own."""
        match record:
            case Bar() | IndicatorSet():
                self._bar(record, entry)
            case AnalyticsFigure():
                self._figure(record, entry)
            case AlertEvent():
                self._alert(record, entry)
            case MarketEvent():
                self._last_events.append(entry)
            case _:
                self.tick(entry)

    def snapshot(
        self, channel: Channel, interval: str, symbols: Collection[str] | None, history: int
    ) -> Sequence[Waiting]:
        """What a new subscriber must know, oldest first for each symbol.

        Args:
            channel: of the subscription.
            interval: of bars and indicators.
            symbols: those wanted; None: all.
            history: closed bars of each symbol; for alerts and market events, the last of them altogether.
        """
        match channel:
            case "ticks":
                if self._unread is not None:
                    self._ticks.update({entry.route[2]: entry for entry in self._unread.made(symbols)})
                return _chosen(self._ticks, symbols)
            case "bars" | "indicators":
                series = _chosen(self._series.get((channel, interval), {}), symbols)
                return [entry for one in series for entry in one.last(history)]
            case "analytics":
                return [entry for figures in _chosen(self._figures, symbols) for entry in figures.values()]
            case "alerts":
                return self._alerts_of(symbols, history)
            case "market_events":
                return _last_of(self._last_events, symbols, history or _RECENT)

    def closed_before(
        self, channel: Channel, interval: str, symbol: str, start: int, count: int
    ) -> list[tuple[int, Entry]]:
        """The last closed bars (or indicators) kept of a symbol that start before a time, oldest first."""
        series = self._series.get((channel, interval), {}).get(symbol)
        return [] if series is None else series.before(start, count)

    def _known(self, symbol: str) -> bool:
        if symbol in self.symbols:
            return True
        if not symbol or len(self.symbols) >= self._max_symbols:
            return False
        self.symbols.add(symbol)
        return True

    def _bar(self, record: Bar | IndicatorSet, entry: Entry) -> None:
        channel, interval, symbol = entry.route
        if not self._known(symbol):
            return
        stream = self._series.setdefault((channel, interval), {})
        series = stream.get(symbol)
        if series is None:
            series = stream[symbol] = Series()
            self._series_count += 1
        if record.state == "closed":
            share = max(1, self._max_records // self._series_count)
            series.close(record.start, entry, record.revision, min(self._history, share))
        else:
            series.form(record.start, entry)

    def _figure(self, record: AnalyticsFigure, entry: Entry) -> None:
        if record.scope.startswith(GROUP_SCOPES):
            if record.scope not in self._figures and len(self._figures) >= self._max_symbols:
                return
        elif record.scope != MARKET_SCOPE and not self._known(record.scope):
            return
        figures = self._figures.setdefault(record.scope, {})
        if entry.key in figures or len(figures) < _MAX_FIGURES:
            figures[entry.key] = entry

    def _alert(self, record: AlertEvent, entry: Entry) -> None:
        self._last_alerts.append(entry)
        self._open_alerts.pop(record.alert_id, None)
        if record.state != "resolved" and len(self._open_alerts) < _MAX_OPEN_ALERTS:
            self._open_alerts[record.alert_id] = entry

    def _alerts_of(self, symbols: Collection[str] | None, history: int) -> list[Entry]:
        recent = _last_of(self._last_alerts, symbols, history)
        shown = set(map(id, recent))
        still_open = [entry for entry in self._open_alerts.values() if symbols is None or entry.route[2] in symbols]
        return [*(entry for entry in still_open if id(entry) not in shown), *recent]


def _chosen(by_symbol: dict[str, _T], symbols: Collection[str] | None) -> list[_T]:
    if symbols is None:
        return list(by_symbol.values())
    return [by_symbol[symbol] for symbol in symbols if symbol in by_symbol]


def _last_of(entries: Iterable[Entry], symbols: Collection[str] | None, count: int) -> list[Entry]:
    if not count:
        return []
    wanted = [entry for entry in entries if symbols is None or entry.route[2] in symbols or entry.route[2] == NO_SYMBOL]
    return wanted[-count:]
