"""Bad records, servers that go away in mid-replay, and bad settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.programs import Running, must, run, service, until
from tests.support.servers import Servers
from tests.support.topics import Row, avro, publish, read_messages, read_rows

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

DAY = Path(__file__).parents[1] / "data" / "lean" / "tick"
HOUR = ("--start", "2013-10-08T13:30:00Z", "--end", "2013-10-08T15:00:00Z")
NOON = 1_381_248_000_000_000_000

SERVICES = (
    "tickstream-producer",
    "tickstream-processor",
    "tickstream-analytics",
    "tickstream-alerting",
    "tickstream-ws-bridge",
)


def trade(seq: int, **changes: object) -> Row:
    return {
        "symbol": "SPY",
        "price": 165.0 + seq,
        "volume": 100.0,
        "ts_event": NOON + seq,
        "ts_ingest": NOON + seq,
        "seq": seq,
        "source": "test",
        "venue": None,
        "trade_id": None,
        "conditions": None,
        "flags": 0,
    } | changes


BAD: dict[str, bytes] = {
    "unknown schema id": b"\x00\x00\x00\x00\x63" + avro("stock_ticks", trade(90))[5:],
    "truncated": avro("stock_ticks", trade(91))[:-3],
    "not a number": avro("stock_ticks", trade(92, price=math.nan)),
    "negative price": avro("stock_ticks", trade(93, price=-1.0)),
    "negative volume": avro("stock_ticks", trade(94, volume=-5.0)),
    "wrong type": b'{"symbol": "SPY", "price": "dear", "volume": 1, "ts_event": 1, "ts_ingest": 1, "seq": 95}',
    "not even a record": b"hello",
    "empty": b"",
    "huge": b"x" * 5_000_000,
}


def test_bad_records_go_to_the_dlq_with_the_reason_and_the_rest_flows_on(isolated_env: dict[str, str]) -> None:
    must("tickstream", "topics", "create", env=isolated_env)
    good = [("SPY", avro("stock_ticks", trade(seq))) for seq in range(1, 21)]
    mixed = good[:10] + [("SPY", value) for value in BAD.values()] + good[10:]
    publish(isolated_env, "stock_ticks", mixed)
    after = trade(21, ts_event=NOON + 2_000_000_000)
    publish(isolated_env, "stock_ticks", [("SPY", avro("stock_ticks", after))])

    must("tickstream-processor", "--until-caught-up", env=isolated_env | {"PROCESSOR_ROLES": "bars"})

    rejected = read_messages(isolated_env, "stock_ticks.dlq")
    assert [message.value() or b"" for message in rejected] == list(BAD.values())
    for message, name in zip(rejected, BAD, strict=True):
        headers = dict(message.headers() or [])
        assert set(headers) >= {"error", "service", "topic", "partition", "offset", "failed_at"}, name
        assert headers["error"], name
        assert headers["topic"] == b"stock_ticks"
    bars = [row for row in read_rows(isolated_env, "bars") if row["interval"] == "1s" and row["state"] == "closed"]
    assert [(bar["trades"], bar["volume"]) for bar in bars] == [(20, 2000.0)]


@contextmanager
def platform(env: dict[str, str], logs: Path) -> Iterator[list[Running]]:
    """Processor and sink, running."""
    with ExitStack() as running:
        settings = env | {"PROCESSOR_SINK_HTTP_PORT": "0"}
        yield [running.enter_context(service("tickstream-processor", env=settings, log=logs / "processor.log"))]


@pytest.mark.parametrize("server", ["kafka", "influxdb"])
def test_a_server_that_goes_away_in_mid_replay_changes_nothing(
    server: str, servers: Servers, isolated_env: dict[str, str], tmp_path: Path
) -> None:
    undisturbed = isolated_env | {"KAFKA_TOPIC_PREFIX": isolated_env["KAFKA_TOPIC_PREFIX"] + "calm."}
    replay = ("--source", "replay", "--path", str(DAY / "bac"), *HOUR)
    must("tickstream-producer", *replay, "--speed", "max", env=undisturbed)
    must("tickstream-processor", "--until-caught-up", env=undisturbed | {"PROCESSOR_ROLES": "bars"})

    with platform(isolated_env, tmp_path) as running:
        for each in running:
            each.await_ready()
        with service(
            "tickstream-producer", *replay, "--speed", "600", env=isolated_env, log=tmp_path / "p.log"
        ) as producer:
            until(lambda: len(closed(isolated_env)) > 100, producer.log)
            servers.stop(server)
            try:
                assert producer.child.poll() is None, "the replay was over before the outage"
            finally:
                servers.start(server)
            assert producer.child.wait(240) == 0, producer.log()
        until(
            lambda: running[0].child.poll() is not None or len(closed(isolated_env)) == len(closed(undisturbed)),
            running[0].log,
        )
        assert running[0].end() == 0, running[0].log()[-3000:]
    must("tickstream-processor", "--until-caught-up", env=isolated_env)

    assert closed(isolated_env) == closed(undisturbed)


def closed(env: dict[str, str]) -> list[Row]:
    """The closed bars of a run, in an order that doesn't depend on partitions."""
    bars = [row for row in read_rows(env, "bars") if row["state"] == "closed"]
    return sorted(bars, key=lambda bar: (bar["symbol"], bar["interval"], bar["start"]))


@pytest.mark.parametrize("name", SERVICES)
def test_bad_settings_are_all_named_and_end_with_2(name: str) -> None:
    bad = {"KAFKA_BOOTSTRAP_SERVERS": "nowhere", "HTTP_PORT": "70000", "LOG_LEVEL": "LOUD"}
    done = run(name, env=bad)
    assert done.returncode == 2
    for variable, value in bad.items():
        assert f"{variable} must" in done.stderr
        assert f"was {value}" in done.stderr
    assert "Traceback" not in done.stderr
