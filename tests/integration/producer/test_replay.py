"""Recordings into a real Kafka, compared with the files as the standard library reads them."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import signal
import urllib.request
import zipfile
from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.programs import must, run, service, until
from tests.support.servers import Servers
from tests.support.topics import Row, decode, read_messages, read_rows

pytestmark = pytest.mark.integration

SLICE = Path(__file__).parents[2] / "data" / "equities" / "tick"
NEW_YORK = ZoneInfo("America/New_York")
SECOND = 1_000_000_000
OPEN = 1_381_239_000 * SECOND
MIDNIGHT_AFTER = 1_381_291_200 * SECOND

Trade = tuple[int, float, float, str, str, int]


@cache
def in_files() -> dict[tuple[str, str], list[Trade]]:
    """The trades by source and symbol, in the order of their file."""
    found: dict[tuple[str, str], list[Trade]] = {}
    for path in SLICE.rglob("*_trade.zip"):
        day, symbol = path.name[:8], path.parent.name
        midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=NEW_YORK)
        start = (midnight.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1) * SECOND
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as member:
            found[f"replay-{day}-{symbol}", symbol.upper()] = [
                (
                    start + int(Decimal(ms) * 1_000_000),
                    float(Decimal(price) / 10_000),
                    float(size),
                    venue,
                    codes,
                    int(bad),
                )
                for ms, price, size, venue, codes, bad in csv.reader(io.TextIOWrapper(member))
            ]
    return found


def in_kafka(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """The trades by source and symbol, in the order of their partition."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["source"], row["symbol"]].append(row)
    return found


def plain(row: Row) -> Trade:
    return row["ts_event"], row["price"], row["volume"], row["venue"], row["conditions"], row["flags"]


def replay(env: dict[str, str], *arguments: str) -> dict[str, object]:
    """Replay the slice; the account that the producer gives."""
    report: dict[str, object] = json.loads(
        must("tickstream-producer", "--source", "replay", "--path", str(SLICE), *arguments, env=env)
    )
    return report


@pytest.fixture(scope="module")
def whole(servers: Servers) -> dict[str, str]:
    """Where the whole slice was replayed to."""
    env = servers.env | {"KAFKA_TOPIC_PREFIX": "whole.", "KAFKA_TOPIC_PARTITIONS": "4", "HTTP_PORT": "0"}
    return env | {"REPORT": json.dumps(replay(env, "--speed", "max"))}


def test_every_trade_of_the_files_arrives_once_and_exactly(whole: dict[str, str]) -> None:
    report = json.loads(whole["REPORT"])
    expected = in_files()
    count = sum(map(len, expected.values()))
    assert (report["sent"], report["acknowledged"], report["failed"], report["bad_rows"]) == (count, count, {}, 0)
    found = in_kafka(read_rows(whole, "stock_ticks"))
    assert found.keys() == expected.keys()
    for identity, rows in found.items():
        assert [plain(row) for row in rows] == expected[identity]
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))


def test_records_are_keyed_by_symbol_and_merged_in_the_order_of_time(whole: dict[str, str]) -> None:
    partitions: dict[int, list[int]] = defaultdict(list)
    homes: dict[str, set[int]] = defaultdict(set)
    for message in read_messages(whole, "stock_ticks"):
        row = decode("stock_ticks", message.value() or b"")
        assert message.key() == row["symbol"].encode()
        assert abs(message.timestamp()[1] - row["ts_ingest"] // 1_000_000) < 10_000
        partitions[message.partition() or 0].append(row["ts_event"])
        homes[row["symbol"]].add(message.partition() or 0)
    assert all(times == sorted(times) for times in partitions.values())
    assert all(len(found) == 1 for found in homes.values())


def check_marks(env: dict[str, str]) -> dict[str, Row]:
    """Every mark is true: no trade of its source from before its time lies behind its offset; the last ones."""
    trades: dict[tuple[int | None, str], list[tuple[int, int]]] = defaultdict(list)
    for message in read_messages(env, "stock_ticks"):
        row = decode("stock_ticks", message.value() or b"")
        trades[message.partition(), row["source"]].append((message.offset() or 0, row["ts_event"]))
    behind = {log: earliest_behind(positions) for log, positions in trades.items()}
    last: dict[str, Row] = {}
    for message in read_messages(env, "progress"):
        mark = decode("progress", message.value() or b"")
        offsets, earliest = behind.get((message.partition(), mark["source"]), ([], [math.inf]))
        assert earliest[bisect_left(offsets, mark["offset"])] >= mark["ts_event"], mark
        before = last.get(mark["source"])
        assert before is None or (before["ts_event"] <= mark["ts_event"] and not before["final"])
        last[mark["source"]] = mark
    assert last.keys() == {source for _, source in trades}
    return last


def earliest_behind(positions: list[tuple[int, int]]) -> tuple[list[int], list[float]]:
    """Offsets, and for each the earliest time at it or later; at the log's end there is none."""
    offsets = [offset for offset, _ in positions]
    backwards = itertools.accumulate((ts for _, ts in reversed(positions)), min, initial=math.inf)
    return offsets, list(backwards)[::-1]


def test_marks_tell_the_truth_and_a_whole_recording_closes_its_day(whole: dict[str, str]) -> None:
    last = check_marks(whole)
    assert all(mark["final"] for mark in last.values())
    assert {mark["ts_event"] for source, mark in last.items() if "20131008" in source} == {MIDNIGHT_AFTER}


def test_a_part_of_a_recording_has_the_identities_of_the_whole_and_says_how_far_it_came(env: dict[str, str]) -> None:
    bounds = ("--start", "2013-10-08T13:30:05Z", "--end", "2013-10-08T13:30:20Z")
    replay(env, "--speed", "max", "--symbols", "AIG,SPY", *bounds)

    found = in_kafka(read_rows(env, "stock_ticks"))
    assert {symbol for _, symbol in found} == {"AIG", "SPY"}
    for identity, rows in found.items():
        whole = in_files()[identity]
        assert [plain(row) for row in rows] == [
            trade for trade in whole if OPEN + 5 * SECOND <= trade[0] < OPEN + 20 * SECOND
        ]
        assert all(plain(row) == whole[row["seq"] - 1] for row in rows)
    assert {(mark["ts_event"], mark["final"]) for mark in check_marks(env).values()} == {(OPEN + 20 * SECOND, True)}


def test_a_count_is_kept_and_cuts_what_is_promised(env: dict[str, str]) -> None:
    assert replay(env, "--speed", "max", "--count", "1000")["acknowledged"] == 1000
    latest = max(row["ts_event"] for row in read_rows(env, "stock_ticks"))
    for mark in check_marks(env).values():
        assert latest <= mark["ts_event"] < MIDNIGHT_AFTER


def test_feeds_and_sessions_are_announced_in_event_time(whole: dict[str, str]) -> None:
    by_source: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in read_rows(whole, "market_events"):
        by_source[row["source"]].append((row["type"], row["ts_event"]))
    first = {source: trades[0][0] for (source, _), trades in in_files().items()}
    close = OPEN + int(6.5 * 3600) * SECOND
    assert by_source["replay-20131008-spy"] == [
        ("feed_up", first["replay-20131008-spy"]),
        ("session_open", OPEN),
        ("session_close", close),
        ("feed_down", MIDNIGHT_AFTER),
    ]
    assert [kind for kind, _ in by_source["replay-20131009-bac"]] == [
        "feed_up",
        "session_open",
        "session_close",
        "feed_down",
    ]


def test_replicas_publish_each_symbol_once_between_them(env: dict[str, str]) -> None:
    for replica in ("0", "1", "2"):
        replay(env, "--speed", "max", "--replicas", "3", "--replica", replica)
    assert {identity: len(rows) for identity, rows in in_kafka(read_rows(env, "stock_ticks")).items()} == {
        identity: len(trades) for identity, trades in in_files().items()
    }


def test_json_has_the_same_fields(env: dict[str, str]) -> None:
    replay(env, "--speed", "max", "--count", "10", "--format", "json")
    rows = [json.loads(message.value() or b"") for message in read_messages(env, "stock_ticks")]
    assert len(rows) == 10
    assert {plain(row) for row in rows} <= {trade for trades in in_files().values() for trade in trades}


def test_a_recording_is_repeated_as_the_next_trading_days_under_other_names(env: dict[str, str]) -> None:
    trades = in_files()["replay-20131008-aig", "AIG"]
    arguments = ("--speed", "max", "--loop", "--count", str(3 * len(trades)))
    must(
        "tickstream-producer",
        *("--source", "replay", "--path", str(SLICE / "aig" / "20131008_trade.zip"), *arguments),
        env=env,
    )
    found = in_kafka(read_rows(env, "stock_ticks"))
    names = ["replay-20131008-aig", "replay-20131008-aig-as-20131009", "replay-20131008-aig-as-20131010"]
    assert [source for source, _ in found] == names
    for day, rows in enumerate(found.values()):
        assert [(row["ts_event"] - day * 86_400 * SECOND, row["price"]) for row in rows] == [
            trade[:2] for trade in trades
        ]
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    check_marks(env)


def test_strict_ends_with_1_when_a_row_was_bad_and_else_it_is_only_counted(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ticks.csv").write_text("symbol,ts_event,price,volume\nSPY,1381239000,165,1\nSPY,1381239001,-1,1\n")
    for strict, code in (("--no-strict", 0), ("--strict", 1)):
        done = run("tickstream-producer", "--source", "replay", "--path", str(tmp_path), strict, env=env)
        assert done.returncode == code
        assert json.loads(done.stdout)["bad_rows"] == 1
        assert "ticks.csv" in done.stderr
        assert '"line": 3' in done.stderr


def test_sigterm_ends_a_paced_replay_with_its_last_marks_and_exit_0(env: dict[str, str], tmp_path: Path) -> None:
    arguments = ("--source", "replay", "--path", str(SLICE), "--speed", "2")
    with service("tickstream-producer", *arguments, env=env, log=tmp_path / "log") as producer:
        until(lambda: _sent(producer.url) > 50, producer.log)
        assert producer.end(signal.SIGTERM) == 0
        report = json.loads(producer.log().splitlines()[-1])
    rows = read_rows(env, "stock_ticks")
    assert report["acknowledged"] == report["sent"] == len(rows)
    last = check_marks(env)
    assert all(mark["final"] and mark["ts_event"] < MIDNIGHT_AFTER for mark in last.values())
    assert [row["type"] for row in read_rows(env, "market_events")].count("feed_down") == len(last)


def _sent(url: str) -> float:
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=2) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("producer_ticks_sent_total")), 0.0)


def test_a_reload_changes_speed_and_symbols_on_the_way(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "producer.toml"
    config.write_text('speed = 1\nsymbols = ["SPY"]\n')
    arguments = ("--source", "replay", "--path", str(SLICE), "--config-file", str(config))
    with service("tickstream-producer", *arguments, env=env, log=tmp_path / "log") as producer:
        until(lambda: _sent(producer.url) > 0, producer.log)
        config.write_text("speed = -1\n")
        producer.child.send_signal(signal.SIGHUP)
        until(lambda: "not_reloaded" in producer.log(), producer.log)
        config.write_text('speed = "max"\nsymbols = ["SPY", "AIG"]\n')
        producer.child.send_signal(signal.SIGHUP)
        assert producer.child.wait(60) == 0
    counts = {identity: len(rows) for identity, rows in in_kafka(read_rows(env, "stock_ticks")).items()}
    expected = {identity: len(trades) for identity, trades in in_files().items()}
    assert counts["replay-20131008-spy", "SPY"] == expected["replay-20131008-spy", "SPY"]
    assert counts["replay-20131009-aig", "AIG"] == expected["replay-20131009-aig", "AIG"]
    assert not any(symbol == "BAC" for _, symbol in counts)


def test_kafka_away_at_the_start_and_in_mid_replay_costs_nothing(
    servers: Servers, env: dict[str, str], tmp_path: Path
) -> None:
    arguments = ("--source", "replay", "--path", str(SLICE), "--speed", "4", "--end", "2013-10-09T00:00:00Z")
    servers.stop("kafka")
    try:
        with service("tickstream-producer", *arguments, env=env, log=tmp_path / "log") as producer:
            until(lambda: "waiting" in producer.log(), producer.log)
            assert not producer.ready()
            servers.start("kafka")
            until(lambda: _sent(producer.url) > 100, producer.log)
            servers.stop("kafka")
            until(lambda: not producer.ready(), producer.log)
            servers.start("kafka")
            assert producer.child.wait(120) == 0
    finally:
        servers.start("kafka")
    found = in_kafka(read_rows(env, "stock_ticks"))
    expected = {identity: trades for identity, trades in in_files().items() if "20131008" in identity[0]}
    assert {identity: [plain(row) for row in rows] for identity, rows in found.items()} == expected
    assert all([row["seq"] for row in rows] == list(range(1, len(rows) + 1)) for rows in found.values())
