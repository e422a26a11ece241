"""What an engine puts out, as records on the topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, cast, get_args

import numpy as np

from tickstream.core.clock import Clock
from tickstream.core.codec import Codecs
from tickstream.core.columns import BarColumns, Floats, Strings
from tickstream.core.kafka import Kafka, Message, dead_letter_headers
from tickstream.core.model import Bar, IndicatorSet, MarketEvent, State
from tickstream.core.sessions import SESSION_NAMES
from tickstream.core.topics import BARS, INDICATORS, MARKET_EVENTS, PROCESSOR_STATE, STOCK_TICKS, dlq_of
from tickstream.processor.domain.bars import Table
from tickstream.processor.domain.catalogue import Catalogue
from tickstream.processor.domain.lanes import Lanes
from tickstream.processor.domain.outages import ACTIVITIES
from tickstream.processor.domain.output import Gap, Output
from tickstream.processor.domain.state import Record

_STATES: Final = get_args(State)
_SERVICE: Final = "processor"


class Sender(Protocol):
    """Takes records for topics."""

    def send(
        self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes | None], partition: int = -1
    ) -> None:
        """Take records; without a partition their keys choose it."""

    def send_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Take one record, with headers."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Sends an engine's output; symbols and sources are its lanes."""

    kafka: Kafka
    codecs: Codecs
    transactions: Sender
    clock: Clock
    symbols: Lanes
    sources: Lanes
    intervals: tuple[str, ...]
    catalogue: Catalogue
    encoded: list[bytes | None] = field(default_factory=list, init=False)

    def send_bars(self, output: Output, state: State) -> None:
        """Send bars and their indicators, all closed or all partial."""
        self._send_bars(output.bars, state)
        if not len(output.indicated):
            return
        values = self._indicators(output.indicated, output.values, state)
        self.transactions.send(self.kafka.topic(INDICATORS.name), self._keys(output.indicated), values)

    def _send_bars(self, bars: Table, state: State) -> None:
        if len(bars):
            values = self.codecs.of(Bar).encode_columns(self._columns(bars, state))
            self.transactions.send(self.kafka.topic(BARS.name), self._keys(bars), values)

    def _keys(self, bars: Table) -> list[bytes | None]:
        self.encoded.extend(name.encode() for name in self.symbols.values[len(self.encoded) :])
        return [self.encoded[code] for code in bars["symbol"].tolist()]

    def send_gap(self, gap: Gap) -> None:
        """Send a market event that says which trades are missing."""
        symbol, source = self.symbols.values[gap.symbol], self.sources.values[gap.source]
        detail = {"first_seq": str(gap.first), "last_seq": str(gap.last), "missing": str(gap.last - gap.first + 1)}
        value = self.codecs.of(MarketEvent).encode(MarketEvent("gap", gap.ts_event, symbol, source, detail))
        self.transactions.send_one(self.kafka.topic(MARKET_EVENTS.name), symbol.encode(), value)

    def reject(self, message: Message, reason: str) -> None:
        """Send a trade to the DLQ."""
        headers = dead_letter_headers(message, reason, STOCK_TICKS.name, _SERVICE, self.clock.now_ns())
        topic = self.kafka.topic(dlq_of(STOCK_TICKS.name))
        self.transactions.send_one(topic, message.key(), message.value(), headers)

    def send_state(self, records: Sequence[Record], partition: int) -> None:
        """Send a partition's changed state to the changelog."""
        topic = self.kafka.topic(PROCESSOR_STATE.name)
        self.transactions.send(topic, [key for key, _ in records], [value for _, value in records], partition)

    def _indicators(self, bars: Table, values: Floats, state: State) -> list[bytes]:
        """The records of the bars' indicators; each has the names that its interval has."""
        encode = self.codecs.of(IndicatorSet).encode_rows
        columns, intervals = self._columns(bars, state), bars["interval"]
        records = [b""] * len(bars)
        for names, group in self._alike(np.unique(intervals).tolist()):
            rows = np.flatnonzero(np.isin(intervals, group))
            some = columns.take(rows)
            own = values[rows][:, list(names)]
            called = [self.catalogue.names[name] for name in names]
            found = encode(some.symbol, some.interval, some.start, some.end, some.state, some.revision, called, own)
            for row, record in zip(rows.tolist(), found, strict=True):
                records[row] = record
        return records

    def _alike(self, intervals: Sequence[int]) -> list[tuple[tuple[int, ...], list[int]]]:
        """Those intervals that have the same indicators, by their columns."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for interval in intervals:
            groups.setdefault(tuple(self.catalogue.places(self.intervals[interval]).tolist()), []).append(interval)
        return list(groups.items())

    def _columns(self, bars: Table, state: State) -> BarColumns:
        volumes = bars["sums"][:, 0]
        return BarColumns(
            symbol=Strings(bars["symbol"], self.symbols.values),
            interval=Strings(bars["interval"], self.intervals),
            start=np.ascontiguousarray(bars["start"]),
            end=np.ascontiguousarray(bars["end"]),
            open=np.ascontiguousarray(bars["open"]),
            high=np.ascontiguousarray(bars["high"]),
            low=np.ascontiguousarray(bars["low"]),
            close=np.ascontiguousarray(bars["close"]),
            volume=np.ascontiguousarray(volumes),
            vwap=np.ascontiguousarray(bars["vwap"]),
            trades=np.ascontiguousarray(bars["trades"]),
            state=Strings(np.full(len(bars), _STATES.index(state), dtype=np.int32), _STATES),
            revision=bars["revision"].astype(np.int64),
            activity=Strings(bars["activity"].astype(np.int32), ACTIVITIES),
            session=Strings(bars["session"].astype(np.int32), cast("Sequence[str]", SESSION_NAMES)),
        )
