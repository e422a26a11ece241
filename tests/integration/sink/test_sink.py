"""The sink as a process, between a real Kafka and a real store."""

from __future__ import annotations

import signal
import struct
from dataclasses import replace
from functools import partial

import pytest

from tests.integration.sink.conftest import Market, SinkProcess, eventually
from tickstream.core.model import AnalyticsFigure, Bar, IndicatorSet, Tick

pytestmark = pytest.mark.integration

SECOND = 1_000_000_000
NOON = 1_381_248_000 * SECOND
NAN = struct.pack("<d", float("nan"))
SYMBOLS = ("AIG", "BAC", "SPY")


def trades(first: int, last: int) -> list[Tick]:
    """Trades of every symbol with seq from `first` up to `last`, five in a millisecond."""
    return [
        Tick(symbol, 100 + seq / 100, float(seq), NOON + seq // 5 * 1_000_000, NOON, seq, "test")
        for seq in range(first, last)
        for symbol in SYMBOLS
    ]


def bar(minute: int, revision: int = 0, **more: object) -> Bar:
    start = NOON + minute * 60 * SECOND
    made = Bar(
        "SPY",
        "1m",
        start,
        start + 60 * SECOND,
        1.0,
        3.0,
        0.5,
        2.0,
        10.0,
        1.5,
        4,
        "closed",
        revision,
        "traded",
        "regular",
    )
    return replace(made, **more)  # type: ignore[arg-type]  # the test's own names


def has_stored(sink: SinkProcess, points: int) -> bool:
    return sink.metric("tickstream_sink_points_total") >= points


def identities(market: Market) -> set[tuple[str, int]]:
    return {(row["symbol"], row["seq"]) for row in market.stored.trades()}


def expected(first: int, last: int) -> set[tuple[str, int]]:
    return {(symbol, seq) for symbol in SYMBOLS for seq in range(first, last)}


def test_everything_on_the_topics_is_stored_and_only_closed_bars(market: Market) -> None:
    market.publish(trades(1, 401))
    market.publish([bar(0, state="partial"), bar(0), bar(1), bar(0, revision=1, close=2.25), bar(2, state="partial")])
    bar_of = ("SPY", "1m", NOON, NOON + 60 * SECOND)
    market.publish([IndicatorSet(*bar_of, "partial", 0, {"sma_20": 9.0})])
    market.publish([IndicatorSet(*bar_of, "closed", 0, {"sma_20": 1.5})])
    market.publish([AnalyticsFigure("market", "breadth", NOON, "1d", {"up": 2.0, "down": 1.0})])
    market.catch_up()
    assert market.stored.count_trades() == 1200
    assert identities(market) == expected(1, 401)
    bars = {int(row["ns"]): (float(row["close"]), int(row["revision"])) for row in market.stored.rows("bars")}
    assert bars == {NOON: (2.25, 1), NOON + 60 * SECOND: (2.0, 0)}
    assert [float(row["sma_20"]) for row in market.stored.rows("indicators")] == [1.5]
    assert [float(row["down"]) for row in market.stored.rows("analytics")] == [1.0]


def test_bad_records_are_set_aside_once_and_the_rest_is_stored(market: Market) -> None:
    good = trades(1, 11)
    market.publish(good)
    value = market.codecs.of(Tick).encode(good[0])
    bad = [
        b"\x00\x00\x00\x27\x0f" + value[5:],
        value[:12],
        b"rubbish",
        value.replace(struct.pack("<d", 100.01), NAN),
    ]
    for each in bad:
        market.publish_bytes("stock_ticks", b"SPY", each)
    market.publish(trades(11, 21))
    closed = IndicatorSet("SPY", "1m", NOON, NOON + SECOND, "closed", 0, {"sma_20": 0.5})
    value = market.codecs.of(IndicatorSet).encode(closed)
    market.publish_bytes("indicators", b"SPY", value.replace(struct.pack("<d", 0.5), NAN))
    market.flush()
    market.catch_up()
    assert identities(market) == expected(1, 21)
    assert market.dead_letters("stock_ticks") == []  # the bars' role sends them
    ((_value, headers),) = market.dead_letters("indicators")
    assert "sma_20" in headers["error"]
    assert headers["service"] == "processor-sink"
    assert market.stored.rows("indicators") == []


def test_catching_up_again_stores_nothing_twice_and_nothing_anew(market: Market) -> None:
    market.publish(trades(1, 101))
    market.catch_up()
    again = market.catch_up()
    assert again.said("ended")
    market.publish(trades(50, 151))
    market.catch_up()
    assert market.stored.count_trades() == 450
    assert identities(market) == expected(1, 151)


def test_a_killed_sink_loses_nothing_and_stores_nothing_twice(market: Market) -> None:
    market.publish(trades(1, 2001))
    for _ in range(2):
        sink = market.sink(PROCESSOR_SINK_BATCH="100")
        eventually(partial(has_stored, sink, 500), "some batches")
        sink.kill()
    market.publish(trades(2001, 2101))
    market.catch_up()
    assert market.stored.count_trades() == 6300
    assert identities(market) == expected(1, 2101)


def test_two_sinks_share_the_work_and_one_takes_over(market: Market) -> None:
    first, second = market.sink(PROCESSOR_SINK_BATCH="50"), market.sink(PROCESSOR_SINK_BATCH="50")
    eventually(lambda: first.page("/readyz")[0] == second.page("/readyz")[0] == 200, "both are ready")
    market.publish(trades(1, 501))
    first.process.send_signal(signal.SIGTERM)
    market.publish(trades(501, 1001))
    assert first.ends() == 0
    eventually(lambda: market.stored.count_trades() == 3000, "every trade stored")
    assert identities(market) == expected(1, 1001)


def test_sigterm_ends_it_with_all_that_was_stored_committed(market: Market) -> None:
    market.publish(trades(1, 101))
    sink = market.sink()
    eventually(partial(has_stored, sink, 300), "every trade stored")
    sink.process.send_signal(signal.SIGTERM)
    assert sink.ends() == 0
    assert identities(market) == expected(1, 101)
    assert market.catch_up().said("ended")
