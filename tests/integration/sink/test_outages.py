"""The sink while its store or Kafka is away."""

from __future__ import annotations

from functools import partial

import pytest

from tests.integration.sink.conftest import Market, eventually
from tests.integration.sink.test_sink import expected, has_stored, identities, trades
from tests.support.servers import Servers

pytestmark = pytest.mark.integration


def test_it_waits_out_the_store_and_then_stores_all(market: Market, servers: Servers) -> None:
    name = market.env["TIMESERIES"]
    market.publish(trades(1, 201))
    sink = market.sink(PROCESSOR_SINK_BATCH="100")
    eventually(partial(has_stored, sink, 600), "the first trades stored")
    servers.kill(name)
    try:
        market.publish(trades(201, 1201))
        eventually(lambda: sink.page("/readyz")[0] == 503, "not being ready")
        assert {"influxdb": "InfluxDB", "postgres": "PostgreSQL"}[name] in sink.page("/readyz")[1]
        resident = sink.metric("process_resident_memory_bytes")
        market.publish(trades(1201, 4201))
        eventually(lambda: sink.metric("tickstream_sink_retries_total") >= 4, "some tries")
        assert sink.metric("process_resident_memory_bytes") < resident + 32 * 2**20
        assert sink.process.poll() is None
    finally:
        servers.start(name)
    eventually(lambda: market.stored.count_trades() == 12_600, "every trade stored")
    eventually(lambda: sink.page("/readyz")[0] == 200, "being ready again")
    assert identities(market) == expected(1, 4201)
    assert market.dead_letters("stock_ticks") == []


def test_it_waits_for_a_store_that_is_away_at_the_start(market: Market, servers: Servers) -> None:
    name = market.env["TIMESERIES"]
    market.publish(trades(1, 51))
    servers.stop(name)
    try:
        sink = market.sink()
        eventually(lambda: sink.said("waiting"), "a word of what it waits for")
        assert sink.page("/healthz")[0] == 200
        assert sink.page("/readyz")[0] == 503
    finally:
        servers.start(name)
    eventually(partial(has_stored, sink, 150), "every trade stored")
    assert identities(market) == expected(1, 51)


def test_it_waits_for_kafka_and_goes_on_where_it_was(market: Market, servers: Servers) -> None:
    market.publish(trades(1, 51))
    sink = market.sink()
    eventually(partial(has_stored, sink, 150), "every trade stored")
    servers.kill("kafka")
    try:
        eventually(lambda: sink.page("/readyz")[0] == 503, "not being ready")
        assert "Kafka" in sink.page("/readyz")[1]
    finally:
        servers.start("kafka")
    market.publish(trades(51, 101))
    eventually(partial(has_stored, sink, 300), "every trade stored")
    eventually(lambda: sink.page("/readyz")[0] == 200, "being ready again")
    assert identities(market) == expected(1, 101)
