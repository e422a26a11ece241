from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka, Publisher
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("tickstream"))
SECOND = 1_000_000_000
NOON = 1_381_248_000 * SECOND  # 2013-10-08 16:00 UTC


def tick(symbol: str, seq: int) -> Tick:
    return Tick(symbol, 100.0 + seq / 100, 10.0 * seq, NOON + seq * SECOND, NOON + seq * SECOND + 5, seq, "test", "N")


class Topic:
    """A topic with trades in it, and the command that reads it."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = {**os.environ, **env}
        self.settings = load(KafkaSettings, "TICKSTREAM", [], env)
        self.kafka = Kafka(self.settings)
        self.kafka.ensure_topics(["stock_ticks", "stock_ticks.dlq"])
        self._publisher = Publisher(self.kafka.producer("test"))
        self._codec = Codecs.from_settings(self.settings).of(Tick)

    def publish(self, *ticks: Tick) -> None:
        for each in ticks:
            self._publisher.publish(self.kafka.topic("stock_ticks"), each.symbol.encode(), self._codec.encode(each))
        self._publisher.flush()

    def publish_bytes(self, key: bytes, value: bytes) -> None:
        self._publisher.publish(self.kafka.topic("stock_ticks"), key, value)
        self._publisher.flush()

    def tail(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [COMMAND, "tail", "stock_ticks", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def json(self, *arguments: str) -> list[dict[str, object]]:
        done = self.tail("--format", "json", "--exit-at-end", *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def seqs(self, *arguments: str) -> list[object]:
        return [row["seq"] for row in self.json("--symbol", "SPY", *arguments)]


@pytest.fixture
def topic(isolated_env: dict[str, str]) -> Topic:
    made = Topic(isolated_env)
    made.publish(*(tick(symbol, seq) for seq in range(1, 51) for symbol in ("SPY", "BAC", "AIG")))
    return made


def test_json_holds_every_field_of_every_record_in_order(topic: Topic) -> None:
    rows = topic.json("--from", "beginning", "--symbol", "SPY")
    assert [row["seq"] for row in rows] == list(range(1, 51))
    assert rows[6] == {
        "symbol": "SPY",
        "price": 100.07,
        "volume": 70.0,
        "ts_event": NOON + 7 * SECOND,
        "ts_ingest": NOON + 7 * SECOND + 5,
        "seq": 7,
        "source": "test",
        "venue": "N",
        "trade_id": None,
        "conditions": None,
        "flags": 0,
    }


def test_several_symbols_and_only_they(topic: Topic) -> None:
    rows = topic.json("--from", "beginning", "--symbol", "AIG,BAC")
    assert len(rows) == 100
    assert {row["symbol"] for row in rows} == {"AIG", "BAC"}


def test_last_n_looks_back_as_far_as_it_must_for_a_rare_symbol(topic: Topic) -> None:
    topic.publish(*(tick("BAC", seq) for seq in range(51, 2001)), *(tick("AIG", seq) for seq in range(51, 2001)))
    assert topic.seqs("--from", "-5") == [46, 47, 48, 49, 50]
    assert topic.seqs("--from", "-5000") == list(range(1, 51))
    assert len(topic.json("--from", "-5")) == 5


def test_times_are_event_times(topic: Topic) -> None:
    assert topic.seqs("--from", "2013-10-08T16:00:10Z", "--until", "2013-10-08T16:00:13Z") == [10, 11, 12]
    assert topic.seqs("--from", "2013-10-08T12:00:10-04:00", "--until", "2013-10-08T16:00:11Z") == [10]


def test_until_a_time_in_the_past_ends_by_itself(topic: Topic) -> None:
    done = topic.tail("--from", "beginning", "--until", "2013-10-08T16:00:03Z", "--symbol", "SPY", "--format", "json")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2]


def test_n_ends_it(topic: Topic) -> None:
    assert topic.seqs("--from", "beginning", "-n", "3") == [1, 2, 3]


def test_csv_has_a_header_and_reads_back(topic: Topic) -> None:
    done = topic.tail("--from", "beginning", "--symbol", "SPY", "--exit-at-end", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [int(row["seq"]) for row in rows] == list(range(1, 51))
    assert float(rows[6]["price"]) == 100.07


def test_pretty_is_one_line_a_record_and_lets_no_record_steer_the_terminal(topic: Topic) -> None:
    topic.publish(Tick("EVIL", 1.0, 1.0, NOON, NOON, 1, "a\x1b[31mb"))
    done = topic.tail("--from", "beginning", "--symbol", "EVIL", "--exit-at-end")
    assert done.stdout.count("\n") == 1
    assert "2013-10-08 16:00:00.000" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_bad_record_is_told_on_stderr_and_the_rest_flows_on(topic: Topic) -> None:
    topic.publish_bytes(b"SPY", b"\x00\x00\x00\x00\x63junk")
    topic.publish(tick("SPY", 51))
    done = topic.tail("--from", "beginning", "--symbol", "SPY", "--exit-at-end", "--format", "json")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == list(range(1, 52))
    assert "skipped" in done.stderr


def test_head_ends_it_quietly(topic: Topic) -> None:
    pipe = f"'{COMMAND}' tail stock_ticks --from beginning --format json | head -n 2"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe], env=topic.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.count("\n") == 2
    assert done.stderr == ""
    assert done.returncode == 0


def test_without_a_reader_it_ends_though_nothing_more_is_published(topic: Topic) -> None:
    command = [COMMAND, "tail", "stock_ticks", "--from", "beginning", "--symbol", "SPY"]
    with subprocess.Popen(command, env=topic.env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        for _ in range(50):
            assert following.stdout.readline()
        following.stdout.close()
        assert following.wait(30) == 0


def test_it_follows_what_is_published_and_ends_with_0_on_interrupt(topic: Topic) -> None:
    command = [COMMAND, "tail", "stock_ticks", "--symbol", "SPY", "--format", "json", "--from", "-1"]
    with subprocess.Popen(command, env=topic.env, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["seq"] == 50
        topic.publish(tick("SPY", 51), tick("BAC", 51), tick("SPY", 52))
        assert [json.loads(following.stdout.readline())["seq"] for _ in range(2)] == [51, 52]
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 0


def test_bad_options_are_all_named_and_end_with_2(topic: Topic) -> None:
    done = topic.tail("--from", "yesterday", "--until", "x", "-n", "0", "--format", "xml")
    assert done.returncode == 2
    assert done.stdout == ""
    for name in ("--from", "--until", "-n", "--format"):
        assert f"{name} must be" in done.stderr


def test_no_server_is_a_clear_error(topic: Topic) -> None:
    env = topic.env | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = subprocess.run([COMMAND, "tail", "bars"], env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert "Kafka at 127.0.0.1:1 doesn't answer" in done.stderr
    assert "Traceback" not in done.stderr
