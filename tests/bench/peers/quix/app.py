"""One-minute bars with Quix Streams, as its documentation writes them."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

from quixstreams import Application

IDLE_SECONDS = 5.0  # it ends that long after the last record


def begin(tick: dict[str, Any]) -> dict[str, float]:
    return grow(
        {"open": tick["price"], "high": tick["price"], "low": tick["price"], "volume": 0.0, "pv": 0.0, "n": 0}, tick
    )


def grow(bar: dict[str, float], tick: dict[str, Any]) -> dict[str, float]:
    price, volume = tick["price"], tick["volume"]
    bar["high"] = max(bar["high"], price)
    bar["low"] = min(bar["low"], price)
    bar["close"] = price
    bar["volume"] += volume
    bar["pv"] += price * volume
    bar["n"] += 1
    return bar


def main(wanted: int) -> None:
    prefix = os.environ["KAFKA_TOPIC_PREFIX"]
    with tempfile.TemporaryDirectory() as state:
        app = Application(
            broker_address=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
            consumer_group=f"{prefix}quix",
            auto_offset_reset="earliest",
            state_dir=state,
            loglevel="ERROR",
        )
        ticks = app.topic(
            prefix + "stock_ticks",
            value_deserializer="json",
            timestamp_extractor=lambda value, *_: value["ts_event"] // 1_000_000,
        )
        bars = app.topic(prefix + "quix_bars", value_serializer="json")
        app.dataframe(ticks).tumbling_window(60_000).reduce(grow, begin).final().to_topic(bars)
        if wanted:
            app.run(timeout=IDLE_SECONDS)


if __name__ == "__main__":
    main(int(sys.argv[1]))
