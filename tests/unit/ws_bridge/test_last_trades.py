from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.market import message, tick
from tests.support.records import TICKS
from tickstream.core.codec import Codecs
from tickstream.core.columns import Interner, Strings
from tickstream.core.kafka import Message
from tickstream.core.model import Tick
from tickstream.ws_bridge.adapters.intake import unsealing
from tickstream.ws_bridge.adapters.reading import Reading
from tickstream.ws_bridge.adapters.wire import body_of
from tickstream.ws_bridge.domain.entry import Entry
from tickstream.ws_bridge.domain.last_trades import LastTrades
from tickstream.ws_bridge.domain.market import Market

SYMBOLS = [f"S{number}" for number in range(400)]
BATCHES = st.lists(
    st.tuples(st.lists(st.tuples(TICKS, st.sampled_from(SYMBOLS)), max_size=8), st.booleans()), max_size=6
)


def unread(market: Market, trades: list[Tick], interner: Interner, partition: int, first: int) -> None:
    """Take in trades of symbols that nobody reads."""
    last = {trade.symbol: message(trade, offset, partition) for offset, trade in enumerate(trades, first)}
    market.unread(Strings.of(last, interner), list(last.values()))


def last_trades() -> LastTrades[Message]:
    return LastTrades(unsealing(Reading(Codecs())))


@given(BATCHES, st.sets(st.sampled_from(SYMBOLS)), st.booleans())
def test_a_snapshot_has_the_last_trade_of_each_symbol_whoever_read_it(
    batches: list[tuple[list[tuple[Tick, str]], bool]], asked: set[str], everything: bool
) -> None:
    market = Market(10, 100, 1_000, last_trades())
    interner = Interner()
    expected: dict[str, tuple[bytes, int, int, int]] = {}
    offset = 0
    for number, (drawn, read) in enumerate(batches):
        trades = [replace(trade, symbol=symbol) for trade, symbol in drawn]
        for place, trade in enumerate(trades, offset):
            expected[trade.symbol] = (body_of(trade), number, place, trade.ts_ingest)
            if read:
                route = ("ticks", "", trade.symbol)
                market.tick(Entry(route, route, body_of(trade), number, place, trade.ts_ingest))
        if not read:
            unread(market, trades, interner, number, offset)
        offset += len(trades)
        if number % 2:
            market.snapshot("ticks", "", asked, 0)
    found = market.snapshot("ticks", "", None if everything else asked, 0)
    shown = {one.route[2]: (one.body, one.partition, one.offset, one.ts_ingest) for one in found}
    assert shown == {symbol: one for symbol, one in expected.items() if everything or symbol in asked}
    assert len(found) == len(shown)
    assert market.symbols == set(expected)


@given(st.lists(TICKS, min_size=1, max_size=9))
def test_beyond_the_limit_symbols_are_neither_known_nor_shown(trades: list[Tick]) -> None:
    market = Market(10, 100, 2, last_trades())
    interner = Interner()
    for number, trade in enumerate(trades):
        unread(market, [replace(trade, symbol=f"S{number}")], interner, 0, number)
    shown = {one.route[2] for one in market.snapshot("ticks", "", None, 0)}
    assert shown == market.symbols == {f"S{number}" for number in range(min(2, len(trades)))}


def test_the_trades_of_some_partitions_can_be_forgotten() -> None:
    market = Market(10, 100, 1_000, last_trades())
    interner = Interner()
    for number in range(6):
        symbol, partition = f"S{number}", number % 3
        if number < 3:
            unread(market, [tick(symbol, 1)], interner, partition, number)
        else:
            route = ("ticks", "", symbol)
            market.tick(Entry(route, route, b"{}", partition, number))
    market.forget_trades({1})
    assert {one.route[2] for one in market.snapshot("ticks", "", None, 0)} == {"S0", "S2", "S3", "S5"}
    market.forget_trades(set())
    assert len(market.snapshot("ticks", "", None, 0)) == 4
