"""Whether the Kafka Streams job does the work that it is measured by: its bars beside a resampling of the same trades.

    python -m tests.bench.peers.kafka_streams.check

Not a test of the suite, since it needs Maven, a JDK and what Maven fetches. Without a Kafka in the environment it
starts one. It ends with 1 when a bar is missing, is there twice or differs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

import orjson
import polars as pl
from polars.testing import assert_frame_equal

from tests.support.topics import decode, kafka_of, read_messages
from tickstream.cli.bench.peers import kafka_streams
from tickstream.cli.bench.servers import bench_servers
from tickstream.cli.bench.services import Recording, Services
from tickstream.core.errors import FatalError
from tickstream.core.partition import partition_for

TICKS: Final = 300_000
SYMBOLS: Final = 50
MINUTE: Final = 60_000_000_000
PLACE: Final = "check."


def resampled(recording: Path, partitions: int) -> pl.DataFrame:
    """The closed bars: those whose minute the last trade of their partition has left behind."""
    partition = pl.col("symbol").cast(pl.String).map_elements(lambda name: partition_for(name, partitions), pl.Int64)
    trades = pl.read_parquet(recording).with_columns(pl.col("symbol").cast(pl.String), partition=partition)
    reached = trades.group_by("partition").agg(reached=pl.col("ts_event").max())
    price, volume = pl.col("price"), pl.col("volume")
    return (
        trades.with_columns(start=pl.col("ts_event") // MINUTE * MINUTE)
        .group_by("partition", "symbol", "start", maintain_order=True)
        .agg(
            open=price.first(),
            high=price.max(),
            low=price.min(),
            close=price.last(),
            volume=volume.sum(),
            vwap=(price * volume).sum() / volume.sum(),
            trades=pl.len().cast(pl.Int64),
        )
        .join(reached, on="partition")
        .filter(pl.col("start") + MINUTE <= pl.col("reached"))
        .drop("partition", "reached")
        .sort("symbol", "start")
    )


def main() -> None:
    """Run the job and compare."""
    with bench_servers(["kafka"]) as environment, tempfile.TemporaryDirectory() as folder:
        services, peer = Services(environment), kafka_streams()
        recording = Recording.write(Path(folder), TICKS, SYMBOLS, environment)
        services.publish(recording, PLACE)
        account = orjson.loads(peer.run(TICKS, services.at(PLACE)).output.splitlines()[-1])
        messages = read_messages(services.at(PLACE), "kafka_streams_bars")
        expected = resampled(recording.path, kafka_of(services.at(PLACE)).partitions("stock_ticks"))
    found = pl.DataFrame([decode("bars", message.value() or b"") for message in messages])
    if (account["ticks"], account["bars"]) != (TICKS, len(found)):
        raise FatalError(f"the job counted {account}, and {TICKS} trades and {len(found)} bars are there")
    if not (found["end"] - found["start"] == MINUTE).all() or set(found["state"]) != {"closed"}:
        raise FatalError("every bar must be a closed one of a minute")
    assert_frame_equal(found.select(expected.columns).sort("symbol", "start"), expected, rel_tol=1e-12, abs_tol=0)
    sys.stdout.write(f"{len(found)} bars of {TICKS} trades, all as resampled\n")


if __name__ == "__main__":
    main()
