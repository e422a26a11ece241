"""A market that goes on while anything happens to those who watch it, and remembers what it published."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from tests.support.market import Market, tick
from tickstream.core.model import Bar, IndicatorSet, MarketEvent, Record

SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * SECOND
_STEP: Final = 0.05


@dataclass
class Log:
    """What has been published: of each symbol the last price, of the charted one every bar by its start.

    Attributes:
        notes: the numbers of the market events, in order.
    """

    prices: dict[str, float] = field(default_factory=dict)
    bars: dict[int, Bar] = field(default_factory=dict)
    sets: dict[int, IndicatorSet] = field(default_factory=dict)
    notes: list[int] = field(default_factory=list)


class Tape:
    """Publishes trades of some symbols, and bars of one second with indicators of the first of them.

    Bars form, close and are revised; every second there is an event with the next number.

    Args:
        env: where Kafka is.
        symbols: whose trades.
        history: closed bars before the present.
    """

    def __init__(self, env: Mapping[str, str], symbols: Sequence[str], history: int = 40) -> None:
        self.log = Log()
        self._market = Market(env)
        self._symbols = symbols
        self._numbers = dict.fromkeys(symbols, 0)
        self._count = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        second = time.time_ns() // SECOND
        records: list[Record] = [*self._trades(), self._day()]
        for start in range(second - history, second):
            records += self._closed(start * SECOND)
        self._market.publish(records)
        self._second = second

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> Log:
        """Publish no more; gives the whole log, all of it arrived."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        return self.log

    def _run(self) -> None:
        while not self._ended.wait(_STEP):
            self._market.send([*self._trades(), *self._bars()])
        self._market.publish(self._trades())

    def _trades(self) -> list[Record]:
        made: list[Record] = []
        for place, symbol in enumerate(self._symbols):
            self._numbers[symbol] += 1
            price = round(100 + 10 * place + self._numbers[symbol] % 400 / 100, 2)
            self.log.prices[symbol] = price
            made.append(tick(symbol, self._numbers[symbol], price))
        return made

    def _bars(self) -> list[Record]:
        now = time.time_ns() // SECOND
        made: list[Record] = []
        while self._second < now:
            made += self._closed(self._second * SECOND)
            made += self._revised((self._second - 3) * SECOND)
            made.append(self._note())
            self._second += 1
        return [*made, *self._forming(now * SECOND)]

    def _bar(self, start: int) -> Bar:
        self._count += 1
        low = round(100 + self._count % 300 / 100, 2)
        symbol = self._symbols[0]
        return Bar(
            symbol, "1s", start, start + SECOND, low + 0.01, low + 0.03, low, low + 0.02,
            float(self._count), low + 0.01, 2, "partial", 0, "traded", "continuous",
        )  # fmt: skip

    def _with_set(self, bar: Bar) -> list[Record]:
        values = {"vwap": bar.vwap, "rsi_14": round(self._count % 1000 / 10, 1)}
        made = IndicatorSet(bar.symbol, bar.interval, bar.start, bar.end, bar.state, bar.revision, values)
        self.log.bars[bar.start], self.log.sets[bar.start] = bar, made
        return [bar, made]

    def _forming(self, start: int) -> list[Record]:
        return self._with_set(self._bar(start))

    def _closed(self, start: int) -> list[Record]:
        return self._with_set(replace(self._bar(start), state="closed"))

    def _revised(self, start: int) -> list[Record]:
        earlier = self.log.bars[start]
        return self._with_set(replace(self._bar(start), state="closed", revision=earlier.revision + 1))

    def _day(self) -> Bar:
        start = time.time_ns() // _DAY * _DAY
        return replace(self._bar(start), interval="1d", end=start + _DAY)

    def _note(self) -> Record:
        number = len(self.log.notes) + 1
        self.log.notes.append(number)
        return MarketEvent("note", time.time_ns(), detail={"number": str(number)})
