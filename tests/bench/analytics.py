"""What a minute's figures cost with Kafka left out: CPU time, so that a busy machine matters little.

    python -m tests.bench.analytics [--symbols 500] [--days 5] [--minutes 390]

Days before are read first, as a restart does. Then each minute has a bar of every symbol: it is taken, the figures are
made and encoded. At the end a bar of half an hour ago is revised, and the figures since are made again.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tickstream.analytics.domain.grid import MINUTE
from tickstream.analytics.domain.market import Market
from tickstream.analytics.domain.studies import Choices, studies
from tickstream.core.codec import Codecs
from tickstream.core.model import AnalyticsFigure, Bar

DAY = 86_400_000_000_000
_OPEN = 570
_LATE = 30


def session(day: int, symbols: int, minutes: int) -> Iterator[list[Bar]]:
    """A session's bars, minute by minute."""
    rng = np.random.default_rng(day)
    names, price = [f"S{number:04}" for number in range(symbols)], np.linspace(10.0, 500.0, symbols)
    for minute in range(_OPEN, _OPEN + minutes):
        steps = price * np.exp(rng.normal(0.0, 0.0005, (4, symbols)).cumsum(axis=0))
        first, last, high, low = steps[0], steps[-1], steps.max(axis=0), steps.min(axis=0)
        volume, vwap = rng.integers(0, 5000, symbols), (high + low) / 2.0
        price, start = last, day * DAY + minute * MINUTE
        rows = zip(names, *(x.tolist() for x in (first, high, low, last, volume.astype(float), vwap)), strict=True)
        yield [
            Bar(name, "1m", start, start + MINUTE, o, h, lo, c, v, w, int(v / 100), "closed", 0, "traded", "regular")
            for name, o, h, lo, c, v, w in rows
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--days", type=int, default=5, help="before the one that is measured")
    parser.add_argument("--minutes", type=int, default=390, help="of each day")
    given = parser.parse_args()
    groups = {f"G{number}": [f"S{at:04}" for at in range(number, given.symbols, 11)] for number in range(11)}
    chosen = Choices(history=max(given.days, 1), groups=groups)
    market, codec = Market(lambda bar: bar.start // DAY * DAY, studies(chosen), chosen.history), Codecs()
    encode = codec.of(AnalyticsFigure).encode_many
    began = time.process_time()
    for day in range(given.days):
        for bars in session(day, given.symbols, given.minutes):
            for bar in bars:
                market.take(bar, counted=True)
    read = time.process_time() - began
    costs, records, size = [], 0, 0
    for bars in session(given.days, given.symbols, given.minutes):
        began = time.process_time()
        for bar in bars:
            market.take(bar)
        values = encode(market.figures(market.complete_through))
        costs.append((time.process_time() - began) * 1000.0)
        records, size = len(values), sum(map(len, values))
    late = replace(bars[0], start=bars[0].start - _LATE * MINUTE, end=bars[0].end - _LATE * MINUTE, revision=1)
    began = time.process_time()
    market.take(late)
    again = len(encode(market.figures(market.complete_through)))
    revision = (time.process_time() - began) * 1000.0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    sys.stdout.write(
        f"{given.symbols} symbols: a minute {np.median(costs):.0f} ms, at most {max(costs):.0f} ms (the first has the "
        f"states to begin), {records} records of {size / records:.0f} bytes; a bar {_LATE} minutes late {revision:.0f} "
        f"ms, {again} records; {given.days} days read in {read:.1f} s; {memory:.0f} MB (CPU time)\n"
    )


if __name__ == "__main__":
    main()
