"""A recorded day to publish, and what the processor made of it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing as closed_after
from pathlib import Path
from typing import Any

from tests.support.oracle import at
from tests.support.programs import until
from tests.support.topics import Row, kafka_of, read_rows
from tickstream.core.codec import Codecs
from tickstream.core.kafka import KafkaException, Publisher, TopicPartition
from tickstream.core.model import Progress, Tick
from tickstream.core.partition import partition_for

FILE = Path(__file__).parents[2] / "data" / "lean" / "tick" / "aig" / "20131008_trade.zip"
SOURCE = "replay-20131008-aig"
DAY_START, DAY_END = at("2013-10-08 00:00:00"), at("2013-10-09 00:00:00")
MILLI = 1_000_000
CODECS = Codecs()


def recorded(symbols: Sequence[str] = ("AIG",)) -> list[Tick]:
    """The day's trades, under each of some names, in order of time."""
    with zipfile.ZipFile(FILE) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    ticks = []
    for seq, (ms, price, volume, venue, conditions, suspicious) in enumerate(csv.reader(io.StringIO(text)), start=1):
        ts = DAY_START + round(float(ms) * MILLI)
        flags = int(suspicious)
        ticks += [
            Tick(symbol, int(price) / 10_000, float(volume), ts, ts, seq, SOURCE, venue, None, conditions, flags)
            for symbol in symbols
        ]
    return ticks


def publish(env: Mapping[str, str], ticks: Sequence[Tick], reached: int | None, *, final: bool = False) -> None:
    """Publish trades and, when `reached` says how far the source has come, a mark for each partition."""
    kafka = kafka_of(env)
    kafka.ensure_topics()
    publisher = Publisher(kafka.producer("test"))
    topic = kafka.topic("stock_ticks")
    for tick, value in zip(ticks, CODECS.of(Tick).encode_many(ticks), strict=True):
        publisher.publish(topic, tick.symbol.encode(), value)
    publisher.flush()
    if reached is not None:
        for partition in range(kafka.partitions("stock_ticks")):
            mark = Progress(SOURCE, reached, log_end(env, "stock_ticks", partition), final)
            value = CODECS.of(Progress).encode(mark)
            publisher.publish(kafka.topic("progress"), SOURCE.encode(), value, partition=partition)
        publisher.flush()


def log_end(env: Mapping[str, str], topic: str, partition: int) -> int:
    kafka = kafka_of(env)
    found: list[int] = []

    def ask() -> bool:
        # A topic that was created a moment ago may have no leader yet.
        try:
            ends = reader.get_watermark_offsets(TopicPartition(kafka.topic(topic), partition), timeout=30)
        except KafkaException:
            return False
        found.append(int(ends[1]))
        return True

    with closed_after(kafka.reader()) as reader:
        until(ask, f"{topic} has no end")
    return found[0]


def bars_so_far(env: Mapping[str, str], symbol: str) -> int:
    """How long the log of bars is that holds the symbol's."""
    return log_end(env, "bars", partition_for(symbol, kafka_of(env).partitions("bars")))


def closed(env: Mapping[str, str], topic: str) -> dict[tuple[str, str], list[Row]]:
    """The closed records of each symbol and interval, in the order of the log."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in read_rows(env, topic):
        if row["state"] == "closed":
            found[row["symbol"], row["interval"]].append(row)
    return found


def without_warming(rows: dict[tuple[str, str], list[Row]]) -> dict[Any, Any]:
    """Indicators' values alone."""
    return {series: [(row["start"], row["values"]) for row in some] for series, some in rows.items()}
